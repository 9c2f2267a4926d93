/*
 * Names of regions and the directories they lie in, as region/name.h lays them down.
 */
#include "tools/source/reader.h"

#include "region/name.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Decimal digits only, no sign, no leading blank; moves *at behind them. */
static bool parse_number(const char **at, uint64_t limit, uint64_t *value)
{
    const char *start = *at;
    *value = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (*value > (limit - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return *at != start;
}

bool region_name_parse(const char *file_name, struct region_name *name)
{
    const char *at = file_name;
    uint64_t pid, sequence = 0;
    if (!parse_number(&at, INT32_MAX, &pid) || *at++ != '-' ||
        !parse_number(&at, UINT64_MAX, &name->start_ticks))
        return false;
    if (*at == '-') {
        at++;
        if (!parse_number(&at, TS_SEQUENCE_MAX, &sequence) || sequence == 0)
            return false;
    }
    name->pid = (uint32_t)pid;
    name->sequence = (uint32_t)sequence;
    return *at == '\0';
}

bool region_place(int which, uid_t uid, const char *dir_variable, const char *tmp_variable,
                  char path[PATH_MAX])
{
    int length = 0;
    if (which == 0) {
        if (dir_variable == NULL || *dir_variable == '\0')
            return false;
        length = snprintf(path, PATH_MAX, "%s", dir_variable);
    } else if (which == 1) {
        length = snprintf(path, PATH_MAX, TS_DIR_SHM "%u", uid);
    } else {
        if (tmp_variable == NULL || *tmp_variable == '\0')
            tmp_variable = "/tmp";
        length = snprintf(path, PATH_MAX, "%s" TS_DIR_TMP_NAME "%u", tmp_variable, uid);
    }
    return length > 0 && length < PATH_MAX;
}

uint32_t source_name_pid(const char *name)
{
    uint64_t pid;
    const char *at = name;
    return parse_number(&at, INT32_MAX, &pid) && *at == '\0' ? (uint32_t)pid : 0;
}

bool region_is_of_namespace(const char *directory, const char *file_name, uint32_t namespace)
{
    char path[PATH_MAX];
    struct source_file file;
    struct ts_header header;
    if (namespace == 0 ||
        snprintf(path, sizeof(path), "%s/%s", directory, file_name) >= (int)sizeof(path) ||
        source_file_open(&file, path, false, NULL) != 0)
        return true;
    bool other = file_read(file.fd, &header, sizeof(header), 0) == 0 && header.ready == 1 &&
                 header.process.pid_namespace != 0 && header.process.pid_namespace != namespace;
    source_file_close(&file);
    return !other;
}

bool region_has_successor(const char *path, const struct ts_process *process)
{
    char copy[PATH_MAX];
    struct region_name own, other;
    if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
        return false;
    char *slash = strrchr(copy, '/');
    if (!region_name_parse(slash != NULL ? slash + 1 : copy, &own))
        return false;
    if (slash != NULL)
        slash[slash == copy ? 1 : 0] = '\0';
    DIR *directory = opendir(slash != NULL ? copy : ".");
    if (directory == NULL)
        return false;
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(directory)) != NULL;)
        found = region_name_parse(entry->d_name, &other) && other.pid == own.pid &&
                other.start_ticks == own.start_ticks && other.sequence > own.sequence &&
                region_is_of_namespace(slash != NULL ? copy : ".", entry->d_name,
                                       process->pid_namespace);
    closedir(directory);
    return found;
}
