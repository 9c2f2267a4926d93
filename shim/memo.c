/*
 * Stacks seen before: making entries. See memo.h.
 */
#include "shim/memo.h"

/* How bad it is that two stacks were not told apart, and from where on a word is to do that. */
#define TOOK_TURNS 1
#define WAS_FULL 16
#define CROWDED_MAX 64

void memo_forget(struct memo *memo)
{
    ring_forget(&memo->ring);
    if (memo->any_apart)
        __builtin_memset(memo->apart, 0, sizeof memo->apart);
    memo->any_apart = false;
}

static void tell_apart(struct memo *memo, uint64_t known, uintptr_t sp,
                       const struct ring_slots *other, uint32_t how_bad)
{
    if ((memo->crowded[memo_set(known)] += how_bad) < CROWDED_MAX)
        return;
    memo->crowded[memo_set(known)] = 0;
    for (uint32_t i = 0; i < other->count; i++) {
        uint64_t at = (other->position + i) % RING_SLOTS;
        if (stack_word(sp - RING_BELOW + memo->ring.distance[at]) != memo->ring.value[at]) {
            if (MEMO_WORD_DISTANCE(MEMO_WORD(0, memo->ring.distance[at])) !=
                memo->ring.distance[at])
                return; /* too far */
            memo->any_apart = true;
            memo->apart[known >> MEMO_PLACES_SHIFT] = MEMO_WORD(sp, memo->ring.distance[at]);
            return;
        }
    }
}

struct memo_entry *memo_find(struct memo *memo, const struct walk_start *start)
{
    uint32_t generation = ts_load_acquire(&module_generation);
    uint64_t known = memo_known(memo, start);
    uint32_t set = memo_set(known), last = memo->newest[set];
    for (uint32_t i = 0; i < MEMO_WAYS; i++) {
        uint32_t way = (last + i) % MEMO_WAYS;
        struct memo_entry *entry = &memo->entries[set][way], *other = &memo->entries[set][last];
        if (memo_is(memo, entry, start, generation)) {
            if (i > 0 && memo_begins(other, start) &&
                !ring_is_void(&memo->ring, other->slots.position))
                tell_apart(memo, known, start->sp, &other->slots, TOOK_TURNS);
            memo->newest[set] = (uint8_t)way;
            return entry;
        }
    }
    return NULL;
}

/* Whether the slot's address is one that an entry can hold. */
static bool fits(uintptr_t slot, uintptr_t sp)
{
    return slot - sp <= UINT32_MAX - RING_BELOW;
}

#define TOO_MANY UINT32_MAX

/* Whether the stack is the same only if the hook's caller has the same bp. */
static uint32_t bp_needed(const struct walk_frames *frames)
{
    return frames->state[frames->count - 1].bp_slot & WALK_BP_NEEDED;
}

static uintptr_t saved_bp(const struct walk_state *state)
{
    return state->bp_slot & ~(uintptr_t)WALK_BP_NEEDED;
}

/* How many slots there are to write; TOO_MANY when the stack cannot be remembered. */
static uint32_t count_slots(const struct walk_frames *frames, uint32_t from, uintptr_t sp)
{
    uintptr_t last = from > 0 ? saved_bp(&frames->state[from]) : 0;
    uint32_t count = bp_needed(frames) + (last != 0);
    if (last != 0 && !fits(last, sp))
        return TOO_MANY;
    for (uint32_t i = frames->count - 1; i > from; i--) {
        uintptr_t slot = saved_bp(&frames->state[i]);
        if (!fits(frames->state[i - 1].sp - 8, sp) || (slot != 0 && !fits(slot, sp)))
            return TOO_MANY;
        count += slot != 0 ? 2 : 1;
    }
    return count <= MEMO_SLOTS_MAX ? count : TOO_MANY;
}

/* Innermost first: that is where stacks of one beginning differ. Filled up to a multiple of 4. */
static void write_slots(struct memo *memo, const struct ring_slots *slots,
                        const struct walk_frames *frames, uint32_t from,
                        const struct walk_start *start)
{
    const struct walk_state *state = frames->state;
    uintptr_t base = start->sp - RING_BELOW;
    uint64_t at = slots->position;
    if (bp_needed(frames))
        ring_write(&memo->ring, at++, RING_BP, start->bp);
    for (uint32_t i = frames->count - 1; i > from; i--) {
        ring_write(&memo->ring, at++, state[i - 1].sp - 8 - base, state[i - 1].pc);
        if (saved_bp(&state[i]) != 0)
            ring_write(&memo->ring, at++, saved_bp(&state[i]) - base, state[i - 1].bp);
    }
    if (from > 0 && saved_bp(&state[from]) != 0)
        ring_write(&memo->ring, at++, saved_bp(&state[from]) - base, state[from - 1].bp);
    ring_fill(&memo->ring, *slots, at);
}

static bool write(struct memo *memo, const struct walk_start *start,
                  const struct walk_frames *frames, uint32_t from, struct ring_slots *slots)
{
    uint32_t count = count_slots(frames, from, start->sp);
    if (!frames->reusable || count == TOO_MANY)
        return false;
    *slots = ring_take(&memo->ring, count);
    write_slots(memo, slots, frames, from, start);
    return true;
}

/* The way of the set to give up: a void one, else the one longest not found. */
static uint32_t way_for(struct memo *memo, uint64_t known, const struct walk_start *start)
{
    uint32_t set = memo_set(known);
    uint32_t newest = memo->newest[set], alike = 0;
    for (uint32_t way = 0; way < MEMO_WAYS; way++) {
        const struct memo_entry *entry = &memo->entries[set][way];
        if (ring_is_void(&memo->ring, entry->slots.position))
            return way;
        alike += memo_begins(entry, start);
    }
    if (alike == MEMO_WAYS)
        tell_apart(memo, known, start->sp, &memo->entries[set][newest].slots, WAS_FULL);
    return (newest + MEMO_WAYS - 1) % MEMO_WAYS;
}

/* A place for an entry, void; NULL when the stack cannot be remembered. */
static struct memo_entry *begin(struct memo *memo, const struct walk_start *start,
                                const struct walk_frames *frames, uint32_t from,
                                struct ring_slots *slots)
{
    if (!frames->reusable)
        return NULL;
    uint64_t known = memo_known(memo, start);
    uint32_t set = memo_set(known), way = way_for(memo, known, start);
    struct memo_entry *entry = &memo->entries[set][way];
    entry->slots.position = 0;
    if (!write(memo, start, frames, from, slots))
        return NULL;
    *entry = (struct memo_entry){.pc = start->pc,
                                 .sp = start->sp,
                                 .slots.count = slots->count,
                                 .generation = frames->generation};
    memo->newest[set] = (uint8_t)way;
    return entry;
}

static void publish(struct memo_entry *entry, const struct ring_slots *slots)
{
    __asm__ volatile("" ::: "memory");
    entry->slots.position = slots->position;
}

void memo_add(struct memo *memo, const struct walk_start *start, const struct walk_frames *frames,
              uint32_t context, struct ts_cell *cell)
{
    struct ring_slots slots;
    struct memo_entry *entry = begin(memo, start, frames, 0, &slots);
    if (entry == NULL)
        return;
    entry->context = context;
    entry->cell = cell;
    publish(entry, &slots);
}

/* Slots are shared only where as much was read: where nobody further out needs bp, none shows it. */
bool memo_slots_of(struct memo *memo, const struct walk_start *start,
                   const struct walk_frames *frames, uint32_t from, struct ring_slots *slots)
{
    const struct walk_state *caller = from > 0 ? &frames->state[from - 1] : NULL;
    uintptr_t end = caller != NULL ? caller->sp | (caller->bp_slot & WALK_BP_NEEDED) : 0;
    struct memo_entry *entry = memo_find(memo, start);
    if (entry != NULL && entry->context == 0 && entry->end == end) {
        *slots = entry->slots;
        return true;
    }
    if (entry != NULL)
        entry->slots.position = 0;
    entry = begin(memo, start, frames, from, slots);
    if (entry == NULL)
        return false;
    entry->end = end;
    publish(entry, slots);
    return true;
}
