/*
 * What the tests that read the writer's region share: a writer in a region directory of its own,
 * the checks that every capture of it must pass, and TAP.
 */
#ifndef TRACESNAP_TESTS_LIVE_FLIGHT_H
#define TRACESNAP_TESTS_LIVE_FLIGHT_H

#include "tests/live/writer.h"
#include "tools/base/capture.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct flight {
    pid_t pid;
    int to, from; /* commands and their answers */
    struct writer_page *page;
    char region[PATH_MAX]; /* "" until flight_find */
};

/* A directory in /dev/shm, else in $TMPDIR; regions go into it. flights_end removes it. */
void flights_begin(void);
void flights_end(void);

/* Starts the traced writer; its lists are not filled yet when this returns. */
void flight_start(struct flight *flight);
/* Waits until the lists of fixed length have their length. */
void flight_wait_filled(const struct flight *flight);
/* Sends a command of writer.h and waits until it is in force. */
void flight_command(const struct flight *flight, char command);
/* Sends a signal and waits for the writer's end; region and page remain. */
void flight_stop(const struct flight *flight, int signal);
/* Finds the region's path, also after the end; false when there is none. */
bool flight_find(struct flight *flight);
/* Removes the region and gives up the page. */
void flight_end(struct flight *flight);

/* The books of all threads together. */
struct books books_sum(const struct writer_page *page);

/* What must hold of captures. X(name, text in TAP) */
#define CHECK_LIST(X)                                                                              \
    X(RAW, "the counters as read, before any repair, have nothing freed that was not allocated")   \
    X(NEGATIVE, "no context has freed more than it allocated")                                     \
    X(EMPTY, "a context without live blocks has no live bytes, and the reverse")                   \
    X(TOTALS, "the totals are the sums over the contexts")                                         \
    X(BACK, "no counter of a context goes back")                                                   \
    X(BOUNDS, "lists of fixed length are seen with that length")                                   \
    X(PEAK, "the peak is not below the live size, and never falls by more than 1 %")               \
    X(DROPS, "nothing was dropped")

enum check {
#define X(name, text) CHECK_##name,
    CHECK_LIST(X)
#undef X
    CHECK_COUNT
};

struct seen;

/* What was seen of one writer so far. */
struct checker {
    struct seen *seen; /* by path, open addressing */
    uint32_t size;
    uint64_t peak;
    uint64_t captures;
    bool filled; /* the lists of fixed length have their length: so also in what follows */
    uint64_t failures[CHECK_COUNT];
};

/* `filled` as above. Failures are counted; the first of each kind are explained. */
void check_capture(struct checker *checker, const struct capture *capture);
/* The counters straight from the region: no context, in no shard, may need repair. */
void check_raw(struct checker *checker, const char *region);
/* After `clear` all counters begin anew; after `reset-peak` and `clear` the peak does. */
void checker_cleared(struct checker *checker);
void checker_end(struct checker *checker);

void tap(bool passed, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line of TAP for each check. */
void tap_checks(const struct checker *checker);
int tap_end(void);

#endif
