/*
 * From a pid to its region's path. The process may have another user, other environment variables,
 * another root or another pid namespace than the tool: what it has mapped tells, when its name does
 * not.
 */
#include "tools/source/reader.h"

#include "region/name.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct search {
    uint32_t pid; /* as seen from here */
    struct proc_status status;
    uint32_t namespace; /* of its pid, 0 = not told */
    bool by_name;       /* the process is gone: any region with its pid, the newest */
    bool mapped;        /* what is looked at is mapped by the process */
    char *path;   /* PATH_MAX bytes; the best so far */
    struct region_name best;
    bool found;
};

/* A region of somebody who is neither the process's user nor root nor the reader is a trap. */
static bool is_trusted(const struct search *search, const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISREG(status.st_mode) &&
           (status.st_uid == geteuid() || status.st_uid == 0 ||
            (!search->by_name && status.st_uid == search->status.uid));
}

static bool is_better(const struct search *search, const struct region_name *name)
{
    if (name->pid != (search->by_name ? search->pid : search->status.inner_pid))
        return false;
    /* Where there is no /proc (in a chroot) a process cannot tell when it started. */
    if (!search->by_name && name->start_ticks != search->status.start_ticks &&
        !(search->mapped && name->start_ticks == 0))
        return false;
    if (!search->found)
        return true;
    return name->start_ticks != search->best.start_ticks
               ? name->start_ticks > search->best.start_ticks
               : name->sequence > search->best.sequence;
}

static void note(struct search *search, const char *path, const struct region_name *name)
{
    search->best = *name;
    search->found = true;
    snprintf(search->path, PATH_MAX, "%s", path);
}

static void look_in(struct search *search, const char *directory)
{
    char path[PATH_MAX];
    struct region_name name;
    DIR *listing = opendir(directory);
    if (listing == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (!region_name_parse(entry->d_name, &name) || !is_better(search, &name) ||
            !region_is_of_namespace(directory, entry->d_name, search->namespace))
            continue;
        if (snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) < (int)sizeof(path) &&
            is_trusted(search, path))
            note(search, path, &name);
    }
    closedir(listing);
}

static const char *variable(const char *variables, size_t size, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = variables; at != NULL && at < variables + size; at += strlen(at) + 1)
        if (strncmp(at, name, length) == 0 && at[length] == '=')
            return at + length + 1;
    return NULL;
}

/* The places as the process sees them, below a root: "" or /proc/PID/root. */
static void look_in_places(struct search *search, const char *root, const char *variables,
                           size_t size)
{
    char place[PATH_MAX], path[PATH_MAX];
    for (int which = 0; which < REGION_PLACES; which++)
        if (region_place(which, search->status.uid, variable(variables, size, TS_DIR_VARIABLE),
                         variable(variables, size, "TMPDIR"), place) &&
            snprintf(path, sizeof(path), "%s%s", root, place) < (int)sizeof(path))
            look_in(search, path);
}

/* One line of /proc/PID/maps: "START-END RIGHTS OFFSET DEVICE INODE   PATH". */
static void look_at_mapping(struct search *search, const char *line)
{
    char path[PATH_MAX];
    struct region_name name;
    unsigned long start, end;
    int at = 0;
    if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &start, &end, &at) != 2 || line[at] != '/')
        return;
    const char *mapped = line + at;
    size_t length = strlen(mapped);
    bool deleted = length > 10 && strcmp(mapped + length - 10, " (deleted)") == 0;
    const char *base = strrchr(mapped, '/') + 1;
    char file_name[64];
    snprintf(file_name, sizeof(file_name), "%.*s",
             (int)(length - (deleted ? 10 : 0) - (size_t)(base - mapped)), base);
    if (!region_name_parse(file_name, &name) || !is_better(search, &name))
        return;
    if (!deleted && strlen(mapped) < PATH_MAX && is_trusted(search, mapped)) {
        note(search, mapped, &name);
    } else if (!deleted &&
               snprintf(path, sizeof(path), "/proc/%u/root%s", search->pid, mapped) <
                   (int)sizeof(path) &&
               is_trusted(search, path)) {
        note(search, path, &name);
    } else {
        /* Neither name leads to it from here; the kernel's link to the mapped file does. */
        snprintf(path, sizeof(path), "/proc/%u/map_files/%lx-%lx", search->pid, start, end);
        note(search, path, &name);
    }
}

/* false: the mappings may not be read. */
static bool look_at_mappings(struct search *search)
{
    char *maps = proc_read(search->pid, "maps", NULL);
    if (maps == NULL)
        return errno != EACCES && errno != EPERM;
    char *next = NULL;
    search->mapped = true;
    for (char *line = strtok_r(maps, "\n", &next); line != NULL; line = strtok_r(NULL, "\n", &next))
        look_at_mapping(search, line);
    search->mapped = false;
    free(maps);
    return true;
}

static int look_in_own(struct search *search, bool all_users, struct error *error)
{
    struct directories directories;
    if (directories_list(&directories, all_users, error) != 0)
        return -1;
    for (size_t i = 0; i < directories.count; i++)
        look_in(search, directories.paths[i]);
    directories_free(&directories);
    return 0;
}

static int find_of_living(struct search *search, struct error *error)
{
    char root[64];
    size_t size = 0;
    if (look_in_own(search, false, error) != 0)
        return -1;
    if (search->found)
        return 0;
    char *variables = proc_read(search->pid, "environ", &size);
    look_in_places(search, "", NULL, 0);
    look_in_places(search, "", variables, size);
    bool permitted = search->found || look_at_mappings(search);
    if (!search->found) {
        snprintf(root, sizeof(root), "/proc/%u/root", search->pid);
        look_in_places(search, root, variables, size);
    }
    free(variables);
    if (search->found)
        return 0;
    if (!permitted)
        return error_set(error, "not permitted to read process '%u': run as its user or as root",
                         search->pid);
    return error_set(error,
                     "process '%u' (%s) is not traced: start it with 'tracesnap run -- CMD' or"
                     " with LD_PRELOAD=libtracesnap.so",
                     search->pid, search->status.command);
}

int region_find(uint32_t pid, char path[PATH_MAX], struct error *error)
{
    struct search search = {.pid = pid, .path = path};
    if (proc_status_read(&search.status, pid)) {
        search.namespace = process_namespace(pid);
        return find_of_living(&search, error);
    }
    search.by_name = true;
    if (look_in_own(&search, true, error) != 0)
        return -1;
    if (search.found)
        return 0;
    return error_set(error, "no such process '%u' and no region of it: see 'tracesnap ps'", pid);
}
