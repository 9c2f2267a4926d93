/*
 * The region's file: which directory, which name, and what is written in it about the process.
 */
#ifndef TRACESNAP_SHIM_REGION_FILE_H
#define TRACESNAP_SHIM_REGION_FILE_H

#include "region/layout.h"

#include <stdbool.h>

struct region_file {
    int fd;            /* open between create and close only */
    uint64_t size;     /* bytes that may be mapped; the file is sparse */
    uint32_t sequence; /* in its name */
    bool forked;
    bool locked; /* by the open file, hence by its mapping (region/keep.h) */
    uint64_t start_ticks;
    uint64_t device, inode; /* what must be behind the path when it is opened again */
    uint32_t directory;     /* length of the directory in path */
    char path[4352];
};

/*
 * Creates the file, empty and of full size; forked: beside the parent's, whatever the environment
 * says by now. A predecessor in the same process (before exec) is marked as replaced, or removed
 * when it was a forked child that only went on to exec. false: said if verbose.
 */
bool region_file_create(struct region_file *file, bool forked);

/* When the file system is full: removes what nobody uses beside the file. True: something went. */
bool region_file_make_space(struct region_file *file);

/* Backs bytes [from, to) of the file by opening it again (old kernels). */
bool region_file_allocate(const struct region_file *file, uint64_t from, uint64_t to);

void region_file_close(struct region_file *file);

/* Closes and removes the file after a failure, and says why if verbose. */
void region_file_abandon(struct region_file *file, const char *cause, const char *fix);

/* Fills what is known of the process. */
void region_file_describe(const struct region_file *file, struct ts_process *process);

/* Whether a process that this one descends from has a region here. */
bool region_file_ancestor_is_traced(void);

/* Wall clock in ns since 1970. */
uint64_t region_file_now(void);

#endif
