/*
 * Removing the regions of processes that ended, by the rules of region/keep.h. What the shim does
 * in passing is done here in full: exactly the oldest first, in every directory of the user's.
 */
#include "tools/source/source.h"

#include "region/keep.h"
#include "region/name.h"
#include "tools/source/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define DAY 86400

struct dead {
    char *name;
    time_t noticed;
    struct region_name is;
    uint64_t space;
};

struct pruning {
    const struct prune_limits *limits;
    struct prune_result *result;
    const char *path;
    int directory;
    time_t now;
    struct dead *dead;
    size_t count;
};

void session_name(char name[40], bool main_only)
{
    struct proc_status status;
    uint32_t pid = (uint32_t)getpid();
    if (!proc_status_read(&status, pid))
        status.start_ticks = (uint64_t)time(NULL);
    snprintf(name, 40, "%u-%llu-%u%s", pid, (unsigned long long)status.start_ticks,
             process_namespace(0), main_only ? TS_SESSION_MAIN : "");
}

/* expired: nobody can be believed to want it that cannot be asked. */
static bool is_wanted_by(const char *session, uint32_t parent, bool expired)
{
    unsigned long long pid, ticks, inside;
    char suffix[sizeof(TS_SESSION_MAIN) + 1] = "";
    struct proc_status status;
    if (sscanf(session, "%llu-%llu-%llu%6s", &pid, &ticks, &inside, suffix) < 3)
        return false;
    if (suffix[0] != '\0' && (strcmp(suffix, TS_SESSION_MAIN) != 0 || parent != pid))
        return false;
    if (process_namespace(0) != inside)
        return !expired;
    return proc_status_read(&status, (uint32_t)pid) && status.alive && status.start_ticks == ticks;
}

/* Opens and locks a region that nobody uses, which may stand under that name no more. */
static int open_unused(const struct pruning *pruning, const char *name, struct stat *status)
{
    int fd = openat(pruning->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, status) == 0 && S_ISREG(status->st_mode))
        return fd;
    close(fd);
    return -1;
}

/* A file that only has such a name. Before a region begins it is zeros. */
static bool is_foreign(int fd)
{
    static const char zeros[8];
    char magic[8] = "";
    if (pread(fd, magic, sizeof(magic), 0) < 0)
        return true;
    return memcmp(magic, zeros, sizeof(magic)) != 0 &&
           memcmp(magic, TS_REGION_MAGIC, sizeof(magic)) != 0;
}

static bool is_dead(int fd, const struct region_name *name, const struct stat *status, time_t now)
{
    struct ts_header header;
    struct proc_status process;
    if (is_foreign(fd))
        return false;
    if (file_read(fd, &header, sizeof(header), 0) != 0 || header.ready == 0)
        return now - status->st_ctime >= TS_KEEP_UNBORN;
    /* While the process lives, also under another program: its next region is numbered behind. */
    if (header.process.pid_namespace != 0 &&
        header.process.pid_namespace == process_namespace(0) &&
        proc_status_read(&process, name->pid) && process.alive &&
        process.start_ticks == name->start_ticks)
        return false;
    if (header.process.locked != 0)
        return true;
    return header.process.pid_namespace == process_namespace(0) &&
           (!proc_status_read(&process, name->pid) || process.start_ticks != name->start_ticks);
}

static bool is_wanted(int fd, bool expired)
{
    struct ts_header header;
    if (file_read(fd, &header, sizeof(header), 0) != 0)
        return false;
    header.process.session[sizeof(header.process.session) - 1] = '\0';
    return is_wanted_by(header.process.session, header.process.parent_pid, expired);
}

static time_t keep_seconds(const struct prune_limits *limits)
{
    return (time_t)((limits->days != PRUNE_DEFAULT ? limits->days : TS_KEEP_DAYS) * DAY);
}

/* Whatever else is called like a region is not ours to judge. */
static bool is_region_file(const struct pruning *pruning, const char *name)
{
    struct stat directory, file;
    return fstat(pruning->directory, &directory) == 0 &&
           fstatat(pruning->directory, name, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(file.st_mode) && file.st_uid == directory.st_uid;
}

/* Notes that the process ended, and that its region may go. -1: out of memory. */
static int consider(struct pruning *pruning, const char *file_name, const struct region_name *name)
{
    struct stat status;
    int fd = open_unused(pruning, file_name, &status);
    bool noticed = fd >= 0 && (status.st_mode & 07777) == TS_KEEP_MODE;
    if (fd >= 0 && is_foreign(fd)) {
        close(fd);
        return 0;
    }
    bool expired = noticed && pruning->now - status.st_ctime > keep_seconds(pruning->limits);
    if (fd < 0 || (!noticed && !is_dead(fd, name, &status, pruning->now)) ||
        is_wanted(fd, expired)) {
        pruning->result->in_use++;
        if (fd >= 0)
            close(fd);
        return 0;
    }
    if (!noticed && !pruning->limits->dry_run && fchmod(fd, TS_KEEP_MODE) == 0)
        status.st_ctime = pruning->now;
    close(fd);
    struct dead *dead = reallocarray(pruning->dead, pruning->count + 1, sizeof(*dead));
    if (dead == NULL)
        return -1;
    pruning->dead = dead;
    dead[pruning->count] = (struct dead){
        .name = strdup(file_name),
        .noticed = noticed ? status.st_ctime : pruning->now,
        .is = *name,
        .space = (uint64_t)status.st_blocks * 512,
    };
    return dead[pruning->count++].name != NULL ? 0 : -1;
}

static int compare_dead(const void *a, const void *b)
{
    const struct dead *x = a, *y = b;
    if (x->noticed != y->noticed)
        return x->noticed < y->noticed ? -1 : 1;
    if (x->is.start_ticks != y->is.start_ticks)
        return x->is.start_ticks < y->is.start_ticks ? -1 : 1;
    return (x->is.pid > y->is.pid) - (x->is.pid < y->is.pid);
}

static int note_removed(struct prune_result *result, const char *path, uint64_t space)
{
    char **paths = reallocarray(result->paths, result->removed + 1, sizeof(*paths));
    if (paths == NULL)
        return -1;
    result->paths = paths;
    result->removed_size += space;
    paths[result->removed] = strdup(path);
    return paths[result->removed++] != NULL ? 0 : -1;
}

/* 0; 1: it is in use after all, or gone; -1: out of memory. */
static int remove_one(struct pruning *pruning, const struct dead *dead)
{
    char path[PATH_MAX];
    struct stat status;
    int fd = open_unused(pruning, dead->name, &status);
    snprintf(path, sizeof(path), "%s/%s", pruning->path, dead->name);
    bool right = fd >= 0 &&
                 (pruning->limits->dry_run || unlinkat(pruning->directory, dead->name, 0) == 0);
    if (fd >= 0 && !right && errno != ENOENT && pruning->result->failure.text[0] == '\0')
        error_set(&pruning->result->failure,
                  "cannot remove '%s': %s: check the rights of its directory", path,
                  strerror(errno));
    if (fd >= 0)
        close(fd);
    if (!right)
        return 1;
    return note_removed(pruning->result, path, dead->space);
}

static uint64_t size_limit(const struct pruning *pruning)
{
    struct statvfs fs;
    if (pruning->limits->size != PRUNE_DEFAULT)
        return pruning->limits->size;
    if (fstatvfs(pruning->directory, &fs) != 0)
        return TS_KEEP_SIZE;
    uint64_t part = (uint64_t)fs.f_blocks * fs.f_frsize / TS_KEEP_PART;
    return part != 0 && part < TS_KEEP_SIZE ? part : TS_KEEP_SIZE;
}

static int remove_excess(struct pruning *pruning)
{
    uint64_t left = 0, most = size_limit(pruning);
    for (size_t i = 0; i < pruning->count; i++)
        left += pruning->dead[i].space;
    if (pruning->count > 1)
        qsort(pruning->dead, pruning->count, sizeof(*pruning->dead), compare_dead);
    for (size_t i = 0; i < pruning->count; i++) {
        const struct dead *dead = &pruning->dead[i];
        bool old = pruning->now - dead->noticed > keep_seconds(pruning->limits);
        int result = 1;
        if (pruning->limits->all || old || left > most)
            result = remove_one(pruning, dead);
        if (result < 0)
            return -1;
        if (result == 0)
            left -= dead->space;
        else {
            pruning->result->kept++;
            pruning->result->kept_size += dead->space;
        }
    }
    return 0;
}

static int consider_all(struct pruning *pruning)
{
    struct region_name name;
    int fd = dup(pruning->directory);
    DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    int result = 0;
    if (listing == NULL && fd >= 0)
        close(fd);
    for (struct dirent *entry; listing && result == 0 && (entry = readdir(listing)) != NULL;)
        if (region_name_parse(entry->d_name, &name) && is_region_file(pruning, entry->d_name))
            result = consider(pruning, entry->d_name, &name);
    if (listing != NULL)
        closedir(listing);
    return result;
}

static int prune_directory(const struct prune_limits *limits, struct prune_result *result,
                           const char *path)
{
    struct pruning pruning = {.limits = limits, .result = result, .path = path, .now = time(NULL)};
    pruning.directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (pruning.directory < 0)
        return 0; /* gone, or somebody else's: nothing there is ours to remove */
    int status = consider_all(&pruning);
    if (status == 0)
        status = remove_excess(&pruning);
    for (size_t i = 0; i < pruning.count; i++)
        free(pruning.dead[i].name);
    free(pruning.dead);
    close(pruning.directory);
    return status;
}

int regions_prune(const struct prune_limits *limits, bool all_users, struct prune_result *result,
                  struct error *error)
{
    struct directories directories = {0};
    const char *named = getenv(TS_DIR_VARIABLE);
    int status = 0;
    *result = (struct prune_result){0};
    if (named != NULL && *named != '\0') {
        if (access(named, R_OK | X_OK) != 0)
            return error_set(error,
                             "cannot open region directory '%s': %s: check TRACESNAP_DIR", named,
                             strerror(errno));
        status = prune_directory(limits, result, named);
    } else if (directories_list(&directories, all_users, error) != 0)
        return -1;
    for (size_t i = 0; status == 0 && i < directories.count; i++)
        status = prune_directory(limits, result, directories.paths[i]);
    directories_free(&directories);
    if (status == 0)
        return 0;
    prune_result_free(result);
    return error_set(error, "out of memory for the list of regions");
}

void prune_result_free(struct prune_result *result)
{
    for (size_t i = 0; i < result->removed; i++)
        free(result->paths[i]);
    free(result->paths);
    *result = (struct prune_result){0};
}
