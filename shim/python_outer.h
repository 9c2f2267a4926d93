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
 * Where they are kept: those of the last walk in a row, outermost first; a part is a piece of them
 * from the beginning on, so that a stack which only became shorter needs no walk. Parts of walks
 * before lie in a ring: programs go to and fro between a few.
 */
#ifndef TRACESNAP_SHIM_PYTHON_OUTER_H
#define TRACESNAP_SHIM_PYTHON_OUTER_H

#include "shim/memo.h"

#define OUTER_BEFORE (RING_AT_ONCE - 1u) /* slots that are always the same, before the first */
#define OUTER_NOTHING 0                  /* the identity of a part without frames */

#define OUTER_SETS_SHIFT 58
#define OUTER_SETS (1u << (64 - OUTER_SETS_SHIFT))
#define OUTER_WAYS 4u
#define OUTER_SLOTS_MAX 512u /* of a part in the ring: deeper ones would drive each other out */

struct outer_slot {
    uintptr_t address;
    uint64_t value;
};

/* A part in the ring; the slots' distances are from the anchor. */
struct outer_entry {
    uintptr_t anchor;
    uint64_t identity;
    struct ring_slots slots; /* the position is stored last */
};

struct python_outer {
    uintptr_t anchor;             /* what was asked for last; 0 = nothing was */
    uint64_t identity;            /* of the part that ends there */
    const struct outer_slot *end; /* of its slots in the row; NULL = there is no part */
    uint32_t loop;  /* of walk_frames: the function's frame; the part is what is further out. 0 =
                       there is nothing further out, or all counts as inner */
    uint32_t built; /* the slots of frames 1 to built are in the row */
    uint16_t at[TS_DEPTH_MAX + 2]; /* how many slots frames 1 to i have */
    struct outer_slot row[OUTER_BEFORE + 2 * TS_DEPTH_MAX];
    struct outer_entry entries[OUTER_SETS][OUTER_WAYS]; /* the first of a set: found last */
    struct ring ring;
};

/* Nothing is known: another thread has the shard. */
void outer_forget(struct python_outer *outer);

/* After a walk: takes its slots over, and looks for the frame that holds the anchor. stop: of a
 * walk that ended there (walk_frames). */
void outer_take(struct python_outer *outer, const struct walk_frames *frames, uintptr_t anchor,
                uintptr_t stop);

/* Looks in the row, and for other parts with the anchor. */
bool outer_look(struct python_outer *outer, const struct walk_frames *frames, uintptr_t anchor,
                uint64_t *identity);

static inline struct outer_entry *outer_set(struct python_outer *outer, uintptr_t anchor)
{
    return outer->entries[anchor * UINT64_C(0x9e3779b97f4a7c15) >> OUTER_SETS_SHIFT];
}

static inline __attribute__((always_inline)) bool
outer_is(const struct python_outer *outer, const struct outer_entry *entry, uintptr_t anchor)
{
    return entry->anchor == anchor && !ring_is_void(&outer->ring, entry->slots.position) &&
           ring_same(&outer->ring, anchor, entry->slots);
}

/* Whether the part that ends at the anchor is one that is remembered; *identity says which. */
static inline __attribute__((always_inline)) bool outer_known(struct python_outer *outer,
                                                              const struct walk_frames *frames,
                                                              uintptr_t anchor, uint64_t *identity)
{
    const struct outer_entry *entry = outer_set(outer, anchor);
    *identity = entry->identity;
    return __builtin_expect(outer_is(outer, entry, anchor), 1) ||
           outer_look(outer, frames, anchor, identity);
}

#endif
