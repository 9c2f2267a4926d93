/*
 * Nested address ranges to disjoint segments: a sweep over the ranges by their start, with a stack
 * of those that are open.
 */
#include "tools/symbol/ranges.h"

#include "tools/base/strpool.h"

#include <stdlib.h>

struct sweep {
    struct segments out;
    size_t capacity;
    const struct range **open; /* innermost last */
    size_t depth;
};

static int compare_ranges(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    if (x->low != y->low) {
        return x->low < y->low ? -1 : 1;
    }
    if (x->high != y->high) {
        return x->high > y->high ? -1 : 1;
    }
    return (x->value > y->value) - (x->value < y->value);
}

static void emit(struct sweep *sweep, uint64_t address, uint32_t value)
{
    struct segments *out = &sweep->out;
    if (address - out->base > UINT32_MAX) {
        return;
    }
    uint32_t start = (uint32_t)(address - out->base);
    if (out->count != 0 && out->items[out->count - 1].start == start) {
        out->items[out->count - 1].value = value;
        return;
    }
    if (out->count != 0 && out->items[out->count - 1].value == value) {
        return;
    }
    out->items = memory_grow(out->items, out->count, &sweep->capacity, sizeof *out->items);
    out->items[out->count++] = (struct segment){.start = start, .value = value};
}

/* Ends the open ranges up to `address`; what is below each of them goes on. */
static void close_until(struct sweep *sweep, uint64_t address)
{
    while (sweep->depth != 0 && sweep->open[sweep->depth - 1]->high <= address) {
        uint64_t end = sweep->open[--sweep->depth]->high;
        while (sweep->depth != 0 && sweep->open[sweep->depth - 1]->high <= end) {
            sweep->depth--;
        }
        emit(sweep, end, sweep->depth != 0 ? sweep->open[sweep->depth - 1]->value : RANGE_NONE);
    }
}

struct segments ranges_flatten(struct range *ranges, size_t count)
{
    if (count == 0) {
        return (struct segments){0};
    }
    qsort(ranges, count, sizeof *ranges, compare_ranges);
    struct sweep sweep = {.open = memory_resize(NULL, count, sizeof *sweep.open)};
    sweep.out.base = ranges[0].low;
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].low >= ranges[i].high) {
            continue;
        }
        close_until(&sweep, ranges[i].low);
        emit(&sweep, ranges[i].low, ranges[i].value);
        sweep.open[sweep.depth++] = &ranges[i];
    }
    close_until(&sweep, UINT64_MAX);
    free(sweep.open);
    sweep.out.items = memory_resize(sweep.out.items, sweep.out.count, sizeof *sweep.out.items);
    return sweep.out;
}

const struct segment *segments_find(const struct segments *segments, uint64_t address)
{
    uint64_t distance = address - segments->base;
    size_t low = 0, high = segments->count;
    if (address < segments->base || distance > UINT32_MAX) {
        return NULL;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (segments->items[middle].start <= distance) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0 || segments->items[low - 1].value == RANGE_NONE) {
        return NULL;
    }
    return &segments->items[low - 1];
}
