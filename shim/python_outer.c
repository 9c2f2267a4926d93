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
    ring_forget(&outer->ring);
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
        outer->row[i] = (struct outer_slot){(uintptr_t)&always, always};
    for (uint32_t i = built + 1; i < frames->count; i++) {
        struct outer_slot *first = outer->row + OUTER_BEFORE, *slot = first + outer->at[i - 1];
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
    const struct outer_slot *first = outer->row + OUTER_BEFORE;
    outer->anchor = anchor;
    outer->loop = loop;
    outer->identity = loop > 0 ? identity_of(frames, loop) : OUTER_NOTHING;
    /* What the function itself saved is of the inner part. */
    outer->end = loop > 0 ? first + outer->at[loop - 1] + 1 : first;
}

/* What a longjmp leaves half done is void. */
static void entry_set(struct outer_entry *entry, struct outer_entry to)
{
    entry->slots.position = 0;
    __asm__ volatile("" ::: "memory");
    entry->anchor = to.anchor;
    entry->identity = to.identity;
    entry->slots.count = to.slots.count;
    __asm__ volatile("" ::: "memory");
    entry->slots.position = to.slots.position;
}

/* The part that is found last stands first. */
static void put_first(struct outer_entry *set, uint32_t way, struct outer_entry entry)
{
    for (uint32_t to = way; to > 0; to--)
        entry_set(&set[to], set[to - 1]);
    entry_set(&set[0], entry);
}

static bool is_kept(struct python_outer *outer)
{
    const struct outer_entry *set = outer_set(outer, outer->anchor);
    for (uint32_t way = 0; way < OUTER_WAYS; way++)
        if (set[way].anchor == outer->anchor && set[way].identity == outer->identity &&
            !ring_is_void(&outer->ring, set[way].slots.position))
            return true;
    return false;
}

/* Keeps the present part in the ring, in place of the one of its set that was found longest ago. */
static void keep(struct python_outer *outer)
{
    const struct outer_slot *first = outer->row + OUTER_BEFORE;
    struct ring_slots slots = ring_take(&outer->ring, (uint32_t)(outer->end - first));
    uint64_t at = slots.position;
    uintptr_t base = outer->anchor - RING_BELOW;
    for (const struct outer_slot *slot = outer->end; slot > first; at++, slot--)
        ring_write(&outer->ring, at, slot[-1].address - base, slot[-1].value);
    ring_fill(&outer->ring, slots, at);
    put_first(outer_set(outer, outer->anchor), OUTER_WAYS - 1,
              (struct outer_entry){outer->anchor, outer->identity, slots});
}

/*
 * Whether the present part goes to the ring, which has distances of 32 bits: the outermost slot is
 * the furthest. Also one without frames: an anchor that no frame of a whole stack holds lies
 * elsewhere (the thread state's own CFrame, while no Python frame runs) and will not come to lie in
 * one.
 */
static bool is_worth_keeping(const struct python_outer *outer)
{
    const struct outer_slot *first = outer->row + OUTER_BEFORE;
    bool fits = outer->end == first || first->address - outer->anchor < UINT32_MAX - RING_BELOW;
    return fits && outer->end - first <= (ptrdiff_t)OUTER_SLOTS_MAX;
}

void outer_take(struct python_outer *outer, const struct walk_frames *frames, uintptr_t anchor,
                uintptr_t stop)
{
    if (!frames->reusable) {
        outer->built = 0;
        outer->end = NULL;
        return;
    }
    build(outer, frames);
    set(outer, frames, anchor,
        anchor != 0 && stop == 0 ? find(frames, frames->count - 1, anchor) : 0);
    if (stop != 0) {
        outer->identity = ts_hash_step(OUTER_NOTHING, stop);
        outer->built = 0;
    }
    if (is_worth_keeping(outer) && !is_kept(outer))
        keep(outer);
}

/* In the row of the last walk. */
static bool move(struct python_outer *outer, const struct walk_frames *frames, uintptr_t anchor)
{
    uint32_t loop = outer->built > 0 && anchor != 0 ? find(frames, outer->loop, anchor) : 0;
    if (anchor != 0 && loop == 0)
        return false;
    set(outer, frames, anchor, loop);
    return true;
}

static bool same(const struct python_outer *outer)
{
    const struct outer_slot *first = outer->row + OUTER_BEFORE, *slot = outer->end;
    for (; slot > first; slot -= RING_AT_ONCE)
        if (stack_word(slot[-1].address) != slot[-1].value ||
            stack_word(slot[-2].address) != slot[-2].value ||
            stack_word(slot[-3].address) != slot[-3].value ||
            stack_word(slot[-4].address) != slot[-4].value)
            return false;
    return true;
}

bool outer_look(struct python_outer *outer, const struct walk_frames *frames, uintptr_t anchor,
                uint64_t *identity)
{
    struct outer_entry *set = outer_set(outer, anchor);
    for (uint32_t way = 1; way < OUTER_WAYS; way++)
        if (outer_is(outer, &set[way], anchor)) {
            *identity = set[way].identity;
            put_first(set, way, set[way]);
            return true;
        }
    if (outer->end == NULL || (outer->anchor != anchor && !move(outer, frames, anchor)) ||
        !same(outer))
        return false;
    *identity = outer->identity;
    if (is_worth_keeping(outer))
        keep(outer);
    return true;
}
