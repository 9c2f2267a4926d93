/*
 * Domains: what they are called, and which of them a row's blocks are of.
 */
#include "tools/model/model.h"

const char *const report_domains[] = {
#define X(name, text) [TS_DOMAIN_##name] = text,
    TS_DOMAIN_LIST(X)
#undef X
        NULL,
};

void domain_add(struct group *group, const struct capture_context *context, bool is_old)
{
    const struct capture_values *values = &context->values;
    struct report_share *share = &group->row.shares[context->domain];
    uint64_t count = values->allocated_count - values->freed_count;
    group->seen |= 1u << context->domain;
    if (is_old) {
        group->old_counts[context->domain] += count;
        return;
    }
    share->count += count;
    share->size += values->allocated_size - values->freed_size;
    share->peak_size += values->peak_size;
    share->allocated_size += values->allocated_size;
}

static uint64_t sort_key(const struct report_share *share, enum report_sort sort)
{
    switch (sort) {
    case SORT_COUNT:
        return share->count;
    case SORT_PEAK:
        return share->peak_size;
    case SORT_ALLOCATED:
    case SORT_TEMPORARY:
        return share->allocated_size;
    case SORT_SIZE:
        break;
    }
    return share->size;
}

/* The domains that the sort key is of, as bits. */
static unsigned domains_of(const struct group *group, enum report_sort sort)
{
    unsigned now = 0, before = 0;
    for (unsigned i = 0; i < TS_DOMAIN_COUNT; i++) {
        const struct report_share *share = &group->row.shares[i];
        now |= (sort == SORT_PEAK ? share->peak_size : share->count) != 0 ? 1u << i : 0;
        before |= group->old_counts[i] != 0 ? 1u << i : 0;
    }
    if (sort == SORT_ALLOCATED || sort == SORT_TEMPORARY)
        return group->seen;
    if (now == 0)
        now = before;
    return now != 0 ? now : group->seen;
}

void domain_finish(struct group *group, enum report_sort sort)
{
    struct report_row *row = &group->row;
    unsigned domains = domains_of(group, sort);
    for (unsigned i = 0; i < TS_DOMAIN_COUNT; i++) {
        if ((domains >> i & 1) == 0)
            continue;
        unsigned at = row->domain_count++;
        uint64_t key = sort_key(&row->shares[i], sort);
        for (; at > 0 && sort_key(&row->shares[row->domains[at - 1]], sort) < key; at--)
            row->domains[at] = row->domains[at - 1];
        row->domains[at] = i;
    }
}
