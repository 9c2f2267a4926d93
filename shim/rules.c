/*
 * The rule cache: its table, four ways to a set, and what happens on a miss.
 */
#include "shim/rules.h"
#include "region/key.h"
#include "shim/region.h"
#include "shim/system.h"

struct ts_pair (*rules_table)[RULES_WAYS];

bool rules_start(void)
{
    rules_table = memory_map(RULES_SETS * sizeof *rules_table, false);
    return rules_table != NULL;
}

void rules_forget(void)
{
    for (uint32_t i = 0; rules_table != NULL && i < RULES_SETS; i++)
        for (int way = 0; way < RULES_WAYS; way++)
            if (rules_table[i][way].count != 0)
                ts_pair_store(&rules_table[i][way], (struct ts_pair){0, 0});
}

static packed_rule pack(const struct rule *rule, uint32_t generation)
{
    return ((uint64_t)(rule->cfa_offset / 8) & 0xffffff) |
           ((uint64_t)(rule->rbp_offset / 8) & 0xffff) << 24 | (uint64_t)rule->kind << 40 |
           (uint64_t)rule->rbp_saved << 43 | (uint64_t)rule->rbp_by_rbp << 44 |
           (uint64_t)(uint16_t)generation << RULES_GENERATION_SHIFT;
}

/* Files the rule in its set; the oldest there goes. */
static void remember(uintptr_t pc, bool exact, uint32_t instance, packed_rule rule)
{
    struct ts_pair *ways = rules_table[rules_set(pc)];
    for (int way = RULES_WAYS - 1; way > 0; way--)
        ts_pair_store(&ways[way], ts_pair_load(&ways[way - 1]));
    ts_pair_store(&ways[0], (struct ts_pair){rules_tag(pc, exact) | instance, rule});
}

__attribute__((noinline)) struct rule_entry rules_parse(uintptr_t pc, bool exact)
{
    uint32_t generation = ts_load_acquire(&module_generation);
    uintptr_t place = exact ? pc : pc - 1;
    uint32_t instance = modules_find(place);
    struct rule rule = {.kind = RULE_NONE};
    if (instance == 0) /* code of no module may be replaced without a dlclose: not remembered */
        return (struct rule_entry){pack(&rule, generation),
                                   ts_key(TS_FRAME_UNKNOWN, 0, place >> 12)};
    const struct cfi_tables *tables = &module_instances[instance].tables;
    if (tables->low != NULL)
        rule = cfi_find(tables, place);
    /*
     * A function that begins at the return address, and none before it: nobody called from there.
     * It was put on the stack by hand, to be returned to in the end, as makecontext does with
     * __start_context.
     */
    if (rule.kind == RULE_NONE && tables->low != NULL && !exact &&
        cfi_find(tables, pc).kind != RULE_NONE)
        rule.kind = RULE_END;
    region_gauge(TS_GAUGE_RULES, 1);
    packed_rule packed = pack(&rule, generation);
    if (module_instances[instance].fleeting)
        packed |= RULES_FLEETING;
    else if (modules_are_stable() && generation == ts_load_acquire(&module_generation))
        remember(pc, exact, instance, packed);
    return (struct rule_entry){packed, module_key_base[instance] + place};
}
