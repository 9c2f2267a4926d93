/*
 * Blocks that one thread allocates and another frees: the allocating line's live values go down,
 * whoever frees; no thread's share may count twice.
 * @build -pthread
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <pthread.h>

#define ITEMS 5000
#define QUEUE 128

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    void *items[QUEUE];
    unsigned head, tail;
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void put(void *item)
{
    pthread_mutex_lock(&queue.mutex);
    while (queue.head - queue.tail == QUEUE)
        pthread_cond_wait(&queue.changed, &queue.mutex);
    queue.items[queue.head++ % QUEUE] = item;
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.mutex);
}

static void *take(void)
{
    pthread_mutex_lock(&queue.mutex);
    while (queue.head == queue.tail)
        pthread_cond_wait(&queue.changed, &queue.mutex);
    void *item = queue.items[queue.tail++ % QUEUE];
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.mutex);
    return item;
}

static void *producer(void *unused)
{
    for (int i = 0; i < ITEMS; i++)
        put(EXPECT_MALLOC((size_t)(i % 100)));
    return unused;
}

static void *consumer(void *unused)
{
    for (int i = 0; i < ITEMS; i++) {
        void *item = take();
        if (i % 10 == 0)
            item = EXPECT_REALLOC(item, 200);
        else
            EXPECT_FREE(item);
    }
    return unused;
}

int main(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        EXPECT_HIDDEN(pthread_create(&threads[i], NULL, i % 2 ? consumer : producer, NULL));
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    expect_report();
    return 0;
}
