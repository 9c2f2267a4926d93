/*
 * What must hold of every capture of a writer that never stops.
 *
 * Captures are of one process, so whatever only grows in it may not shrink from one capture to the
 * next. A context is known again by its path: the hash of its keys from the root. The lists of
 * fixed length are what finds an order of reading that is wrong: a reader that sees a free but not
 * the allocation that came before finds them too short, one that sees allocations long before the
 * frees finds them too long.
 */
#include "tests/live/flight.h"

#include "region/hash.h"
#include "tools/source/reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPLAINED 3u /* failures of a kind that are explained */

/* Each thread may be between malloc and free, and a reader some operations late. */
#define BOUNDS_SLACK (3 * WRITER_THREADS)

struct seen {
    uint64_t path; /* hash; 0 = empty */
    uint64_t capture;
    struct capture_values values;
};

static void fail(struct checker *checker, enum check check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct checker *checker, enum check check, const char *format, ...)
{
    va_list arguments;
    if (checker->failures[check]++ >= EXPLAINED)
        return;
    printf("# capture %" PRIu64 ": ", checker->captures);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

static uint64_t live_size(const struct capture_values *values)
{
    return values->allocated_size - values->freed_size;
}

static uint64_t live_count(const struct capture_values *values)
{
    return values->allocated_count - values->freed_count;
}

static void check_context(struct checker *checker, const struct capture_values *values)
{
    if (values->freed_count > values->allocated_count ||
        values->freed_size > values->allocated_size)
        fail(checker, CHECK_NEGATIVE, "%" PRIu64 " blocks freed of %" PRIu64, values->freed_count,
             values->allocated_count);
    if ((live_count(values) == 0) != (live_size(values) == 0) ||
        (values->peak_count == 0) != (values->peak_size == 0))
        fail(checker, CHECK_EMPTY, "%" PRIu64 " blocks have %" PRIu64 " bytes, at the peak %" PRIu64
             " have %" PRIu64, live_count(values), live_size(values), values->peak_count,
             values->peak_size);
}

/* A list of fixed length, known by the size of its blocks. A race may have split its context. */
struct list {
    uint64_t size, least, most;
    const char *name;
    struct capture_values sum;
};

static void check_lists(struct checker *checker, const struct capture *capture)
{
    struct list lists[] = {
        {WRITER_STEADY, WRITER_THREADS * STEADY_BLOCKS, 0, "steady", {0}},
        {WRITER_EXCHANGE, EXCHANGE_BLOCKS, 0, "exchanged", {0}},
        {WRITER_BRIEF, 0, 0, "brief", {0}},
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct list *list = &lists[i];
        list->most = list->least + BOUNDS_SLACK;
        for (uint32_t j = 0; j < capture->context_count; j++) {
            const struct capture_values *values = &capture->contexts[j].values;
            if (values->allocated_size == values->allocated_count * list->size)
                values_add_checked(&list->sum, values);
        }
        uint64_t count = live_count(&list->sum);
        if ((checker->filled && count < list->least) || count > list->most)
            fail(checker, CHECK_BOUNDS, "%" PRIu64 " %s blocks live, not %" PRIu64 " to %" PRIu64,
                 count, list->name, list->least, list->most);
        if (live_size(&list->sum) != count * list->size)
            fail(checker, CHECK_BOUNDS, "%" PRIu64 " %s blocks of %" PRIu64 " bytes have %" PRIu64,
                 count, list->name, list->size, live_size(&list->sum));
    }
}

static bool same_totals(const struct capture_values *a, const struct capture_values *b)
{
    return a->allocated_count == b->allocated_count && a->allocated_size == b->allocated_size &&
           a->freed_count == b->freed_count && a->freed_size == b->freed_size &&
           a->peak_count == b->peak_count && a->peak_size == b->peak_size &&
           a->temporary_count == b->temporary_count;
}

static struct seen *find(const struct checker *checker, uint64_t path)
{
    uint32_t i = (uint32_t)path & (checker->size - 1);
    while (checker->seen[i].path != 0 && checker->seen[i].path != path)
        i = (i + 1) & (checker->size - 1);
    return &checker->seen[i];
}

/* A table of twice what is needed: capture by capture there may be more contexts. */
static void make_room(struct checker *checker, uint32_t contexts)
{
    struct checker old = *checker;
    if (checker->size >= 4 * (contexts + 16))
        return;
    while (checker->size < 8 * (contexts + 16))
        checker->size = checker->size != 0 ? checker->size * 2 : 1024;
    checker->seen = calloc(checker->size, sizeof(*checker->seen));
    for (uint32_t i = 0; i < old.size; i++)
        if (old.seen[i].path != 0)
            *find(checker, old.seen[i].path) = old.seen[i];
    free(old.seen);
}

static bool went_back(const struct capture_values *old, const struct capture_values *new)
{
    return new->allocated_count < old->allocated_count ||
           new->allocated_size < old->allocated_size ||
           new->freed_count < old->freed_count || new->freed_size < old->freed_size ||
           new->temporary_count < old->temporary_count;
}

static void sum_paths(const struct capture *capture, const uint64_t *paths, uint64_t number,
                      struct checker *now)
{
    make_room(now, capture->context_count);
    for (uint32_t i = 0; i < capture->context_count; i++) {
        struct seen *seen = find(now, paths[capture->contexts[i].node]);
        seen->path = paths[capture->contexts[i].node];
        seen->capture = number;
        values_add_checked(&seen->values, &capture->contexts[i].values);
    }
}

static void check_back(struct checker *checker, const struct capture *capture)
{
    uint64_t *paths = calloc(capture->node_count + 1, sizeof(*paths));
    struct checker now = {0};
    paths[0] = TS_HASH_ROOT;
    for (uint32_t i = 1; i < capture->node_count; i++)
        paths[i] = ts_hash_step(paths[capture->nodes[i].parent], capture->nodes[i].key);
    sum_paths(capture, paths, checker->captures, &now);
    for (uint32_t i = 0; i < checker->size; i++) {
        const struct seen *old = &checker->seen[i];
        const struct seen *new = old->path != 0 ? find(&now, old->path) : NULL;
        if (new != NULL && (new->path == 0 || went_back(&old->values, &new->values)))
            fail(checker, CHECK_BACK,
                 "allocated %" PRIu64 " then %" PRIu64 ", freed %" PRIu64 " then %" PRIu64
                 ", temporary %" PRIu64 " then %" PRIu64,
                 old->values.allocated_count, new->values.allocated_count, old->values.freed_count,
                 new->values.freed_count, old->values.temporary_count, new->values.temporary_count);
    }
    free(checker->seen);
    checker->seen = now.seen;
    checker->size = now.size;
    free(paths);
}

static void check_peak(struct checker *checker, const struct capture_values *totals)
{
    if (totals->peak_size < live_size(totals))
        fail(checker, CHECK_PEAK, "peak %" PRIu64 " below %" PRIu64 " live", totals->peak_size,
             live_size(totals));
    if (totals->peak_size < checker->peak - checker->peak / 100)
        fail(checker, CHECK_PEAK, "peak %" PRIu64 " after one of %" PRIu64, totals->peak_size,
             checker->peak);
    if (totals->peak_size > checker->peak)
        checker->peak = totals->peak_size;
}

void check_capture(struct checker *checker, const struct capture *capture)
{
    struct capture_values sum = {0};
    checker->captures++;
    for (uint32_t i = 0; i < capture->context_count; i++) {
        check_context(checker, &capture->contexts[i].values);
        values_add_checked(&sum, &capture->contexts[i].values);
    }
    if (!same_totals(&sum, &capture->totals))
        fail(checker, CHECK_TOTALS, "%" PRIu64 " bytes live, %" PRIu64 " in all contexts",
             live_size(&capture->totals), live_size(&sum));
    check_lists(checker, capture);
    check_back(checker, capture);
    check_peak(checker, &capture->totals);
    for (int i = 0; i < TS_DROP_COUNT; i++)
        if (capture->drops[i] != 0)
            fail(checker, CHECK_DROPS, "%" PRIu64 " of cause %d", capture->drops[i], i);
}

void check_raw(struct checker *checker, const char *region)
{
    struct source_file file;
    struct counters counters;
    struct error error = {""};
    if (source_file_open(&file, region, false, &error) != 0) {
        fail(checker, CHECK_RAW, "%s", error.text);
        return;
    }
    if (counters_read(&counters, &file, &error) != 0)
        fail(checker, CHECK_RAW, "%s", error.text);
    for (uint32_t i = 0; i < counters.count; i++) {
        const struct capture_values *values = &counters.values[i];
        if (values->freed_count > values->allocated_count ||
            values->freed_size > values->allocated_size || (int64_t)values->peak_count < 0 ||
            (int64_t)values->peak_size < 0)
            fail(checker, CHECK_RAW,
                 "context %" PRIu32 ": %" PRIu64 " blocks allocated, %" PRIu64 " freed, %" PRId64
                 " at the peak", i, values->allocated_count, values->freed_count,
                 (int64_t)values->peak_count);
    }
    free(counters.values);
    source_file_close(&file);
}

void checker_cleared(struct checker *checker)
{
    free(checker->seen);
    checker->seen = NULL;
    checker->size = 0;
    checker->peak = 0;
    checker->filled = false;
}

void checker_end(struct checker *checker)
{
    checker_cleared(checker);
}
