/*
 * The life of the traced process: when the shim starts, fork, exec and the end.
 */
#ifndef TRACESNAP_SHIM_PROCESS_H
#define TRACESNAP_SHIM_PROCESS_H

#include "region/atomic.h"
#include "shim/own.h"

#include <stdbool.h>

enum process_mode {
    PROCESS_NEW = 0,     /* nothing done yet, or just forked */
    PROCESS_TRACING = 1, /* the region is there: every allocation is recorded */
    PROCESS_OFF = 2,     /* no region: everything passes through */
    PROCESS_SAMPLING = 3 /* the region is there: some allocations are recorded (sample.h) */
};

/*
 * What a forked child must not take over. It lies in a page that the kernel empties in the child
 * (MADV_WIPEONFORK), so that one load tells a child from its parent, and so that no thread is
 * waited for that the child does not have. A vfork child shares the page, and rightly: it shares
 * the heap. All fields are written by any thread.
 */
struct process_page {
    uint32_t mode;      /* enum process_mode: what the hooks do; by release */
    uint32_t starting;  /* 1 while one thread starts; by compare-and-swap */
    uint32_t resolving; /* 1 while one thread looks for the next allocator; by compare-and-swap */
    uint32_t settled;   /* 1 = the thread that forked holds nothing of its parent's any more */
    uint32_t early;     /* drops that wait for a region of this process's own */
};

SHIM_OWN struct process_page *process_page;

static inline enum process_mode process_mode_now(void)
{
    return (enum process_mode)ts_load_relaxed(&process_page->mode);
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

/* Makes process_page a page that a forked child finds empty; before any of its words is used. */
void process_make_page(void);

/* Counts a drop of a process that has no region of its own yet: nobody else's may have it. */
void process_early(void);

/* Called by a child that had no region yet, after it took out a block that its parent had: says so
 * where another thread may have counted the block meanwhile. */
void process_took_inherited(void);

/* Traced or about to be, and not a vfork child, whose memory is its parent's. */
bool process_owns_memory(void);

/* Forked, and the index still describes the parent's blocks that the child has, too. */
bool process_is_fresh_child(void);

/* An environment variable; NULL when unset or when the program has more rights than its user
 * (AT_SECURE). */
const char *process_variable(const char *name);

#endif
