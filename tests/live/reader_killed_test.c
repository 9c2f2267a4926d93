/*
 * Writers killed at a random moment: the region that is left reads, and holds what the dead one's
 * books say but for the operation that each thread was in.
 */
#include "tests/live/flight.h"

#include "tools/source/source.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUNS 200
#define LATEST 30000u /* us from the start of the writer to its end */
#define BASE 200u     /* blocks and KiB that libc allocates before the threads work and for them */

struct results {
    unsigned regions, early, wrong_state, wrong_books, wrong_error;
};

/* They differ by what libc adds, and what a thread had written into one but not the other. */
static bool is_near(uint64_t found, uint64_t expected, uint64_t base, uint64_t each)
{
    return found + WRITER_THREADS * each >= expected &&
           found <= expected + base + WRITER_THREADS * each;
}

static void compare(const struct capture *capture, const struct books *books,
                    struct results *results)
{
    const struct capture_values *totals = &capture->totals;
    if (is_near(totals->allocated_count, books->allocated_count, BASE, 1) &&
        is_near(totals->freed_count, books->freed_count, BASE, 1) &&
        is_near(totals->allocated_size, books->allocated_size, BASE * 1024, WRITER_WAVE_MAX) &&
        is_near(totals->freed_size, books->freed_size, BASE * 1024, WRITER_WAVE_MAX))
        return;
    if (results->wrong_books++ < 3)
        printf("# allocated %" PRIu64 " (%" PRIu64 " bytes), freed %" PRIu64 " (%" PRIu64
               "); in the books %" PRIu64 " (%" PRIu64 "), %" PRIu64 " (%" PRIu64 ")\n",
               totals->allocated_count, totals->allocated_size, totals->freed_count,
               totals->freed_size, books->allocated_count, books->allocated_size,
               books->freed_count, books->freed_size);
}

/* Before the constructor has finished there may be no region, or one that says so. */
static void examine(struct flight *flight, const struct books *books, struct checker *checker,
                    struct results *results)
{
    struct error error = {""};
    struct capture *capture = source_open(flight->region, &error);
    if (capture == NULL) {
        results->early++;
        if (books->allocated_count != 0 || strstr(error.text, "not ready") == NULL) {
            printf("# %s\n", error.text);
            results->wrong_error++;
        }
        return;
    }
    results->regions++;
    check_capture(checker, capture);
    check_raw(checker, flight->region);
    if (capture->process.alive || strcmp(capture->process.state, "ended") != 0 ||
        capture->process.end_time != 0) {
        printf("# state '%s'\n", capture->process.state);
        results->wrong_state++;
    }
    compare(capture, books, results);
    capture_free(capture);
}

static void one_run(struct checker *checker, struct results *results, unsigned *seed)
{
    struct flight flight;
    flight_start(&flight);
    usleep((unsigned)rand_r(seed) % LATEST);
    flight_stop(&flight, SIGKILL);
    struct books books = books_sum(flight.page);
    if (flight_find(&flight))
        examine(&flight, &books, checker, results);
    else
        results->early++;
    flight_end(&flight);
    checker_cleared(checker);
}

int main(void)
{
    struct checker checker = {0};
    struct results results = {0};
    unsigned seed = 1234;
    flights_begin();
    for (int i = 0; i < RUNS; i++)
        one_run(&checker, &results, &seed);
    printf("# %u regions, %u writers killed before theirs was ready\n", results.regions,
           results.early);
    tap(results.regions >= RUNS / 4, "some writers had come far enough", "%u", results.regions);
    tap(results.wrong_error == 0, "a region is readable, or says that it is not ready", NULL);
    tap(results.wrong_state == 0, "the process is said to have ended without exit()", NULL);
    tap(results.wrong_books == 0, "the counts are the writer's own, but for what was in progress",
        "%u runs differ", results.wrong_books);
    tap_checks(&checker);
    checker_end(&checker);
    flights_end();
    return tap_end();
}
