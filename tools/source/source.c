/*
 * From what the user named to a capture.
 */
#include "tools/source/source.h"

#include "tools/source/reader.h"

struct capture *source_open(const char *name, struct error *error)
{
    char found[PATH_MAX];
    struct source_file file;
    struct capture *capture = NULL;
    uint32_t pid = source_name_pid(name);
    if (pid != 0 && region_find(pid, found, error) != 0)
        return NULL;
    if (source_file_open(&file, pid != 0 ? found : name, false, error) != 0)
        return NULL;
    if (file.kind == SOURCE_REGION)
        capture = region_read(&file, pid, error);
    else
        capture = snapshot_read(&file, error);
    source_file_close(&file);
    return capture;
}
