/*
 * The end of threads: destructors of thread keys allocate and free when the thread's own state is
 * nearly gone, threads end by return, pthread_exit, cancellation, and detached.
 * @build -pthread
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <pthread.h>

static pthread_key_t key;
static pthread_barrier_t started;
static unsigned ended;

/* Comes back until the last round that pthread keys get (PTHREAD_DESTRUCTOR_ITERATIONS). */
static void at_thread_end(void *block)
{
    EXPECT_FREE(block);
    static __thread int rounds;
    if (++rounds < 4)
        pthread_setspecific(key, EXPECT_MALLOC(24));
    else
        __atomic_fetch_add(&ended, 1, __ATOMIC_RELEASE);
}

static void begin(void)
{
    EXPECT_HIDDEN(EXPECT_TRUE(pthread_setspecific(key, EXPECT_CALLOC(2, 50)) == 0));
}

static void *returns(void *unused)
{
    begin();
    return unused;
}

static void *exits(void *unused)
{
    void *kept;
    begin();
    kept = EXPECT_MALLOC(70);
    EXPECT_HIDDEN(pthread_exit(kept));
    return unused;
}

static void clean_up(void *block)
{
    EXPECT_FREE(block);
}

static void *waits(void *unused)
{
    begin();
    void *block = EXPECT_MALLOC(600);
    pthread_cleanup_push(clean_up, block);
    pthread_barrier_wait(&started);
    EXPECT_HIDDEN(for (;;) pause());
    pthread_cleanup_pop(1);
    return unused;
}

static void join_one(void *(*work)(void *), bool cancel)
{
    pthread_t thread;
    EXPECT_HIDDEN(EXPECT_TRUE(pthread_create(&thread, NULL, work, NULL) == 0));
    if (cancel) {
        pthread_barrier_wait(&started);
        EXPECT_HIDDEN(pthread_cancel(thread));
    }
    EXPECT_TRUE(pthread_join(thread, NULL) == 0);
}

int main(void)
{
    pthread_t thread;
    pthread_attr_t detached;
    pthread_barrier_init(&started, NULL, 2);
    EXPECT_TRUE(pthread_key_create(&key, at_thread_end) == 0);
    for (int i = 0; i < 10; i++) {
        join_one(returns, false);
        join_one(exits, false);
        join_one(waits, true);
    }
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 10; i++)
        EXPECT_HIDDEN(EXPECT_TRUE(pthread_create(&thread, &detached, returns, NULL) == 0));
    while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) < 40)
        usleep(1000);
    expect_report();
    return 0;
}
