/*
 * The outer part of a native stack. See python_outer.h.
 */
#include "shim/python_outer.h"
#include "region/hash.h"

static const uint64_t always = 1;

void outer_forget(struct python_outer *outer)
{
    outer->anchor = 0;
    outer->end = NULL;
    outer->built = 0;
}

static struct outer_slot *add(struct outer_slot *slot, uintptr_t address, uint64_t value)
{
    *slot = (struct outer_slot){address, value};
    return slot + 1;
}

/* The slots of the frames from outer->built on: for each, where it returns to and, if that matters
 * further out, the bp that it saved. */
static void build(struct python_outer *outer, const struct walk_frames *frames)
{
    const struct walk_state *state = frames->state;
    uint32_t kept = frames->kept > 0 ? frames->kept - 1 : 0;
    uint32_t built = outer->built < kept ? outer->built : kept;
    outer->end = NULL;
    for (uint32_t i = 0; i < OUTER_BEFORE && built == 0; i++)
        outer->slots[i] = (struct outer_slot){(uintptr_t)&always, always};
    for (uint32_t i = built + 1; i < frames->count; i++) {
        struct outer_slot *first = outer->slots + OUTER_BEFORE, *slot = first + outer->at[i - 1];
        uintptr_t saved = state[i].bp_slot & ~(uintptr_t)WALK_BP_NEEDED;
        slot = add(slot, state[i - 1].sp - 8, state[i - 1].pc);
        if (saved != 0)
            slot = add(slot, saved, state[i - 1].bp);
        outer->at[i] = (uint16_t)(slot - first);
    }
    outer->built = frames->count - 1;
}

/* The frame whose part of the stack holds the anchor; 0 when none does. */
static uint32_t find(const struct walk_frames *frames, uint32_t near, uintptr_t anchor)
{
    const struct walk_state *state = frames->state;
    uint32_t i = near < frames->count ? near : frames->count - 1;
    while (i > 0 && state[i - 1].sp <= anchor)
        i--;
    while (i + 1 < frames->count && state[i].sp > anchor)
        i++;
    return state[i].sp <= anchor ? i : 0;
}

static uint64_t identity_of(const struct walk_frames *frames, uint32_t loop)
{
    const struct walk_state *caller = &frames->state[loop - 1];
    uint64_t hash = ts_hash_step(frames->path[loop - 1].prefix, caller->sp);
    hash = ts_hash_step(hash, frames->generation);
    return caller->bp_slot & WALK_BP_NEEDED ? ts_hash_step(hash, caller->bp) : hash;
}

static void set(struct python_outer *outer, const struct walk_frames *frames, uintptr_t anchor,
                uint32_t loop)
{
    const struct outer_slot *first = outer->slots + OUTER_BEFORE;
    outer->anchor = anchor;
    outer->loop = loop;
    outer->identity = loop > 0 ? identity_of(frames, loop) : OUTER_NOTHING;
    /* What the function itself saved is of the inner part. */
    outer->end = loop > 0 ? first + outer->at[loop - 1] + 1 : first;
}

void outer_take(struct python_outer *outer, const struct walk_frames *frames, uintptr_t anchor,
                uintptr_t stop)
{
    if (!frames->reusable) {
        outer_forget(outer);
        return;
    }
    build(outer, frames);
    set(outer, frames, anchor,
        anchor != 0 && stop == 0 ? find(frames, frames->count - 1, anchor) : 0);
    if (stop != 0)
        outer->identity = ts_hash_step(OUTER_NOTHING, stop);
}

bool outer_move(struct python_outer *outer, const struct walk_frames *frames, uintptr_t anchor)
{
    uint32_t loop = outer->built > 0 && anchor != 0 ? find(frames, outer->loop, anchor) : 0;
    if (anchor != 0 && loop == 0)
        return false;
    set(outer, frames, anchor, loop);
    return true;
}
