/*
 * The process's live total, its peak and its timeline.
 *
 * Each thread keeps its own change until that may matter: it is added to the shared total when it
 * could carry the total past the threshold of the next peak, or when it exceeds a thousandth of the
 * peak. With one thread the threshold is therefore seen exactly; with several, the total that is
 * compared is off by at most a thousandth in all.
 *
 * Passing the threshold steps the epoch in the control word. That alone makes the live values of
 * this instant the peak for all cells (region/layout.h), at no cost but the first touch of each
 * cell afterwards. Up to 1 MiB every new maximum is a peak; above, the next threshold is 1/4096
 * higher, so that with one thread the recorded peak is less than 0.03 % below the true one, with
 * several less than 1 %. A reader that finds more live than at the recorded peak takes the present.
 */
#ifndef TRACESNAP_SHIM_LIVE_H
#define TRACESNAP_SHIM_LIVE_H

#include "shim/thread.h"

/* What `clear` and `reset-peak` change in the control word: generation and resets. */
#define LIVE_RESET_SHIFT 40
#define LIVE_RESET_PART(word) ((uint32_t)((word) >> LIVE_RESET_SHIFT) & 0x7fffffu)

/* Gives a thread's change to the total; steps the epoch at a new peak; adds to the timeline. */
void live_flush(struct thread *thread);

/* The thread sees for the first time that `clear` or `reset-peak` came: before its next change is
 * added. */
void live_noticed(struct thread *thread, uint64_t control);

/* In a forked child: the total is set anew from the blocks that it has. */
void live_forked(struct thread *thread, uint64_t size, uint64_t count);

/* (live, peak) in bytes, as the API shows them: right within the threads' unflushed changes. */
void live_get(uint64_t *size, uint64_t *peak);

/* Changes the thread's part of the total, which belongs to the present control word. */
static inline void live_change(struct thread *thread, int64_t size, int64_t count)
{
    thread->live_size += size;
    thread->live_count += count;
    if (__builtin_expect(
            thread->live_size > thread->live_upper || thread->live_size < thread->live_lower, 0))
        live_flush(thread);
}

/* To be called after the cell was written: the epoch's cut must have it. */
static inline void live_add(struct thread *thread, uint64_t control, int64_t size, int64_t count)
{
    if (__builtin_expect(thread->live_reset != LIVE_RESET_PART(control), 0))
        live_noticed(thread, control);
    thread->control = control & ~TS_CONTROL_PAUSED;
    live_change(thread, size, count);
}

#endif
