/*
 * Places of stacks of both languages that a thread saw before: what it needs to count a block,
 * under the hash of all that the stack consists of.
 *
 * The key covers the native path (memo.h: its slots were compared), the words of all Python frames
 * (python_frames.h: all were read), the domain, and python.codes_gone, so that what was filed
 * before a code object died is not found again. Different stacks meet with the probability of
 * 64-bit hashes, as in the table of contexts.
 */
#ifndef TRACESNAP_SHIM_PYTHON_PLACE_H
#define TRACESNAP_SHIM_PYTHON_PLACE_H

#include "shim/classes.h"
#include "shim/index_shadow.h"
#include "shim/python_stack.h"

#define PLACES_SHIFT 51
#define PLACES_SETS (1u << (64 - PLACES_SHIFT))
#define PLACES_WAYS 2u

struct python_place {
    uint64_t key; /* 0 = empty; stored last, and zeroed first: a longjmp may come in between */
    struct ts_cell *cell;
    uint32_t context;
    uint32_t reserved;
    struct class_hint hint;
};

/* What a shard's thread needs where there is an interpreter; pages that only it touches. */
struct python_shard {
    struct python_place places[PLACES_SETS][PLACES_WAYS]; /* the first of a set: found last */
    struct python_frames frames;
    struct python_path path;
};

/* Both paths are hashes already, and what stands beside them is small. */
static inline uint64_t place_key(uint64_t native, uint64_t frames, enum ts_domain domain)
{
    uint64_t beside = (uint64_t)ts_load_acquire(&python.codes_gone) << 2 | (uint64_t)domain;
    uint64_t key = (native ^ (frames << 23 | frames >> 41)) + beside * UINT64_C(0xd6e8feb86659fd93);
    return key * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

static inline struct python_place *place_find(struct python_shard *shard, uint64_t key)
{
    struct python_place *set = shard->places[key >> PLACES_SHIFT];
    if (likely(set[0].key == key))
        return &set[0];
    return set[1].key == key ? &set[1] : NULL;
}

/* In place of the one that was filed longest ago. */
static inline void place_file(struct python_shard *shard, uint64_t key, uint32_t context,
                              struct ts_cell *cell)
{
    struct python_place *set = shard->places[key >> PLACES_SHIFT];
    set[1].key = 0;
    __asm__ volatile("" ::: "memory");
    struct python_place first = set[0];
    set[1].cell = first.cell;
    set[1].context = first.context;
    set[1].hint = first.hint;
    __asm__ volatile("" ::: "memory");
    set[1].key = first.key;
    set[0].key = 0;
    __asm__ volatile("" ::: "memory");
    set[0].cell = cell;
    set[0].context = context;
    set[0].hint = (struct class_hint){0, 0};
    __asm__ volatile("" ::: "memory");
    set[0].key = key;
}

#endif
