/*
 * Actors: pieces of the real code that take turns on one thread, one atomic access at a time, as the
 * test says. One that is not run any more is a thread that was killed, or will not get a processor
 * again, right before an access.
 *
 * What the code does between two accesses happens at once. That loses nothing: what others may see
 * is published by an access, and what a killed process leaves half written in between is nobody's
 * yet; kills_test.py kills there, too, by chance.
 */
#ifndef TRACESNAP_TESTS_PROOF_ACTORS_H
#define TRACESNAP_TESTS_PROOF_ACTORS_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#define ACTORS_MAX 4
#define ACTOR_FOREVER UINT64_MAX

struct actor {
    void (*act)(void *argument);
    void *argument;
    uint64_t steps; /* accesses made so far */
    bool ended;
    ucontext_t at;
};

/* Puts an actor at its beginning; number: below ACTORS_MAX, whose stack it gets. */
void actor_begin(struct actor *actor, int number, void (*act)(void *), void *argument);

/*
 * Lets it make so many accesses, or come to its end: true. One that makes STEPS_MAX in all waits for
 * somebody, and the program ends.
 */
bool actor_run(struct actor *actor, uint64_t steps);

#endif
