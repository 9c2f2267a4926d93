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

/* frame: of the hook that calls. True: go on as if nothing had been. */
bool enter_slowly(struct thread *thread, uintptr_t frame);

/*
 * Takes note of a free that is not to be followed by a record: nested, or before the process began.
 * True: it is neither after all.
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

/* True: go on, call the next allocator and record. False: call it and that is all. */
static inline __attribute__((always_inline)) bool enter(struct thread *thread)
{
    if (likely((thread->busy == THREAD_FREE && process_is_tracing()) ||
               enter_slowly(thread, (uintptr_t)__builtin_frame_address(0)))) {
        set_busy(thread, THREAD_IN_NEXT);
        return true;
    }
    return false;
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

static inline __attribute__((always_inline)) void forget(const void *address)
{
    struct thread *thread = &thread_self;
    if (!likely(thread->busy == THREAD_FREE && process_is_tracing()) &&
        !forget_outside(thread, address, (uintptr_t)__builtin_frame_address(0)))
        return;
    set_busy(thread, THREAD_IN_SHIM);
    record_free(thread, address);
    leave(thread);
}

#endif
