/*
 * What each thread carries: small, in initial-exec TLS (no allocation, no lock, reachable in any
 * context).
 */
#ifndef TRACESNAP_SHIM_THREAD_H
#define TRACESNAP_SHIM_THREAD_H

#include "region/layout.h"

#include <stdbool.h>
#include <stddef.h>

#define likely(x) __builtin_expect(!!(x), 1)

struct shard;

/* Frees that a signal handler made while its thread was inside the shim: counted when that is left.
 */
#define THREAD_DEFERRED_MAX 16

enum thread_busy {
    THREAD_FREE = 0,
    THREAD_IN_NEXT = 1, /* inside the next allocator, or loading our libraries: nested calls are not
                           the program's */
    THREAD_IN_SHIM = 2  /* inside our own bookkeeping: nested calls come from signal handlers */
};

struct thread {
    uint32_t busy; /* enum thread_busy */
    uint32_t deferred_count;
    /* Frame and return address of the hook that set busy; frame 0: busy was set by ourselves. */
    uintptr_t busy_frame, busy_return;
    struct shard *shard;  /* NULL = none yet, or given back */
    struct shard *former; /* the one that it had, after its end */
    bool ended;           /* the thread's destructors run: borrow a shard for each operation */

    uint32_t closing; /* dlcloses that this thread is inside of */

    const void *last; /* the block allocated last, for temporary_count */

    /* Sampling (sample.h): bytes to its next point, 0 = to be drawn; those when `last` was recorded
     * or a C++ operator began; the state of its random numbers, 0 = none yet. */
    uint64_t sample_left, sample_mark, sample_random;
    bool nested; /* a hook was called by the next allocator: asked once, by process.c */

    /* The thread's part of the process's live total that the total does not hold yet (live.h). */
    uint32_t live_reset; /* generation and resets of the control word that it belongs to */
    uint64_t control; /* one that live_reset is of, without the pause bit: the last one noticed */
    int64_t live_size, live_count;
    int64_t live_upper, live_lower;

    /* The part of its own stack that was seen to be readable (stack.h). */
    uintptr_t stack_low, stack_high;
    uintptr_t stack_end;     /* below this it is not its own; 0 = no such bound */
    uintptr_t stack_foreign; /* sp / 64 KiB of a stack found not to be its own */

    /* The Python thread state that was this thread's when it last held the interpreter's lock (0 =
     * none), and of python.states_gone then. */
    uintptr_t python_state;
    uint32_t python_gone;
    int32_t python_frees; /* until it tells the region of the collector again */
    uint32_t domain;      /* enum ts_domain, of the block that is being recorded in a slow way */

    uintptr_t born; /* the block of `last`, once an object in it was born (python_births.c) */

    const void *freeing; /* what it is giving back to a Python allocator, and that to malloc's */

    struct {
        uint64_t size;
        uint32_t context;
        uint32_t generation;
    } deferred[THREAD_DEFERRED_MAX];
};

extern __thread struct thread thread_self __attribute__((tls_model("initial-exec")));

#endif
