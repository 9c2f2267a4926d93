/*
 * Slots of stacks: where a walk read, as distances, and what was there. They lie in a ring, of which
 * the oldest are overwritten; a thread's own.
 *
 * What a longjmp out of a signal handler leaves half written is void: the ring's head is moved
 * before slots are written, and who owns them stores their position last.
 */
#ifndef TRACESNAP_SHIM_RING_H
#define TRACESNAP_SHIM_RING_H

#include "shim/stack.h"

#define RING_SLOTS 16384u
#define RING_AT_ONCE 4u /* slots that are compared between two looks */

/*
 * Distances are from so many bytes below an address, so that none is 0. Of a hook's sp: the hook
 * keeps a frame pointer, and at sp - 16 lies its caller's rbp (walk_caller).
 */
#define RING_BELOW 24
#define RING_BP (RING_BELOW - 16)

struct ring {
    uint64_t head; /* slots ever written, passed-over ones included */
    uint32_t distance[RING_SLOTS];
    uint64_t value[RING_SLOTS];
};

struct ring_slots {
    uint64_t position; /* of the first in all that were ever written; 0 = void */
    uint32_t count;    /* a multiple of RING_AT_ONCE */
};

/* Makes all slots void; also before the first use. */
static inline void ring_forget(struct ring *ring)
{
    ring->head += RING_SLOTS + 1;
}

/* Takes room for count slots in one piece, rounded up; what lay there is void from now on. */
static inline struct ring_slots ring_take(struct ring *ring, uint32_t count)
{
    struct ring_slots slots = {ring->head, (count + RING_AT_ONCE - 1) & ~(RING_AT_ONCE - 1)};
    if (slots.position % RING_SLOTS + slots.count > RING_SLOTS)
        slots.position += RING_SLOTS - slots.position % RING_SLOTS;
    ring->head = slots.position + slots.count;
    __asm__ volatile("" ::: "memory");
    return slots;
}

static inline void ring_write(struct ring *ring, uint64_t at, uintptr_t distance, uint64_t value)
{
    ring->distance[at % RING_SLOTS] = (uint32_t)distance;
    ring->value[at % RING_SLOTS] = value;
}

/* Those from `at` on are the first one again. */
static inline void ring_fill(struct ring *ring, struct ring_slots slots, uint64_t at)
{
    uint64_t first = slots.position % RING_SLOTS;
    for (; at < slots.position + slots.count; at++)
        ring_write(ring, at, ring->distance[first], ring->value[first]);
}

/* Whether the ring still holds what was written at position. */
static inline bool ring_is_void(const struct ring *ring, uint64_t position)
{
    return position + RING_SLOTS < ring->head;
}

/* Whether every slot holds what it held; from: what the distances are from. The loads do not wait
 * for each other. */
static inline __attribute__((always_inline)) bool ring_same(const struct ring *ring, uintptr_t from,
                                                            struct ring_slots slots)
{
    const uint32_t *distance = &ring->distance[slots.position % RING_SLOTS];
    const uint64_t *value = &ring->value[slots.position % RING_SLOTS];
    const uint32_t *end = distance + slots.count;
    uintptr_t base = from - RING_BELOW;
    for (; distance != end; distance += RING_AT_ONCE, value += RING_AT_ONCE)
        if (__builtin_expect(stack_word(base + distance[0]) != value[0] ||
                                 stack_word(base + distance[1]) != value[1] ||
                                 stack_word(base + distance[2]) != value[2] ||
                                 stack_word(base + distance[3]) != value[3],
                             0))
            return false;
    return true;
}

#endif
