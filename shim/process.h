/*
 * The life of the traced process: when the shim starts, fork, exec and the end.
 */
#ifndef TRACESNAP_SHIM_PROCESS_H
#define TRACESNAP_SHIM_PROCESS_H

#include "region/atomic.h"

#include <stdbool.h>

/*
 * What the hooks do. Lives in a page that the kernel empties in a forked child (MADV_WIPEONFORK),
 * so that one load tells a child from its parent. A vfork child shares the page, and rightly: it
 * shares the heap.
 */
enum process_mode {
    PROCESS_NEW = 0,     /* nothing done yet, or just forked */
    PROCESS_TRACING = 1, /* the region is there: every allocation is recorded */
    PROCESS_OFF = 2,     /* no region: everything passes through */
    PROCESS_SAMPLING = 3 /* the region is there: some allocations are recorded (sample.h) */
};

extern uint32_t *process_mode;

static inline enum process_mode process_mode_now(void)
{
    return (enum process_mode)ts_load_relaxed(process_mode);
}

/* The region is there, whether all allocations are recorded or some. */
static inline bool process_is_tracing(void)
{
    return (process_mode_now() & PROCESS_TRACING) != 0;
}

static inline bool process_is_sampling(void)
{
    return process_mode_now() == PROCESS_SAMPLING;
}

/*
 * Called by a hook that allocates and finds the process not traced. True: it is now. A free is not
 * worth a region of its own to a forked child.
 */
bool process_begin(void);

/* Traced, and not a vfork child of the traced process. */
bool process_is_own(void);

/* Forked, and the index still describes the parent's blocks that the child has, too. */
bool process_is_fresh_child(void);

/* An environment variable; NULL when unset or when the program has more rights than its user
 * (AT_SECURE). */
const char *process_variable(const char *name);

#endif
