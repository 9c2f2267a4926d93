/*
 * The order of rows: tracemalloc's, with another key in front where another one was asked for.
 */
#include "tools/model/model.h"

#include <stdlib.h>

struct order {
    enum report_sort sort;
    bool is_diff;
};

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

static uint64_t sort_key(const struct report_row *row, const struct order *order)
{
    const struct capture_values *values = &row->values, *old = &row->old_values;
    uint64_t now = 0, before = 0;
    switch (order->sort) {
    case SORT_SIZE:
        now = row->size;
        before = old->allocated_size - old->freed_size;
        break;
    case SORT_COUNT:
        now = row->count;
        before = old->allocated_count - old->freed_count;
        break;
    case SORT_PEAK:
        now = values->peak_size;
        before = old->peak_size;
        break;
    case SORT_ALLOCATED:
        now = values->allocated_size;
        before = old->allocated_size;
        break;
    case SORT_TEMPORARY:
        now = values->temporary_count;
        before = old->temporary_count;
        break;
    }
    return order->is_diff ? distance(now, before) : now;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

/* The bigger comes first. */
#define COMPARE(x, y)                \
    do {                             \
        uint64_t x_ = (x), y_ = (y); \
        if (x_ != y_)                \
            return x_ > y_ ? -1 : 1; \
    } while (0)

static int compare_groups(const void *a, const void *b, void *context)
{
    const struct group *x = *(const struct group *const *)a, *y = *(const struct group *const *)b;
    const struct order *order = context;
    COMPARE(sort_key(&x->row, order), sort_key(&y->row, order));
    if (order->is_diff)
        COMPARE(magnitude(x->row.size_diff), magnitude(y->row.size_diff));
    COMPARE(x->row.size, y->row.size);
    if (order->is_diff)
        COMPARE(magnitude(x->row.count_diff), magnitude(y->row.count_diff));
    COMPARE(x->row.count, y->row.count);
    if (x->stack != NULL && y->stack != NULL)
        COMPARE(x->stack->rank, y->stack->rank);
    COMPARE(y->seen, x->seen); /* rows of one stack, or of domains alone */
    return place_compare(&y->row.place, &x->row.place);
}

void groups_sort(struct builder *builder, bool is_diff)
{
    struct order order = {builder->options->sort, is_diff};
    if (builder->group_count > 1)
        qsort_r(builder->group_list, builder->group_count, sizeof(struct group *), compare_groups,
                &order);
}
