/*
 * Actors take turns. See actors.h.
 */
#include "tests/proof/actors.h"

#include <stdio.h>
#include <stdlib.h>

#define STACK_SIZE (256u << 10)
#define STEPS_MAX 1000000u

void actor_step(void);

static char stacks[ACTORS_MAX][STACK_SIZE] __attribute__((aligned(64)));
static struct actor *running; /* NULL: it is the test itself that accesses something */
static uint64_t left;
static ucontext_t director;

void actor_step(void)
{
    struct actor *self = running;
    if (self == NULL)
        return;
    if (left == 0)
        swapcontext(&self->at, &director);
    left--;
    if (++self->steps > STEPS_MAX) {
        printf("Bail out! an actor waits for another: %u accesses and no end\n", STEPS_MAX);
        exit(99);
    }
}

static void begin(void)
{
    running->act(running->argument);
    running->ended = true;
}

void actor_begin(struct actor *actor, int number, void (*act)(void *), void *argument)
{
    *actor = (struct actor){.act = act, .argument = argument};
    getcontext(&actor->at);
    actor->at.uc_stack.ss_sp = stacks[number];
    actor->at.uc_stack.ss_size = STACK_SIZE;
    actor->at.uc_link = &director;
    makecontext(&actor->at, begin, 0);
}

bool actor_run(struct actor *actor, uint64_t steps)
{
    if (actor->ended)
        return true;
    running = actor;
    left = steps;
    swapcontext(&director, &actor->at);
    running = NULL;
    return actor->ended;
}
