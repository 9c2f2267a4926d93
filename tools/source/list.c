/*
 * The list of regions: which processes are or were traced.
 */
#include "tools/source/source.h"

#include "tools/source/reader.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void region_list_free(struct region_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->entries[i].path);
        free(list->entries[i].session);
    }
    free(list->entries);
    *list = (struct region_list){0};
}

/*
 * The header of a region of this version, without a word about what is wrong with others. It must
 * be the directory's owner's, as whatever the shim makes there is.
 */
static bool read_header(struct ts_header *header, const char *path, uid_t owner)
{
    struct source_file file;
    if (source_file_open(&file, path, false, NULL) != 0)
        return false;
    bool right = file.kind == SOURCE_REGION && file.owner == owner &&
                 file_read(file.fd, header, sizeof(*header), 0) == 0 &&
                 region_header_check(header, path, NULL) == 0;
    source_file_close(&file);
    return right;
}

/*
 * The process runs, and the program that wrote this. Not what a user's region says of somebody
 * else's process.
 */
static bool is_alive(const struct ts_process *process, uid_t owner)
{
    struct proc_status status;
    uint32_t pid = process_pid_here(process);
    return pid != 0 && process_is_alive(process, pid, &status) &&
           (owner == 0 || owner == geteuid() || owner == status.uid) &&
           !process_runs_another(process, owner, pid);
}

static bool is_running(const struct ts_process *process)
{
    uint32_t pid = process_pid_here(process);
    return pid != 0 && process_is_alive(process, pid, NULL);
}

static int add_entry(struct region_list *list, const char *path, const struct region_name *name,
                     const struct ts_header *header, uid_t owner)
{
    struct region_entry *entries = reallocarray(list->entries, list->count + 1, sizeof(*entries));
    if (entries == NULL)
        return -1;
    list->entries = entries;
    struct region_entry *entry = &entries[list->count++];
    *entry = (struct region_entry){
        .path = strdup(path),
        .pid = name->pid,
        .sequence = name->sequence,
        .start_ticks = name->start_ticks,
        .running = is_running(&header->process),
        .alive = is_alive(&header->process, owner),
        .session = text_copy(header->process.session, sizeof(header->process.session)),
    };
    return entry->path != NULL && entry->session != NULL ? 0 : -1;
}

static int add_file(struct region_list *list, const char *directory, const char *file_name,
                    uid_t owner)
{
    char path[PATH_MAX];
    struct region_name name;
    struct ts_header header;
    if (strcmp(file_name, ".") == 0 || strcmp(file_name, "..") == 0)
        return 0;
    if (!region_name_parse(file_name, &name) ||
        snprintf(path, sizeof(path), "%s/%s", directory, file_name) >= (int)sizeof(path) ||
        !read_header(&header, path, owner) || header.process.pid != name.pid) {
        list->unreadable++;
        return 0;
    }
    return add_entry(list, path, &name, &header, owner);
}

static int add_directory(struct region_list *list, const char *directory, struct error *error)
{
    struct stat status;
    DIR *listing = opendir(directory);
    if (listing == NULL || fstat(dirfd(listing), &status) != 0)
        return errno == ENOENT ? 0
                               : error_set(error,
                                           "cannot read region directory '%s': %s: run as its"
                                           " user or as root",
                                           directory, strerror(errno));
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(listing)) != NULL;)
        if (add_file(list, directory, entry->d_name, status.st_uid) != 0)
            result = error_set(error, "out of memory for the list of regions");
    closedir(listing);
    return result;
}

static int compare_entries(const void *a, const void *b)
{
    const struct region_entry *x = a, *y = b;
    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    if (x->start_ticks != y->start_ticks)
        return x->start_ticks < y->start_ticks ? -1 : 1;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

int region_list_load(struct region_list *list, bool all_users, struct error *error)
{
    struct directories directories;
    *list = (struct region_list){0};
    if (directories_list(&directories, all_users, error) != 0)
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && i < directories.count; i++)
        result = add_directory(list, directories.paths[i], error);
    directories_free(&directories);
    if (result != 0)
        region_list_free(list);
    else if (list->count > 1)
        qsort(list->entries, list->count, sizeof(*list->entries), compare_entries);
    return result;
}
