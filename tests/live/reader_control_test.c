/*
 * `clear`, `pause`, `resume` and `reset-peak` from outside while the writer is in full flight; and,
 * with the writer stopped, counts that must be its own to the byte.
 */
#include "tests/live/flight.h"

#include "tools/source/source.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 120u
#define ENOUGH 10u /* on a machine that has other things to do */
#define SECONDS 14 /* then ENOUGH must do */
#define HANGS 110
#define COMMANDS 6 /* at random, each followed by a capture, in a round */

struct exact {
    uint64_t rounds, wrong, unreadable, with_pause;
};

static const char *region_name(const struct flight *flight)
{
    static char name[16];
    snprintf(name, sizeof(name), "%d", (int)flight->pid);
    return name;
}

static void control(const struct flight *flight, enum region_control what)
{
    struct error error = {""};
    if (region_control(region_name(flight), what, &error) != 0)
        tap(false, "the control word can be written", "%s", error.text);
}

/* Sees to it that neither the books nor the region record, or both do. */
static void record(const struct flight *flight, bool recording)
{
    control(flight, recording ? REGION_RESUME : REGION_PAUSE);
    flight_command(flight, recording ? 'r' : 'p');
}

static struct capture *capture_of(const struct flight *flight, struct exact *exact)
{
    struct error error = {""};
    struct capture *capture = source_open(region_name(flight), &error);
    if (capture == NULL && exact->unreadable++ == 0)
        printf("# %s\n", error.text);
    return capture;
}

static void command_at_random(const struct flight *flight, struct checker *checker,
                              struct exact *exact, unsigned *seed)
{
    enum region_control what = (enum region_control)((unsigned)rand_r(seed) % 4);
    control(flight, what);
    if (what == REGION_CLEAR)
        checker_cleared(checker);
    else if (what == REGION_RESET_PEAK)
        checker->peak = 0;
    usleep((unsigned)rand_r(seed) % 2000);
    struct capture *capture = capture_of(flight, exact);
    if (capture != NULL)
        check_capture(checker, capture);
    capture_free(capture);
    check_raw(checker, flight->region);
}

static void compare(const struct flight *flight, struct exact *exact)
{
    struct capture *capture = capture_of(flight, exact);
    struct books books = books_sum(flight->page);
    if (capture == NULL)
        return;
    const struct capture_values *totals = &capture->totals;
    if (totals->allocated_count != books.allocated_count ||
        totals->allocated_size != books.allocated_size ||
        totals->freed_count != books.freed_count || totals->freed_size != books.freed_size) {
        if (exact->wrong++ < 3)
            printf("# round %" PRIu64 ": allocated %" PRIu64 " (%" PRIu64 " bytes), freed %" PRIu64
                   " (%" PRIu64 "); in the books %" PRIu64 " (%" PRIu64 "), %" PRIu64 " (%" PRIu64
                   ")\n", exact->rounds, totals->allocated_count, totals->allocated_size,
                   totals->freed_count, totals->freed_size, books.allocated_count,
                   books.allocated_size, books.freed_count, books.freed_size);
    }
    capture_free(capture);
}

/*
 * From a `clear` of the stopped writer on, region and books count the same; a pause, in which
 * blocks from before are freed and new ones are not recorded, is part of every other round.
 */
static void exact_round(const struct flight *flight, struct exact *exact, unsigned *seed)
{
    flight_command(flight, 'q');
    record(flight, true);
    control(flight, REGION_CLEAR);
    flight_command(flight, 'c');
    compare(flight, exact);
    for (int i = 0; i < 3; i++) {
        bool pause = i == 1 && exact->rounds % 2 != 0;
        record(flight, !pause);
        exact->with_pause += pause;
        flight_command(flight, 'g');
        usleep((unsigned)rand_r(seed) % 4000);
        if (rand_r(seed) % 2)
            control(flight, REGION_RESET_PEAK);
        flight_command(flight, 'q');
        compare(flight, exact);
    }
    record(flight, true);
    flight_command(flight, 'g');
    exact->rounds++;
}

int main(void)
{
    struct flight flight;
    struct checker checker = {0};
    struct exact exact = {0};
    unsigned seed = 4711;
    time_t end = time(NULL) + SECONDS, hangs = time(NULL) + HANGS;
    flights_begin();
    flight_start(&flight);
    flight_wait_filled(&flight);
    flight_find(&flight);
    while (exact.rounds < ROUNDS && (time(NULL) < end || exact.rounds < ENOUGH) &&
           time(NULL) < hangs) {
        for (int i = 0; i < COMMANDS; i++)
            command_at_random(&flight, &checker, &exact, &seed);
        exact_round(&flight, &exact, &seed);
        checker_cleared(&checker);
    }
    printf("# %" PRIu64 " rounds, %" PRIu64 " captures\n", exact.rounds, checker.captures);
    tap(exact.rounds >= ENOUGH && exact.unreadable == 0, "the region was readable at every moment",
        "%" PRIu64 " rounds, %" PRIu64 " failures", exact.rounds, exact.unreadable);
    tap(exact.with_pause >= ENOUGH / 2, "pauses were among it", NULL);
    tap(exact.wrong == 0, "stopped, after 'clear': counts and bytes are the writer's own exactly",
        "%" PRIu64 " rounds differ", exact.wrong);
    tap_checks(&checker);
    flight_stop(&flight, SIGKILL);
    flight_end(&flight);
    checker_end(&checker);
    flights_end();
    return tap_end();
}
