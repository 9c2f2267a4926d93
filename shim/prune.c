/*
 * Removing the regions of processes that ended (region/keep.h): once in a process, before it
 * records anything. Two passes over the directory, without memory for its names: the first notes
 * who ended and adds up what they left, by how long ago that was noticed, in powers of two seconds;
 * the second removes from the longest ago on until enough is gone. Never opens for writing, follows
 * no link, removes no file that is not named like a region, the user's own and unlocked.
 *
 * Others may do the same at the same time: whoever holds the exclusive lock decides. It is taken
 * without waiting and held for an instant, so that a reader may find it taken; a process locks its
 * region before the region is ready, and what is not ready is left alone while it is young.
 */
#include "shim/prune.h"
#include "region/keep.h"
#include "region/layout.h"
#include "shim/options.h"
#include "shim/proc.h"
#include "shim/system.h"
#include "shim/text.h"

#include <stddef.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#define LISTING_SIZE 32768u
#define AGES 40 /* powers of two seconds: 2^39 s is long enough */
#define DAY 86400
#define SPACE_NEEDED (1u << 20)

struct entry { /* linux_dirent64, getdents(2) */
    uint64_t inode, offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

struct pruning {
    int directory;
    bool full;
    int64_t now;     /* seconds */
    uint64_t bounds; /* bytes that may stay */
    uint64_t left;   /* bytes of all regions whose process was seen to have ended */
    uint64_t by_age[AGES];
    bool too_old;   /* some were noticed too many days ago */
    unsigned until; /* second pass: all that are older than this age go, */
    uint64_t part;  /* and so many bytes of this age */
    bool removed;
};

struct file_name {
    uint64_t pid, start_ticks;
};

static bool parse_name(const char *text, struct file_name *name)
{
    const char *at, *end;
    name->pid = text_parse(text, &at);
    if (at == text || *at++ != '-')
        return false;
    name->start_ticks = text_parse(at, &end);
    if (end == at)
        return false;
    if (*end == '-') {
        at = end + 1;
        text_parse(at, &end);
        if (end == at)
            return false;
    }
    return *end == '\0';
}

/* Reads a number that the character `after` follows, and moves *at behind both. */
static bool parse_part(const char **at, char after, uint64_t *number)
{
    const char *end;
    *number = text_parse(*at, &end);
    if (end == *at || *end != after)
        return false;
    *at = end + (after != '\0');
    return true;
}

/* Whether a `tracesnap run` that still runs wants the region, or nobody can tell from here. */
static bool is_wanted(const char *session, uint32_t parent, bool expired)
{
    uint64_t pid, ticks, inside;
    const char *at = session;
    if (!parse_part(&at, '-', &pid) || !parse_part(&at, '-', &ticks))
        return false;
    const char *namespace = at;
    if (!parse_part(&at, '\0', &inside)) {
        at = namespace;
        if (!parse_part(&at, TS_SESSION_MAIN[0], &inside) || parent != pid ||
            !text_equal(at, &TS_SESSION_MAIN[1]))
            return false;
    }
    return proc_namespace() != inside ? !expired : proc_stat(pid).start_ticks == ticks;
}

static bool read_at(int fd, void *to, size_t size, size_t offset)
{
    return sys_pread(fd, to, size, offset) == (long)size;
}

/* Nobody uses the region that is open and locked in fd: its process ended, or never began. */
static bool is_dead(const struct pruning *pruning, int fd, const struct file_name *name,
                    int64_t changed)
{
    struct {
        uint32_t ready, locked, namespace;
    } is = {0, 0, 0};
    if (!read_at(fd, &is.ready, sizeof is.ready, offsetof(struct ts_header, ready)) ||
        is.ready == 0)
        return pruning->now - changed >= TS_KEEP_UNBORN;
    if (!read_at(fd, &is.locked, sizeof is.locked, offsetof(struct ts_header, process.locked)) ||
        !read_at(fd, &is.namespace, sizeof is.namespace,
                 offsetof(struct ts_header, process.pid_namespace)))
        return false;
    /* While the process lives, also under another program: its next region is numbered behind. */
    if (is.namespace != 0 && is.namespace == proc_namespace() &&
        proc_stat(name->pid).start_ticks == name->start_ticks)
        return false;
    return is.locked != 0 ||
           (is.namespace == proc_namespace() &&
            proc_stat(name->pid).start_ticks != name->start_ticks);
}

/* A file of the user's own that only has such a name. Before a region begins it is zeros. */
static bool is_foreign(int fd)
{
    static const char zeros[8];
    char magic[8] = "";
    sys_pread(fd, magic, sizeof magic, 0);
    return __builtin_memcmp(magic, zeros, sizeof magic) != 0 &&
           __builtin_memcmp(magic, TS_REGION_MAGIC, sizeof magic) != 0;
}

/* Opens a region that nobody uses; -1 when somebody does, or it is no such file any more. */
static int open_unused(const struct pruning *pruning, const char *name, struct stat *status)
{
    int fd = sys_openat(pruning->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (!sys_failed(sys_flock(fd, LOCK_EX | LOCK_NB)) &&
        !sys_failed(sys_fstat(fd, status)) && S_ISREG(status->st_mode) &&
        status->st_uid == sys_geteuid() && !is_foreign(fd))
        return fd;
    sys_close(fd);
    return -1;
}

static uint64_t bytes_of(const struct stat *status)
{
    return (uint64_t)status->st_blocks * 512;
}

static bool is_expired(const struct pruning *pruning, const struct stat *status)
{
    return options.keep_days != 0 &&
           pruning->now - status->st_ctim.tv_sec > (int64_t)options.keep_days * DAY;
}

static unsigned age_of(const struct pruning *pruning, const struct stat *status)
{
    int64_t seconds = pruning->now - status->st_ctim.tv_sec;
    unsigned age = 0;
    while (seconds > 1 && age < AGES - 1) {
        seconds >>= 1;
        age++;
    }
    return age;
}

/* First pass: notes that a process ended, and counts what it left. */
static void count(struct pruning *pruning, const char *name_text, const struct file_name *name,
                  struct stat *status)
{
    if ((status->st_mode & 07777) != TS_KEEP_MODE) {
        int fd = open_unused(pruning, name_text, status);
        if (fd < 0)
            return;
        bool dead = is_dead(pruning, fd, name, status->st_ctim.tv_sec) &&
                    !sys_failed(sys_fchmod(fd, TS_KEEP_MODE));
        sys_close(fd);
        if (!dead)
            return;
        status->st_ctim.tv_sec = pruning->now;
    }
    pruning->left += bytes_of(status);
    pruning->by_age[age_of(pruning, status)] += bytes_of(status);
    pruning->too_old |= is_expired(pruning, status);
}

static bool must_go(const struct pruning *pruning, const struct stat *status)
{
    unsigned age = age_of(pruning, status);
    return is_expired(pruning, status) || age > pruning->until ||
           (age == pruning->until && pruning->part != 0);
}

/* Second pass. */
static void remove_old(struct pruning *pruning, const char *name, struct stat *status)
{
    char session[sizeof((struct ts_process *)0)->session];
    if ((status->st_mode & 07777) != TS_KEEP_MODE || !must_go(pruning, status))
        return;
    int fd = open_unused(pruning, name, status);
    if (fd < 0)
        return;
    uint32_t parent = 0;
    if (!read_at(fd, session, sizeof session, offsetof(struct ts_header, process.session)) ||
        !read_at(fd, &parent, sizeof parent, offsetof(struct ts_header, process.parent_pid)))
        session[0] = '\0';
    session[sizeof session - 1] = '\0';
    if (!is_wanted(session, parent, is_expired(pruning, status)) &&
        !sys_failed(sys_unlink_at(pruning->directory, name))) {
        uint64_t bytes = bytes_of(status);
        if (age_of(pruning, status) == pruning->until)
            pruning->part -= bytes < pruning->part ? bytes : pruning->part;
        pruning->removed = true;
    }
    sys_close(fd);
}

/* Calls one of the two for each region of the directory. */
static void pass(struct pruning *pruning, char *listing, bool first)
{
    long size;
    sys_rewind(pruning->directory);
    while ((size = sys_getdents(pruning->directory, listing, LISTING_SIZE)) > 0) {
        for (long at = 0; at < size; at += ((struct entry *)(listing + at))->length) {
            const char *text = ((struct entry *)(listing + at))->name;
            struct file_name name;
            struct stat status;
            if (!parse_name(text, &name) ||
                sys_failed(sys_stat_at(pruning->directory, text, &status)) ||
                !S_ISREG(status.st_mode) || status.st_uid != sys_geteuid())
                continue;
            if (first)
                count(pruning, text, &name, &status);
            else
                remove_old(pruning, text, &status);
        }
    }
}

/*
 * Chooses what must go so that no more than three quarters of the bounds stay: the next look then
 * has some time.
 */
static void choose(struct pruning *pruning)
{
    pruning->until = AGES;
    if (pruning->left <= pruning->bounds)
        return; /* only what expired */
    uint64_t excess = pruning->left - pruning->bounds / 4 * 3;
    while (excess != 0 && pruning->until > 0) {
        uint64_t bytes = pruning->by_age[--pruning->until];
        pruning->part = excess;
        excess -= bytes < excess ? bytes : excess;
    }
}

static uint64_t bounds_of(const struct pruning *pruning)
{
    struct statfs fs;
    if (pruning->full) /* or something else was refused, for which nothing is removed */
        return !sys_failed(sys_fstatfs(pruning->directory, &fs)) &&
                       fs.f_blocks != 0 &&
                       (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize < SPACE_NEEDED
                   ? 0
                   : UINT64_MAX;
    if (options.keep != OPTIONS_KEEP_DEFAULT)
        return options.keep == 0 ? UINT64_MAX : options.keep;
    if (sys_failed(sys_fstatfs(pruning->directory, &fs)))
        return TS_KEEP_SIZE;
    uint64_t part = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize / TS_KEEP_PART;
    return part != 0 && part < TS_KEEP_SIZE ? part : TS_KEEP_SIZE;
}

bool prune_directory(const char *path, bool full)
{
    struct pruning pruning = {.full = full};
    char *listing = memory_map(LISTING_SIZE, true);
    pruning.directory = sys_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (listing != NULL && pruning.directory >= 0) {
        pruning.now = (int64_t)(sys_clock(CLOCK_REALTIME, CLOCK_REALTIME_COARSE) / 1000000000u);
        pruning.bounds = bounds_of(&pruning);
        pass(&pruning, listing, true);
        choose(&pruning);
        if (pruning.too_old || pruning.until < AGES)
            pass(&pruning, listing, false);
    }
    if (pruning.directory >= 0)
        sys_close(pruning.directory);
    if (listing != NULL)
        memory_unmap(listing, LISTING_SIZE);
    return pruning.removed;
}
