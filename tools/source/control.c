/*
 * The one word that the tool writes into a region. Nothing but the header page is mapped for it,
 * and nobody's region but the user's own is touched: root opens that of another user with that
 * user's rights, so that no link or file of theirs makes root write where they could not.
 */
#include "tools/source/source.h"

#include "tools/source/reader.h"

#include <errno.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const verbs[] = {
    [REGION_PAUSE] = "pause",
    [REGION_RESUME] = "resume",
    [REGION_CLEAR] = "clear",
    [REGION_RESET_PEAK] = "reset-peak",
};

static uint64_t changed(uint64_t word, enum region_control what)
{
    switch (what) {
    case REGION_PAUSE:
        return word | TS_CONTROL_PAUSED;
    case REGION_RESUME:
        return word & ~TS_CONTROL_PAUSED;
    case REGION_CLEAR:
        return ts_control_clear(word);
    case REGION_RESET_PEAK:
        return ts_control_reset_peak(word);
    }
    return word;
}

struct change {
    struct ts_header *header;
    enum region_control what;
};

static void apply(void *argument)
{
    struct change *change = argument;
    uint64_t word = ts_load_acquire(&change->header->control);
    while (!ts_cas_acq_rel(&change->header->control, &word, changed(word, change->what)))
        continue;
}

/* Only a region whose program still runs has anybody who would obey. */
static int check_target(const struct source_file *file, uint32_t pid, enum region_control what,
                        struct error *error)
{
    struct ts_header header;
    if (file->kind == SOURCE_SNAPSHOT)
        return error_set(error, "'%s' is a snapshot: %s needs a live process", file->path,
                         verbs[what]);
    if (file->owner != geteuid() && geteuid() != 0)
        return error_set(error, "region '%s' belongs to another user: run as its user or as root",
                         file->path);
    if (file_read(file->fd, &header, sizeof(header), 0) != 0)
        return error_set(error, "region '%s' is truncated: its header is incomplete", file->path);
    if (region_header_check(&header, file->path, error) != 0)
        return -1;
    if (pid == 0)
        pid = process_pid_here(&header.process);
    if (pid == 0 || !process_is_alive(&header.process, pid, NULL))
        return error_set(error, "process '%u' has ended: %s needs a live process",
                         header.process.pid, verbs[what]);
    if (header.process.state == TS_STATE_REPLACED ||
        region_has_successor(file->path, &header.process) ||
        process_runs_another(&header.process, file->owner, pid))
        return error_set(error,
                         "the program of region '%s' was replaced by another: %s needs a live"
                         " process",
                         file->path, verbs[what]);
    return 0;
}

static int change_word(const struct source_file *file, enum region_control what,
                       struct error *error)
{
    void *map = mmap(NULL, TS_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
    if (map == MAP_FAILED)
        return error_set(error, "cannot map '%s': %s", file->path, strerror(errno));
    struct change change = {.header = map, .what = what};
    int result = guard_run(apply, &change);
    munmap(map, TS_HEADER_SIZE);
    return result == 0 ? 0
                       : error_set(error, "region '%s' is truncated: it became shorter just now",
                                   file->path);
}

static int open_as(uid_t owner, struct source_file *file, const char *path, struct error *error)
{
    setfsuid(owner);
    int result = source_file_open(file, path, true, error);
    setfsuid(geteuid());
    if (result == 0 && file->owner != owner) {
        source_file_close(file);
        result = error_set(error, "region '%s' belongs to another user now: try again", path);
    }
    return result;
}

int region_control(const char *name, enum region_control what, struct error *error)
{
    char found[PATH_MAX];
    struct source_file file;
    uint32_t pid = source_name_pid(name);
    if (pid != 0 && region_find(pid, found, error) != 0)
        return -1;
    const char *path = pid != 0 ? found : name;
    /* Read first: the reason why a file is refused comes before the right to write it. */
    if (source_file_open(&file, path, false, error) != 0)
        return -1;
    int result = check_target(&file, pid, what, error);
    uid_t owner = file.owner;
    source_file_close(&file);
    if (result != 0 || open_as(owner, &file, path, error) != 0)
        return -1;
    result = check_target(&file, pid, what, error);
    if (result == 0)
        result = change_word(&file, what, error);
    source_file_close(&file);
    return result;
}
