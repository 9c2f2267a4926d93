/*
 * Threads come and go: which shard a thread counts in, from its first allocation to its last.
 */
#ifndef TRACESNAP_SHIM_THREADS_H
#define TRACESNAP_SHIM_THREADS_H

#include "shim/counters.h"

/* Makes the key whose destructor tells that a thread ends: before any other thread counts. */
void threads_start(void);

struct shard *threads_attach(struct thread *thread);
/* The same for the thread that starts a forked child. */
struct shard *threads_begin(struct thread *thread);

/* The shard to count in; NULL when there is none (counted). threads_done when finished with it. */
static inline struct shard *threads_shard(struct thread *thread)
{
    return __builtin_expect(thread->shard != NULL, 1) ? thread->shard : threads_attach(thread);
}

/* A thread whose destructors ran borrows a shard for one operation. */
static inline void threads_done(struct thread *thread, struct shard *shard)
{
    if (__builtin_expect(thread->shard != shard, 0))
        shard_give(shard);
}

/* The thread gave itself a name. */
void threads_named(struct thread *thread, const char *name);

#endif
