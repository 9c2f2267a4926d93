/*
 * Included before everything else that the steps are taken in (-include): the accesses of
 * region/atomic.h, each preceded by a call of actor_step(), at which an actor may be left standing,
 * for a while or for ever. Nothing else of the code is changed.
 */
#ifndef TRACESNAP_TESTS_PROOF_HOOKS_H
#define TRACESNAP_TESTS_PROOF_HOOKS_H

#include "region/atomic.h"

void actor_step(void);

#undef ts_load_relaxed
#undef ts_load_acquire
#undef ts_store_relaxed
#undef ts_store_release
#undef ts_add_relaxed
#undef ts_add_acq_rel
#undef ts_exchange_acq_rel
#undef ts_cas_acq_rel
#undef ts_fence_seq_cst

#define ts_load_relaxed(p) (actor_step(), __atomic_load_n((p), __ATOMIC_RELAXED))
#define ts_load_acquire(p) (actor_step(), __atomic_load_n((p), __ATOMIC_ACQUIRE))
#define ts_store_relaxed(p, v) (actor_step(), __atomic_store_n((p), (v), __ATOMIC_RELAXED))
#define ts_store_release(p, v) (actor_step(), __atomic_store_n((p), (v), __ATOMIC_RELEASE))
#define ts_add_relaxed(p, v) (actor_step(), __atomic_fetch_add((p), (v), __ATOMIC_RELAXED))
#define ts_add_acq_rel(p, v) (actor_step(), __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL))
#define ts_exchange_acq_rel(p, v) (actor_step(), __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL))
#define ts_cas_acq_rel(p, expected, v)                                                             \
    (actor_step(), __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_ACQ_REL,      \
                                               __ATOMIC_ACQUIRE))
#define ts_fence_seq_cst() (actor_step(), __atomic_thread_fence(__ATOMIC_SEQ_CST))

/* Functions of region/atomic.h until here: the names inside are not replaced again. */
#define ts_pair_load(p) (actor_step(), ts_pair_load(p))
#define ts_pair_store(p, ...) (actor_step(), ts_pair_store(p, __VA_ARGS__))

#endif
