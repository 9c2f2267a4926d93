/*
 * The rule cache: two ways per set, one cache line for two sets. Neighbouring code uses neighbouring sets, so
 * that a small program touches few pages of the table.
 */
#include "shim/rules.h"
#include "region/key.h"
#include "shim/modules.h"
#include "shim/region.h"
#include "shim/system.h"

#define SETS 32768u /* 1 MiB: a compiler has some 30,000 return addresses on its way to malloc */

static struct ts_pair (*table)[2];

bool rules_start(void)
{
    table = memory_map(SETS * sizeof *table, false);
    return table != NULL;
}

void rules_forget(void)
{
    for (uint32_t i = 0; i < SETS; i++)
        for (int way = 0; way < 2; way++)
            if (table[i][way].count != 0)
                ts_pair_store(&table[i][way], (struct ts_pair){0, 0});
}

static uint32_t set_of(uintptr_t pc)
{
    return (uint32_t)(pc >> 3 ^ pc >> 18 ^ pc >> 33) % SETS;
}

static uint64_t tag_of(uintptr_t pc, bool exact)
{
    return (uint64_t)pc << 16 | (uint64_t)exact << 15;
}

static uint64_t pack(const struct rule *rule, uint32_t generation)
{
    return ((uint64_t)(rule->cfa_offset / 8) & 0xffffff) |
           ((uint64_t)(rule->rbp_offset / 8) & 0xffff) << 24 | (uint64_t)rule->kind << 40 |
           (uint64_t)rule->rbp_saved << 43 | (uint64_t)rule->rbp_by_rbp << 44 |
           (uint64_t)(generation & 0xffff) << 45;
}

static struct rule unpack(uint64_t word)
{
    return (struct rule){
        .kind = (enum rule_kind)(word >> 40 & 7),
        .cfa_offset = (int32_t)((uint32_t)word << 8) >> 8 << 3,
        .rbp_saved = word >> 43 & 1,
        .rbp_by_rbp = word >> 44 & 1,
        .rbp_offset = (int16_t)(word >> 24) * 8,
    };
}

static uint64_t key_of(uint32_t instance, uintptr_t pc, bool exact)
{
    const struct module_instance *module = &module_instances[instance];
    uintptr_t place = exact ? pc : pc - 1;
    if (instance == 0 || ts_key_kind(module->key_high) != TS_FRAME_NATIVE)
        return ts_key(TS_FRAME_UNKNOWN, 0, place >> 12);
    return module->key_high | ((place - module->bias) & TS_KEY_OFFSET_MAX);
}

static __attribute__((noinline)) struct rule_entry parse(uintptr_t pc, bool exact)
{
    uint32_t generation = ts_load_acquire(&module_generation);
    uintptr_t place = exact ? pc : pc - 1;
    uint32_t instance = modules_find(place);
    struct rule_entry entry = {.rule = {.kind = RULE_NONE}, .key = key_of(instance, pc, exact)};
    if (instance == 0)
        return entry; /* code of no module may be replaced without a dlclose: not remembered */
    const struct cfi_tables *tables = &module_instances[instance].tables;
    if (tables->low != NULL)
        entry.rule = cfi_find(tables, place);
    region_gauge(TS_GAUGE_RULES, 1);
    if (modules_are_stable() && generation == ts_load_acquire(&module_generation)) {
        struct ts_pair *ways = table[set_of(pc)];
        struct ts_pair found = {tag_of(pc, exact) | instance, pack(&entry.rule, generation)};
        ts_pair_store(&ways[1], ts_pair_load(&ways[0]));
        ts_pair_store(&ways[0], found);
    }
    return entry;
}

struct rule_entry rules_find(uintptr_t pc, bool exact)
{
    const struct ts_pair *ways = table[set_of(pc)];
    uint64_t tag = tag_of(pc, exact);
    uint64_t generation = ts_load_acquire(&module_generation) & 0xffff;
    for (int way = 0; way < 2; way++) {
        struct ts_pair found = ts_pair_load(&ways[way]);
        if ((found.count ^ tag) < 0x8000 && (found.size >> 45 & 0xffff) == generation &&
            found.count != 0)
            return (struct rule_entry){unpack(found.size),
                                       key_of((uint32_t)found.count & 0x7fff, pc, exact)};
    }
    return parse(pc, exact);
}
