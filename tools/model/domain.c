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
    struct domain_share *share = &group->shares[context->domain];
    uint64_t count = values->allocated_count - values->freed_count;
    group->seen |= 1u << context->domain;
    if (is_old) {
        share->old_count += count;
        return;
    }
    share->count += count;
    group->row.domain_sizes[context->domain] += values->allocated_size - values->freed_size;
}

void domain_finish(struct group *group)
{
    unsigned now = 0, before = 0;
    for (unsigned i = 0; i < TS_DOMAIN_COUNT; i++) {
        now |= group->shares[i].count != 0 ? 1u << i : 0;
        before |= group->shares[i].old_count != 0 ? 1u << i : 0;
    }
    if (now == 0)
        now = before;
    group->row.domains = now != 0 ? now : group->seen;
}
