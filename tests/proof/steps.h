/*
 * The cases of the steps test: some actors, what each does, and what must hold at the end, whatever
 * their order was and whoever of them stands still for ever.
 */
#ifndef TRACESNAP_TESTS_PROOF_STEPS_H
#define TRACESNAP_TESTS_PROOF_STEPS_H

#include "tests/proof/actors.h"

struct steps_case {
    const char *name;
    int actors;
    void (*begin)(struct actor actors[]);
    /* Says with steps_wrong what does not hold. Those that did not end are dead. */
    void (*check)(struct actor actors[]);
    /* More that is looked at after each death, and now and then: it takes long. NULL = nothing. */
    void (*look)(void);
};

#define STEPS_TABLE_CASES 5
#define STEPS_NODES_CASES 6
#define STEPS_REGION_CASES 3
#define STEPS_CELLS_CASES 3
#define STEPS_LIVE_CASES 2
extern const struct steps_case steps_table_cases[STEPS_TABLE_CASES];
extern const struct steps_case steps_nodes_cases[STEPS_NODES_CASES];
extern const struct steps_case steps_region_cases[STEPS_REGION_CASES];
extern const struct steps_case steps_cells_cases[STEPS_CELLS_CASES];
extern const struct steps_case steps_live_cases[STEPS_LIVE_CASES];

/* Where it went wrong is said by the driver. */
void steps_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same numbers for the same seed. */
uint64_t steps_random(uint64_t below);

#endif
