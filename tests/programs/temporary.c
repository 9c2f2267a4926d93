/*
 * Temporary blocks: freed with no other allocation of their thread in between. A free of an older
 * block in between does not matter, and another thread's allocation does not either.
 * @build -pthread
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <pthread.h>

static pthread_barrier_t barrier;

static void *other_thread(void *unused)
{
    for (int i = 0; i < 20; i++) {
        pthread_barrier_wait(&barrier);
        void *p = EXPECT_MALLOC(30);
        pthread_barrier_wait(&barrier);
        if (i % 2 == 0)
            EXPECT_FREE(p);
    }
    return unused;
}

int main(void)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    EXPECT_HIDDEN(pthread_create(&thread, NULL, other_thread, NULL));

    for (int i = 0; i < 100; i++)
        EXPECT_FREE(EXPECT_MALLOC((size_t)i));
    void *older = EXPECT_MALLOC(1);
    void *newer = EXPECT_MALLOC(2);
    EXPECT_FREE(older);
    EXPECT_FREE(newer);
    for (int i = 0; i < 20; i++) {
        void *mine = EXPECT_MALLOC(60);
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        EXPECT_FREE(mine);
    }
    pthread_join(thread, NULL);
    expect_report();
    return 0;
}
