/*
 * Threads that allocate and free at the same lines at the same time, and are alive when the report
 * is made.
 * @build -pthread
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <pthread.h>

#define THREADS 8
#define ROUNDS 2000
#define KEPT 64

static pthread_barrier_t done, leave;

static __attribute__((noinline)) void *pick(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    size_t size = (*state >> 16) % 300;
    if (*state >> 31)
        return EXPECT_MALLOC(size);
    return EXPECT_CALLOC(1, size);
}

static void *work(void *number)
{
    void *kept[KEPT] = {NULL};
    unsigned state = (unsigned)(uintptr_t)number + 1;
    for (int i = 0; i < ROUNDS; i++) {
        EXPECT_FREE(kept[i % KEPT]);
        kept[i % KEPT] = pick(&state);
        if (i % 7 == 0)
            kept[i % KEPT] = EXPECT_REALLOC(kept[i % KEPT], (size_t)(i % 500 + 1));
    }
    pthread_barrier_wait(&done);
    pthread_barrier_wait(&leave);
    return kept[0];
}

int main(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&done, NULL, THREADS + 1);
    pthread_barrier_init(&leave, NULL, THREADS + 1);
    for (uintptr_t i = 0; i < THREADS; i++)
        EXPECT_HIDDEN(EXPECT_TRUE(pthread_create(&threads[i], NULL, work, (void *)i) == 0));
    pthread_barrier_wait(&done);
    expect_report();
    pthread_barrier_wait(&leave);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
