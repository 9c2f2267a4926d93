/*
 * Included before everything else that is compiled for ThreadSanitizer (-include): the pairs of
 * region/atomic.h as two atomic words, since the sanitizer does not see what inline assembly does.
 * That they are not torn is shown elsewhere (litmus.c).
 */
#ifndef TRACESNAP_TESTS_PROOF_RACE_H
#define TRACESNAP_TESTS_PROOF_RACE_H

#include "region/atomic.h"

static inline struct ts_pair race_pair_load(const struct ts_pair *p)
{
    struct ts_pair value = {ts_load_acquire(&p->count), ts_load_acquire(&p->size)};
    return value;
}

static inline void race_pair_store(struct ts_pair *p, struct ts_pair value)
{
    ts_store_release(&p->count, value.count);
    ts_store_release(&p->size, value.size);
}

#define ts_pair_load race_pair_load
#define ts_pair_store race_pair_store

#endif
