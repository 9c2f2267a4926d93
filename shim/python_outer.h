/*
 * The outer part of a native stack in a process with a Python interpreter: the frames further out
 * than the C function that runs the newest Python frame. All stacks that begin within that function
 * have it in common, so it is remembered and compared apart from the inner part (python_place.h).
 *
 * Why equal slots mean equal frames. Let c be the end of that function's frame: the sp that its
 * caller has back. What a walk finds further out depends on the return address at c - 8, on sp = c
 * and, if some frame needs it, on bp; from there on the induction of walk.h holds: all slots that
 * such a walk reads hold what they held, so it comes to the same frames. The `identity` is a hash
 * of their path, of c, of that bp and of the modules' generation. A place belongs to one identity,
 * and its own slots show that a walk from the hook arrives at the same c with the same bp.
 *
 * That the function is the one that runs the newest Python frame is of no consequence for this: its
 * address (the anchor, python_loop_of) is only how the part is found again. So no more is asked of
 * the anchor than that it lies between the two ends of a frame.
 *
 * What may be read: the slots lie in the calling thread's own stack, as in memo.h.
 *
 * The slots are those of the last walk, outermost first; a part is a piece of them from the
 * beginning on, so that a stack which only became shorter needs no walk.
 */
#ifndef TRACESNAP_SHIM_PYTHON_OUTER_H
#define TRACESNAP_SHIM_PYTHON_OUTER_H

#include "shim/stack.h"
#include "shim/walk.h"

#define OUTER_AT_ONCE 4u                   /* slots that are compared between two looks */
#define OUTER_BEFORE (OUTER_AT_ONCE - 1u)  /* slots that are always the same, before the first */
#define OUTER_NOTHING 0                    /* the identity of a part without frames */

struct outer_slot {
    uintptr_t address;
    uint64_t value;
};

struct python_outer {
    uintptr_t anchor;             /* what was asked for last; 0 = nothing was */
    uint64_t identity;            /* of the part that ends there */
    const struct outer_slot *end; /* of its slots; NULL = there is no part */
    uint32_t loop;  /* of walk_frames: the function's frame; the part is what is further out. 0 =
                       there is nothing further out, or all counts as inner */
    uint32_t built; /* the slots of frames 1 to built are here */
    uint16_t at[TS_DEPTH_MAX + 2]; /* how many slots frames 1 to i have */
    struct outer_slot slots[OUTER_BEFORE + 2 * TS_DEPTH_MAX];
};

/* Nothing is known: another thread has the shard. */
void outer_forget(struct python_outer *outer);

/* After a walk: takes its slots over, and looks for the frame that holds the anchor. stop: of a
 * walk that ended there (walk_frames). */
void outer_take(struct python_outer *outer, const struct walk_frames *frames, uintptr_t anchor,
                uintptr_t stop);

/* The anchor is another one than before: looks whether the last walk has a frame that holds it. */
bool outer_move(struct python_outer *outer, const struct walk_frames *frames, uintptr_t anchor);

/* Whether every slot of the part holds what it held. The loads do not wait for each other. */
static inline __attribute__((always_inline)) bool outer_same(const struct python_outer *outer)
{
    const struct outer_slot *first = outer->slots + OUTER_BEFORE, *slot = outer->end;
    for (; slot > first; slot -= OUTER_AT_ONCE)
        if (__builtin_expect(stack_word(slot[-1].address) != slot[-1].value ||
                                 stack_word(slot[-2].address) != slot[-2].value ||
                                 stack_word(slot[-3].address) != slot[-3].value ||
                                 stack_word(slot[-4].address) != slot[-4].value,
                             0))
            return false;
    return true;
}

/* Whether the part that ends at the anchor is the one that is remembered. */
static inline __attribute__((always_inline)) bool
outer_known(struct python_outer *outer, const struct walk_frames *frames, uintptr_t anchor)
{
    return (__builtin_expect(outer->anchor == anchor, 1) || outer_move(outer, frames, anchor)) &&
           outer->end != NULL && outer_same(outer);
}

#endif
