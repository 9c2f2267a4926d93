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

/* For the hook itself, which must keep a frame pointer: rbp and the return address lie where the
 * ABI says. */
static inline __attribute__((always_inline)) struct walk_start walk_caller(void)
{
    const uintptr_t *frame = __builtin_frame_address(0);
    return (struct walk_start){frame[1], (uintptr_t)(frame + 2), frame[0]};
}

/* A frame as the walk saw it: the registers before it is left. */
struct walk_state {
    uintptr_t pc, sp, bp;
    uintptr_t bp_slot; /* see WALK_BP_NEEDED */
};

/*
 * In walk_state.bp_slot: bit 0 = some frame from this one outward computes its CFA from the bp that
 * this one has; the rest, if not 0 = where this frame saved the bp of the next one outward, which
 * needs it.
 */
#define WALK_BP_NEEDED 1u

struct walk_path {
    uint64_t key;    /* region/key.h */
    uint64_t prefix; /* hash of the path from the root to here */
    uint32_t node;   /* of the tree (contexts.c), where it was asked for; else 0 */
};

/*
 * The stack that a shard's thread captured last, outermost frame first, and the beginning of the
 * next capture. Lies in the shard, not on the program's stack.
 *
 * If it is `reusable`, a walk that comes to a state equal to state[j] (same pc, same sp, and same
 * bp if needed), may take over frames j to 0 once it has found in each of their slots what was
 * there: for each i from j to 1 the return address pc[i-1] at sp[i-1] - 8, and bp[i-1] in the slot
 * of the saved bp where it is needed. Then, by induction, a plain walk would come to the same
 * frames: a frame's rule depends on pc alone (and on the generation of modules, which is compared),
 * so it computes the same CFA from the same registers and reads the same values from the same
 * slots. Nothing else is taken over: not a frame of a signal, not a guessed or a realigned one, not
 * a stack that was cut, not one that is not the thread's own (its memory may be another's by now).
 * All slots that are read lie between the walk's sp and the upper end of the thread's own stack,
 * hence in mapped memory.
 */
struct walk_frames {
    uint32_t count;      /* of path and state; count - 1 is the innermost */
    uint32_t kept;       /* how many of the outermost were taken over from the stack before */
    uint32_t generation; /* of modules */
    uintptr_t stop;      /* the walk ends with the frame whose part of the stack holds this address;
                            0 = at the root */
    uintptr_t stopped;   /* of the last stack */
    bool reusable;
    bool complete;                           /* the root was reached */
    uint32_t checked;                        /* how many of the innermost frames were not guessed */
    struct walk_path path[TS_DEPTH_MAX + 1]; /* one more for the mark of a cut */
    struct walk_state state[TS_DEPTH_MAX + 1];
    uint64_t fresh_keys[TS_DEPTH_MAX + 1]; /* frames of the walk under way, innermost first */
    struct walk_state fresh[TS_DEPTH_MAX + 1];
};

/* Fills frames; counts what went wrong. Async-signal-safe, no locks, reads nothing but stack and
 * unwind tables. */
void walk_stack(struct thread *thread, const struct walk_start *start, struct walk_frames *frames);

#endif
