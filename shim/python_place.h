/*
 * Places of stacks of both languages that a thread saw before: what it needs to count a block.
 *
 * A place is found under the hash of all that may differ: where the native stack begins, and what
 * tells apart those that begin alike (memo_known); its outer part (python_outer.h, whose slots were
 * compared); the words of all Python frames (python_frames.h: all were read); the domain; and what
 * would make a place void: a code object died (python.codes_gone), a library was unloaded
 * (module_generation). It counts if the slots of the inner part, which lie in the memo's ring, hold
 * what they held. Different stacks meet with the probability of 64-bit hashes, as in the table of
 * contexts.
 *
 * A native stack that cannot be remembered is walked each time. Its places have no slots: they
 * stand under the hash of its path (PLACE_WALKED).
 */
#ifndef TRACESNAP_SHIM_PYTHON_PLACE_H
#define TRACESNAP_SHIM_PYTHON_PLACE_H

#include "shim/memo.h"
#include "shim/python_outer.h"
#include "shim/python_stack.h"

#define PLACES_SHIFT 51
#define PLACES_SETS (1u << (64 - PLACES_SHIFT))
#define PLACES_WAYS 2u
#define PLACE_WALKED 1u

struct python_place {
    uint64_t key;
    uintptr_t sp; /* 0 = empty; stored last, and zeroed first: a longjmp may come in between */
    struct ts_cell *cell;
    struct ring_slots slots; /* of the inner part */
    struct class_hint hint;
    uint32_t context;
};

/* What a shard's thread needs where there is an interpreter; pages that only it touches. */
struct python_shard {
    struct python_place places[PLACES_SETS][PLACES_WAYS]; /* the first of a set: filed last */
    struct python_frames frames;
    /* From the usual way of an allocation to the slow one: */
    const struct python_place *found; /* NULL = it was not, but */
    bool hashed;                      /* the frames were */
    uint64_t frames_hash;
    struct python_outer outer;
    struct python_path path;
};

/*
 * known, outer: of the native part, what is known of how it begins, and its outer part's identity;
 * frames: of the Python part. All are hashes, of which the upper bits are the better ones; what
 * stands beside them is small.
 */
static inline uint64_t place_key(uint64_t known, uint64_t outer, uint64_t frames,
                                 enum ts_domain domain)
{
    uint64_t epoch =
        (uint64_t)ts_load_acquire(&python.codes_gone) << 32 | ts_load_acquire(&module_generation);
    return ((known + outer) ^ epoch) + frames + (uint64_t)domain;
}

static inline bool place_is(const struct python_place *place, const struct ring *ring, uint64_t key,
                            uintptr_t sp)
{
    return likely(place->key == key && place->sp == sp &&
                  !ring_is_void(ring, place->slots.position)) &&
           ring_same(ring, sp, place->slots);
}

static inline struct python_place *place_find(struct python_shard *shard, const struct ring *ring,
                                              uint64_t key, uintptr_t sp)
{
    struct python_place *set = shard->places[key >> PLACES_SHIFT];
    if (likely(place_is(&set[0], ring, key, sp)))
        return &set[0];
    return place_is(&set[1], ring, key, sp) ? &set[1] : NULL;
}

static inline struct python_place *place_find_walked(struct python_shard *shard, uint64_t key)
{
    struct python_place *set = shard->places[key >> PLACES_SHIFT];
    for (uint32_t way = 0; way < PLACES_WAYS; way++)
        if (set[way].key == key && set[way].sp == PLACE_WALKED)
            return &set[way];
    return NULL;
}

static inline void place_set(struct python_place *place, const struct python_place *to)
{
    place->sp = 0;
    __asm__ volatile("" ::: "memory");
    place->key = to->key;
    place->slots = to->slots;
    place->cell = to->cell;
    place->hint = to->hint;
    place->context = to->context;
    __asm__ volatile("" ::: "memory");
    place->sp = to->sp;
}

/* In place of the one that was filed longest ago. */
static inline void place_file(struct python_shard *shard, const struct python_place *new)
{
    struct python_place *set = shard->places[new->key >> PLACES_SHIFT];
    place_set(&set[1], &set[0]);
    place_set(&set[0], new);
}

#endif
