/*
 * Threads come and go. A thread's end is learned from the destructor of a pthread key. Other
 * destructors, those of all rounds, and libc's own clean-up of the thread still allocate and free
 * after that: each such operation borrows a shard, the thread's former one if it is free.
 *
 * To give the shard back at the first call, and not in the last round, is what makes sure that it
 * is: a thread whose first operation is that of another destructor (`free`, often) has missed some
 * rounds already, and does not know how many.
 */
#include "shim/threads.h"
#include "shim/live.h"
#include "shim/process.h"
#include "shim/record.h"
#include "shim/region.h"

#include <pthread.h>

/* Keys below this lie in the thread's control block: setting one never allocates (glibc, nptl). */
#define KEYS_INLINE 32

__thread struct thread thread_self __attribute__((tls_model("initial-exec")));

static pthread_key_t key;
static bool have_key;

/* If the thread is busy, it was unwound out of a hook, by a cancellation or pthread_exit in a
 * handler: what it was recording is lost. */
static void on_end(void *argument)
{
    struct thread *thread = argument;
    if (!process_is_tracing())
        return; /* a forked child that has not allocated yet: the shard is its parent's */
    struct shard *shard = thread->shard;
    if (thread->busy != THREAD_FREE)
        region_drop(TS_DROP_REENTRANT);
    thread->busy_frame = 0;
    thread->busy = THREAD_IN_SHIM;
    thread->ended = true;
    thread->former = shard;
    thread->shard = NULL;
    live_flush(thread); /* and from here on at once */
    if (shard != NULL) {
        ts_store_relaxed(&shard->inserting, 0);
        shard_distrust(shard);
        shard_give(shard);
    }
    record_deferred(thread);
    thread->busy = THREAD_FREE;
}

void threads_start(void)
{
    have_key = pthread_key_create(&key, on_end) == 0;
    if (have_key && key >= KEYS_INLINE) {
        pthread_key_delete(key);
        have_key = false;
    }
}

/*
 * A child that a signal handler forked out of a hook that had just seen its parent to be traced
 * comes here before it has a region: what it records now would be its parent's.
 */
__attribute__((noinline)) struct shard *threads_attach(struct thread *thread)
{
    if (process_is_tracing())
        return threads_begin(thread);
    process_early();
    return NULL;
}

struct shard *threads_begin(struct thread *thread)
{
    struct shard *shard = shard_take(thread);
    if (shard == NULL || thread->ended)
        return shard;
    thread->shard = shard;
    if (have_key)
        pthread_setspecific(key, thread);
    return shard;
}

void threads_named(struct thread *thread, const char *name)
{
    if (thread->shard != NULL)
        shard_set_name(thread->shard, name);
}
