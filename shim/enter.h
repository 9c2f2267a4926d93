/*
 * Around the call of the next allocator: into the shim and out of it.
 *
 * thread->busy is set throughout. A call that comes while it is set is either the next allocator
 * calling itself by name (calloc -> malloc, reallocarray -> realloc), which is part of the outer
 * call, or a signal handler's, which is counted, or finds that a handler left the outer call by
 * longjmp.
 */
#ifndef TRACESNAP_SHIM_ENTER_H
#define TRACESNAP_SHIM_ENTER_H

#include "shim/next.h"
#include "shim/process.h"
#include "shim/record.h"
#include "shim/sample.h"

/* frame: of the hook that calls. True: go on as if nothing had been. */
bool enter_slowly(struct thread *thread, uintptr_t frame);

/*
 * A free that is not recorded in the exact way: sampled, nested, or before the process began. True:
 * it is none of these after all.
 */
bool forget_outside(struct thread *thread, const void *address, uintptr_t frame);

static inline __attribute__((always_inline)) void set_busy(struct thread *thread,
                                                           enum thread_busy busy)
{
    const uintptr_t *frame = __builtin_frame_address(0);
    thread->busy_frame = (uintptr_t)frame;
    thread->busy_return = frame[1];
    thread->busy = busy;
}

/*
 * True: go on, call the next allocator and record. False: ask enter_sampling; else call it and that
 * is all. mode: as the hook found it, which a hook may look at before.
 */
static inline __attribute__((always_inline)) bool enter_in(struct thread *thread,
                                                           enum process_mode mode)
{
    if (likely((mode == PROCESS_TRACING && thread->busy == THREAD_FREE) ||
               enter_slowly(thread, (uintptr_t)__builtin_frame_address(0)))) {
        set_busy(thread, THREAD_IN_NEXT);
        return true;
    }
    return false;
}

static inline __attribute__((always_inline)) bool enter(struct thread *thread)
{
    return enter_in(thread, process_mode_now());
}

/*
 * The same in calloc: whoever serves malloc serves that, too, so that malloc comes to us where it
 * does (next_comes_to_us).
 */
static inline __attribute__((always_inline)) bool enter_as_malloc(struct thread *thread)
{
    enum process_mode mode = process_mode_now();
    if (!likely(mode == PROCESS_TRACING))
        ts_store_relaxed(&next_reached, true);
    return enter_in(thread, mode);
}

/* After enter: true: go on, call the next allocator and leave by leave_sampling. */
static inline __attribute__((always_inline)) bool enter_sampling(struct thread *thread)
{
    if (thread->busy != THREAD_FREE || !process_is_sampling())
        return false;
    set_busy(thread, THREAD_IN_NEXT);
    return true;
}

static inline void leave(struct thread *thread)
{
    if (!likely(thread->deferred_count == 0))
        record_deferred(thread);
    __asm__ volatile(
        "" ::
            : "memory"); /* a signal handler must see the records before it sees us gone */
    thread->busy = THREAD_FREE;
}

static inline void *leave_with(struct thread *thread, void *block, size_t size,
                               struct walk_start start)
{
    thread->busy = THREAD_IN_SHIM;
    if (likely(block != NULL))
        record_allocation(thread, block, size, &start);
    leave(thread);
    return block;
}

/* The same after enter_sampling: only now is it known that there is a block to decide on. */
static inline void *leave_sampling(struct thread *thread, void *block, size_t size,
                                   struct walk_start start)
{
    thread->busy = THREAD_IN_SHIM;
    if (block == NULL)
        thread->sample_left = 0; /* a gap that was just found to end here must not stay so short */
    else if (!sample_passes(thread, size) && sample_decide(thread, size))
        record_sampled(thread, block, size, &start);
    leave(thread);
    return block;
}

static inline __attribute__((always_inline)) void forget_in(const void *address,
                                                            enum process_mode mode)
{
    struct thread *thread = &thread_self;
    if (!likely(mode == PROCESS_TRACING && thread->busy == THREAD_FREE) &&
        !forget_outside(thread, address, (uintptr_t)__builtin_frame_address(0)))
        return;
    set_busy(thread, THREAD_IN_SHIM);
    record_free(thread, address);
    leave(thread);
}

static inline __attribute__((always_inline)) void forget(const void *address)
{
    forget_in(address, process_mode_now());
}

#endif
