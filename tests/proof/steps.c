/*
 * Every order of a few threads, and every death: pieces of the shim and of the tool's reader take
 * turns at each atomic access (actors.h).
 *
 *     steps_test SEEDS STRIDE
 *
 * For each case: (1) for every i and j: the first actor makes i accesses, the second j, then the
 * first goes on to its end, the second and the third; (2) the same, but the first two never go on;
 * (3) the same, but the third comes to its end first, (4) and then the second. Where the tool looks,
 * too, which takes long, STRIDE 7 tries every seventh j only, from another one for each i. (5) SEEDS
 * times: turns of random lengths, and random deaths. Nobody may ever wait for another, which is
 * found out by letting one go on alone.
 */
#include "tests/proof/steps.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPLAINED 5
#define CHEAP 40      /* times as many random orders, where the tool does not look */
#define LOOK_EVERY 211 /* runs, where nobody died */

static uint64_t seed, runs, wrong;
static char schedule[512];

uint64_t steps_random(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % below;
}

void steps_wrong(const char *format, ...)
{
    va_list arguments;
    if (wrong++ >= EXPLAINED)
        return;
    va_start(arguments, format);
    printf("# after %s: ", schedule);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

static void turn(struct actor actors[], int who, uint64_t steps)
{
    size_t length = strlen(schedule);
    uint64_t before = actors[who].steps;
    bool ended = actor_run(&actors[who], steps);
    snprintf(schedule + length, sizeof schedule - length, "%c%" PRIu64 "%s ", 'A' + who,
             actors[who].steps - before, ended ? "." : "");
    if (steps == ACTOR_FOREVER && !ended)
        steps_wrong("%c does not come to its end", 'A' + who);
}

static void begin(const struct steps_case *tried, struct actor actors[])
{
    schedule[0] = '\0';
    tried->begin(actors);
}

static void end(const struct steps_case *tried, struct actor actors[], bool died)
{
    tried->check(actors);
    runs++;
    if (tried->look != NULL && (died || runs % LOOK_EVERY == 0))
        tried->look();
}

enum order { ALL_GO_ON, TWO_DIE, THIRD_FIRST, BACKWARDS, ORDERS };

/* Whether the first and the second still had something to do. */
static void one_order(const struct steps_case *tried, enum order order, uint64_t i, uint64_t j,
                      bool more[2])
{
    struct actor actors[ACTORS_MAX];
    begin(tried, actors);
    turn(actors, 0, i);
    turn(actors, 1, j);
    more[0] = !actors[0].ended;
    more[1] = !actors[1].ended;
    if (order >= THIRD_FIRST)
        for (int who = 2; who < tried->actors; who++)
            turn(actors, who, ACTOR_FOREVER);
    if (order == BACKWARDS)
        turn(actors, 1, ACTOR_FOREVER);
    for (int who = order == TWO_DIE ? 2 : 0; who < tried->actors; who++)
        turn(actors, who, ACTOR_FOREVER);
    end(tried, actors, order == TWO_DIE && (j == 0 || !more[1]));
}

static void every_order(const struct steps_case *tried, uint64_t stride)
{
    for (int order = 0; order < ORDERS; order++) {
        bool more[2] = {true, true};
        for (uint64_t i = 0; more[0]; i++) {
            more[1] = true;
            for (uint64_t j = 0; more[1]; j += j == 0 ? 1 + i % stride : stride)
                one_order(tried, (enum order)order, i, j, more);
        }
    }
}

static void random_order(const struct steps_case *tried, uint64_t number)
{
    struct actor actors[ACTORS_MAX];
    bool dead[ACTORS_MAX] = {false};
    int living = tried->actors;
    seed = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    for (int i = 0; i < 8; i++)
        steps_random(2);
    uint64_t longest = 1 + steps_random(60);
    begin(tried, actors);
    while (living > 0) {
        int who = (int)steps_random((uint64_t)tried->actors);
        if (dead[who] || actors[who].ended)
            continue;
        turn(actors, who, 1 + steps_random(longest));
        if (!actors[who].ended && who != tried->actors - 1 && steps_random(30) == 0)
            dead[who] = true;
        living -= dead[who] || actors[who].ended;
    }
    end(tried, actors, false);
}

static int try_case(const struct steps_case *tried, uint64_t seeds, uint64_t stride)
{
    static int number;
    runs = wrong = 0;
    every_order(tried, tried->look == NULL ? 1 : stride);
    for (uint64_t i = 0; i < (tried->look == NULL ? CHEAP * seeds : seeds); i++)
        random_order(tried, i);
    if (tried->look != NULL)
        tried->look();
    printf("# %" PRIu64 " orders\n%sok %d - %s\n", runs, wrong == 0 ? "" : "not ", ++number,
           tried->name);
    fflush(stdout);
    return wrong != 0;
}

int main(int argc, char **argv)
{
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
    uint64_t stride = argc > 2 ? strtoull(argv[2], NULL, 10) : 7, all = 0;
    int failed = 0;
    const struct {
        const struct steps_case *cases;
        int count;
    } parts[] = {
        {steps_table_cases, STEPS_TABLE_CASES},
        {steps_nodes_cases, STEPS_NODES_CASES},
        {steps_cells_cases, STEPS_CELLS_CASES},
        {steps_live_cases, STEPS_LIVE_CASES},
        {steps_region_cases, STEPS_REGION_CASES},
    };
    int cases = 0;
    for (size_t part = 0; part < sizeof parts / sizeof parts[0]; part++)
        for (int i = 0; i < parts[part].count; i++, cases++, all += runs)
            failed += try_case(&parts[part].cases[i], seeds, stride);
    printf("# orders in all %" PRIu64 "\n1..%d\n", all, cases);
    return failed != 0;
}
