/*
 * Capturing a call stack: from the caller of a hook outward to the root, as frame keys.
 */
#ifndef TRACESNAP_SHIM_WALK_H
#define TRACESNAP_SHIM_WALK_H

#include "shim/thread.h"

/* The state of the machine in the hook's caller, right after the call returned. */
struct walk_start {
    uintptr_t pc, sp, bp;
};

/* For the hook itself, which must keep a frame pointer: rbp and the return address lie where the ABI says. */
static inline __attribute__((always_inline)) struct walk_start walk_caller(void)
{
    const uintptr_t *frame = __builtin_frame_address(0);
    return (struct walk_start){frame[1], (uintptr_t)(frame + 2), frame[0]};
}

/* Where a capture puts its frames, innermost first. Lies in the shard, not on the program's stack. */
struct walk_frames {
    uint32_t count;
    uint32_t checked; /* frames from the innermost on that were not guessed */
    bool complete;    /* the root was reached */
    bool by_libunwind;
    uint64_t keys[TS_DEPTH_MAX + 1]; /* one more for the mark of a cut */
    uintptr_t pcs[TS_DEPTH_MAX + 1];
};

/* Fills frames; counts what went wrong. Async-signal-safe, no locks, reads nothing but stack and unwind tables. */
void walk_stack(struct thread *thread, const struct walk_start *start, struct walk_frames *frames);

#endif
