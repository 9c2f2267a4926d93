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
    memo->head += MEMO_RING + 1;
    if (memo->any_apart)
        __builtin_memset(memo->apart, 0, sizeof memo->apart);
    memo->any_apart = false;
}

/*
 * Another stack of the set, which begins like this one, is in its way: lets a word decide that
 * differs, if that is so again and again.
 */
static void tell_apart(struct memo *memo, uint64_t known, const struct memo_entry *other,
                       uint32_t how_bad)
{
    if ((memo->crowded[memo_set(known)] += how_bad) < CROWDED_MAX)
        return;
    memo->crowded[memo_set(known)] = 0;
    for (uint32_t i = 0; i < other->count; i++) {
        uint64_t at = (other->position + i) % MEMO_RING;
        if (stack_word(other->sp - MEMO_BELOW + memo->distance[at]) != memo->value[at]) {
            if (MEMO_WORD_DISTANCE(MEMO_WORD(0, memo->distance[at])) != memo->distance[at])
                return; /* too far */
            memo->any_apart = true;
            memo->apart[known >> MEMO_PLACES_SHIFT] = MEMO_WORD(other->sp, memo->distance[at]);
            return;
        }
    }
}

struct memo_entry *memo_find(struct memo *memo, const struct walk_start *start, uintptr_t stop)
{
    uint32_t generation = ts_load_acquire(&module_generation);
    uint64_t known = memo_known(memo, start, stop);
    uint32_t set = memo_set(known), last = memo->newest[set];
    for (uint32_t i = 0; i < MEMO_WAYS; i++) {
        uint32_t way = (last + i) % MEMO_WAYS;
        struct memo_entry *entry = &memo->entries[set][way], *other = &memo->entries[set][last];
        if (memo_is(memo, entry, start, generation)) {
            if (i > 0 && memo_begins(other, start) && !memo_is_void(memo, other->position))
                tell_apart(memo, known, other, TOOK_TURNS);
            memo->newest[set] = (uint8_t)way;
            return entry;
        }
    }
    return NULL;
}

/* Whether the slot's address is one that an entry can hold. */
static bool fits(uintptr_t slot, uintptr_t sp)
{
    return slot - sp <= UINT32_MAX - MEMO_BELOW;
}

#define TOO_MANY UINT32_MAX

/* Whether the stack is the same only if the hook's caller has the same bp. */
static uint32_t bp_needed(const struct walk_frames *frames)
{
    return frames->state[frames->count - 1].bp_slot & WALK_BP_NEEDED;
}

/* How many slots the stack has; TOO_MANY when it cannot be remembered. */
static uint32_t count_slots(const struct walk_frames *frames, uintptr_t sp)
{
    uint32_t count = bp_needed(frames);
    for (uint32_t i = frames->count - 1; i > 0; i--) {
        uintptr_t slot = frames->state[i].bp_slot & ~(uintptr_t)WALK_BP_NEEDED;
        if (!fits(frames->state[i - 1].sp - 8, sp) || (slot != 0 && !fits(slot, sp)))
            return TOO_MANY;
        count += slot != 0 ? 2 : 1;
    }
    return count <= MEMO_SLOTS_MAX ? count : TOO_MANY;
}

/* Takes room for count words in one piece; what lay there is void from now on. */
static uint64_t take_room(struct memo *memo, uint32_t count)
{
    uint64_t position = memo->head;
    if (position % MEMO_RING + count > MEMO_RING)
        position += MEMO_RING - position % MEMO_RING;
    memo->head = position + count;
    __asm__ volatile("" ::: "memory");
    return position;
}

static void write_slot(struct memo *memo, uint64_t at, uintptr_t distance, uint64_t value)
{
    memo->distance[at % MEMO_RING] = (uint32_t)distance;
    memo->value[at % MEMO_RING] = value;
}

/* Innermost first: that is where stacks of one beginning differ. Filled up to a multiple of 4. */
static void write_slots(struct memo *memo, uint64_t position, uint32_t count,
                        const struct walk_frames *frames, const struct walk_start *start)
{
    const struct walk_state *state = frames->state;
    uintptr_t base = start->sp - MEMO_BELOW;
    uint64_t at = position;
    if (bp_needed(frames))
        write_slot(memo, at++, MEMO_BP, start->bp);
    for (uint32_t i = frames->count - 1; i > 0; i--) {
        uintptr_t slot = state[i].bp_slot & ~(uintptr_t)WALK_BP_NEEDED;
        write_slot(memo, at++, state[i - 1].sp - 8 - base, state[i - 1].pc);
        if (slot != 0)
            write_slot(memo, at++, slot - base, state[i - 1].bp);
    }
    for (; at < position + count; at++)
        write_slot(memo, at, memo->distance[position % MEMO_RING],
                   memo->value[position % MEMO_RING]);
    write_slot(memo, at, 0, frames->path[frames->count - 1].prefix);
}

/* The way of the set to give up: a void one, else the one longest not found. */
static uint32_t way_for(struct memo *memo, uint64_t known, const struct walk_start *start)
{
    uint32_t set = memo_set(known);
    uint32_t newest = memo->newest[set], alike = 0;
    for (uint32_t way = 0; way < MEMO_WAYS; way++) {
        const struct memo_entry *entry = &memo->entries[set][way];
        if (memo_is_void(memo, entry->position))
            return way;
        alike += memo_begins(entry, start);
    }
    if (alike == MEMO_WAYS)
        tell_apart(memo, known, &memo->entries[set][newest], WAS_FULL);
    return (newest + MEMO_WAYS - 1) % MEMO_WAYS;
}

struct memo_entry *memo_prepare(struct memo *memo, const struct walk_start *start,
                                const struct walk_frames *frames, uintptr_t stop,
                                uint64_t *position)
{
    uint32_t slots = count_slots(frames, start->sp), count = (slots + 3) & ~3u;
    if (!frames->reusable || slots == TOO_MANY)
        return NULL;
    uint64_t known = memo_known(memo, start, stop);
    uint32_t set = memo_set(known);
    uint32_t way = way_for(memo, known, start);
    struct memo_entry *entry = &memo->entries[set][way];
    entry->position = 0;
    *position = take_room(memo, count + 1);
    write_slots(memo, *position, count, frames, start);
    *entry = (struct memo_entry){
        .pc = start->pc, .sp = start->sp, .count = count, .generation = frames->generation};
    memo->newest[set] = (uint8_t)way;
    return entry;
}
