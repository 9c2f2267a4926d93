/*
 * The rule cache: return address -> how to unwind its frame, and the frame's key. Shared by all
 * threads, without locks: an entry is one aligned 16-byte access.
 *
 *     count word, the tag:   pc, 48 bits | exact, 1 bit | module instance, 15 bits
 *     size word, the rule:   cfa_offset / 8, 24 bits | rbp_offset / 8, 16 bits | kind, 3 bits |
 *                            rbp_saved, 1 | rbp_by_rbp, 1 | generation, 16 | fleeting, 1 | unused
 *
 * A dlclose retires all entries by stepping module_generation; the table is emptied long before the
 * 16 bits come round.
 */
#ifndef TRACESNAP_SHIM_RULES_H
#define TRACESNAP_SHIM_RULES_H

#include "shim/cfi.h"
#include "shim/modules.h"

#define RULES_SETS                                                                                 \
    8192u /* a line of the cache each; a compiler has some 10,000 return addresses on its way to   \
             malloc */
#define RULES_WAYS 4
#define RULES_GENERATION_SHIFT 45
#define RULES_INSTANCE_MASK 0x7fffu
#define RULES_FLEETING                                                                             \
    (UINT64_C(1) << 61) /* not to be remembered: the module may go without a dlclose */

/* A rule as it stands in the cache. */
typedef uint64_t packed_rule;

struct rule_entry {
    packed_rule rule;
    uint64_t key; /* region/key.h */
};

extern struct ts_pair (*rules_table)[RULES_WAYS];

bool rules_start(void);

/* Empties the cache (generation wrap). */
void rules_forget(void);

/* The slow path: looks the module up, parses its tables, files the rule. */
struct rule_entry rules_parse(uintptr_t pc, bool exact);

static inline enum rule_kind packed_kind(packed_rule rule)
{
    return (enum rule_kind)(rule >> 40 & 7);
}

static inline intptr_t packed_cfa_offset(packed_rule rule)
{
    return (intptr_t)((int64_t)(rule << 40) >> 37);
}

static inline intptr_t packed_rbp_offset(packed_rule rule)
{
    return (intptr_t)(int16_t)(rule >> 24) * 8;
}

static inline bool packed_rbp_saved(packed_rule rule)
{
    return rule >> 43 & 1;
}

static inline bool packed_rbp_by_rbp(packed_rule rule)
{
    return rule >> 44 & 1;
}

/* What the inner loop of the walk need not look at closely. */
static inline bool packed_is_plain(packed_rule rule)
{
    return (rule & (UINT64_C(1) << 44 | RULES_FLEETING)) == 0;
}

static inline uint64_t rules_tag(uintptr_t pc, bool exact)
{
    return (uint64_t)pc << 16 | (uint64_t)exact << 15;
}

/* Neighbouring code uses neighbouring sets, so that a small program touches few pages of the table.
 */
static inline uint32_t rules_set(uintptr_t pc)
{
    return (uint32_t)(pc >> 5 ^ pc >> 18 ^ pc >> 33) % RULES_SETS;
}

/*
 * The rule at pc. exact: pc was interrupted by a signal; else it is a return address, and the call
 * before it counts. generation: of module_generation, read at the start of the walk.
 * Async-signal-safe.
 */
static inline struct rule_entry rules_find(uintptr_t pc, bool exact, uint32_t generation)
{
    const struct ts_pair *ways = rules_table[rules_set(pc)];
    uint64_t tag = rules_tag(pc, exact);
    for (int way = 0; way < RULES_WAYS; way++) {
        struct ts_pair found = ts_pair_load(&ways[way]);
        if (__builtin_expect((found.count ^ tag) <= RULES_INSTANCE_MASK &&
                                 (uint16_t)(found.size >> RULES_GENERATION_SHIFT) ==
                                     (uint16_t)generation,
                             1))
            return (struct rule_entry){found.size,
                                       module_key_base[found.count & RULES_INSTANCE_MASK] + pc -
                                           (exact ? 0 : 1)};
    }
    return rules_parse(pc, exact);
}

#endif
