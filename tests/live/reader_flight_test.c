/*
 * Reads a process that never stops, thousands of times.
 */
#include "tests/live/flight.h"

#include "tools/source/source.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#define CAPTURES 3000u
#define ENOUGH 300u   /* on a machine that has other things to do */
#define SECONDS 14    /* then ENOUGH must do */
#define HANGS 110
#define SLACK (WRITER_THREADS * WRITER_WAVE_MAX + 100000u) /* in flight, and what libc allocated */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct capture *capture_of(const struct flight *flight, struct checker *checker)
{
    char name[16];
    struct error error = {""};
    snprintf(name, sizeof(name), "%d", (int)flight->pid);
    struct capture *capture = source_open(name, &error);
    if (capture == NULL)
        printf("# capture %" PRIu64 ": %s\n", checker->captures, error.text);
    return capture;
}

/* What the stopped writer has in its books must be in the region; libc's few blocks come on top. */
static void compare_with_books(const struct flight *flight, const struct capture *capture)
{
    const struct capture_values *totals = &capture->totals;
    uint64_t live = totals->allocated_size - totals->freed_size;
    uint64_t expected = flight->page->live, peak = flight->page->peak;
    tap(live >= expected && live - expected <= 100000,
        "stopped: as much is live as in the writer's own books, and what libc allocated",
        "%" PRIu64 " live, in its books %" PRIu64, live, expected);
    tap(totals->peak_size + SLACK >= peak - peak / 100 &&
            totals->peak_size <= peak + peak / 100 + SLACK,
        "the peak is the writer's own within 1 %", "peak %" PRIu64 ", in its books %" PRIu64,
        totals->peak_size, peak);
}

int main(void)
{
    struct flight flight;
    struct checker checker = {.filled = true};
    uint64_t unreadable = 0, changes = 0, last = 0;
    double start = seconds();
    flights_begin();
    flight_start(&flight);
    flight_wait_filled(&flight);
    flight_find(&flight);
    while (checker.captures < CAPTURES &&
           (seconds() - start < SECONDS || checker.captures < ENOUGH) && seconds() - start < HANGS) {
        struct capture *capture = capture_of(&flight, &checker);
        unreadable += capture == NULL;
        if (capture == NULL)
            continue;
        check_capture(&checker, capture);
        changes += capture->totals.allocated_count != last;
        last = capture->totals.allocated_count;
        capture_free(capture);
        if (checker.captures % 4 == 0)
            check_raw(&checker, flight.region);
    }
    printf("# %" PRIu64 " captures in %.1f s\n", checker.captures, seconds() - start);
    tap(checker.captures >= ENOUGH && unreadable == 0, "the region was readable at every moment",
        "%" PRIu64 " captures, %" PRIu64 " failed", checker.captures, unreadable);
    tap(changes >= ENOUGH / 3, "the writer was at work",
        "only %" PRIu64 " of the captures differ from the one before", changes);
    tap_checks(&checker);
    flight_command(&flight, 'q');
    struct capture *capture = capture_of(&flight, &checker);
    if (capture != NULL)
        compare_with_books(&flight, capture);
    tap(capture != NULL, "the stopped writer can be read", NULL);
    capture_free(capture);
    flight_stop(&flight, SIGKILL);
    flight_end(&flight);
    checker_end(&checker);
    flights_end();
    return tap_end();
}
