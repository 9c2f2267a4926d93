/*
 * Many threads one after the other, a few at a time: what a thread allocated outlives it, and a
 * thread that ended gives its counters on to a later one without losing them.
 * @build -pthread
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <pthread.h>

#define GENERATIONS 400
#define AT_A_TIME 5

static void *work(void *block)
{
    EXPECT_FREE(block);
    void *scratch = EXPECT_MALLOC(1000);
    void *result = EXPECT_MALLOC(16);
    EXPECT_FREE(scratch);
    return result;
}

int main(void)
{
    pthread_t threads[AT_A_TIME];
    void *blocks[AT_A_TIME] = {NULL};
    for (int generation = 0; generation < GENERATIONS; generation++) {
        for (int i = 0; i < AT_A_TIME; i++)
            EXPECT_HIDDEN(EXPECT_TRUE(pthread_create(&threads[i], NULL, work, blocks[i]) == 0));
        for (int i = 0; i < AT_A_TIME; i++) {
            pthread_join(threads[i], &blocks[i]);
            if (generation % 4 == 0)
                blocks[i] = EXPECT_MALLOC(48); /* the thread's own block stays */
        }
    }
    expect_report();
    return 0;
}
