/*
 * Sources: what a report can read. A source is named by the user as a PID, a region file or a
 * snapshot file, and becomes a capture. The traced process is never stopped and never asked.
 */
#ifndef TRACESNAP_TOOLS_SOURCE_SOURCE_H
#define TRACESNAP_TOOLS_SOURCE_SOURCE_H

#include "tools/base/capture.h"
#include "tools/base/message.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads the source called `name` ("1234", "a.tsnap", "/dev/shm/tracesnap-0/..."). NULL and *error
 * on failure. */
struct capture *source_open(const char *name, struct error *error);

/*
 * Fills capture->memory from /proc, if the process lives and may be asked. Not part of source_open,
 * since the kernel looks at every page of the process for it: some 15 ms for a GiB of small ones.
 */
void source_read_memory(struct capture *capture);

/* Writes a snapshot file: to a temporary name beside it, then renamed. 0 or -1 and *error. */
int snapshot_write(const struct capture *capture, const char *path, struct error *error);

/*
 * Whether `path` is a symbolic link or a FIFO that another user (root excepted) put there: it is
 * not written to, since it would be that user's choice what is overwritten.
 */
bool file_is_planted(const char *path);
#define FILE_PLANTED "'%s' is another user's symbolic link or pipe: write to another name"

/* A region that was found in the user's directory. */
struct region_entry {
    char *path;
    uint32_t pid;
    uint32_t sequence;
    uint64_t start_ticks;
    bool alive;   /* the program runs that wrote it */
    bool running; /* the process does, under this program or another */
    char *session; /* "" = not started by `run` */
};

struct region_list {
    struct region_entry *entries; /* by pid, then sequence */
    size_t count;
    size_t unreadable; /* files in the directory that are no regions of this version */
};

/*
 * All regions in the directories of this user (and of other users, for root with `all_users`). A
 * missing directory is an empty list. 0 or -1 and *error.
 */
int region_list_load(struct region_list *list, bool all_users, struct error *error);
void region_list_free(struct region_list *list);

/*
 * Creates the user's own region directory where it is missing and checks that it is the user's and
 * closed to others; its path goes to `path`. 0 or -1 and *error.
 */
int region_directory(char *path, size_t size, struct error *error);

/* What may stay when regions of ended processes are removed; the rules are region/keep.h's. */
#define PRUNE_DEFAULT UINT64_MAX
struct prune_limits {
    uint64_t size; /* bytes in each directory; PRUNE_DEFAULT = as keep.h says */
    uint64_t days; /* since the end was noticed; PRUNE_DEFAULT, too */
    bool all;      /* nothing stays that nobody uses */
    bool dry_run;  /* only say what would go */
};

struct prune_result {
    char **paths; /* of the removed ones, oldest first in each directory */
    size_t removed, kept, in_use;
    uint64_t removed_size, kept_size; /* bytes of storage */
    struct error failure;             /* of the first that could not be removed; "" = none */
};

/*
 * Removes regions of ended processes: in $TRACESNAP_DIR alone where that is set, else in the
 * directories of this user (and of other users, for root with `all_users`). 0, or -1 and *error.
 * *result is to be freed after 0.
 */
int regions_prune(const struct prune_limits *limits, bool all_users, struct prune_result *result,
                  struct error *error);
void prune_result_free(struct prune_result *result);

/* The name of this process's session (region/keep.h): of all that it starts, or of its child alone. */
void session_name(char name[40], bool main_only);

/* Changes the control word of a live region by compare-and-swap. */
enum region_control { REGION_PAUSE, REGION_RESUME, REGION_CLEAR, REGION_RESET_PEAK };
int region_control(const char *name, enum region_control what, struct error *error);

#endif
