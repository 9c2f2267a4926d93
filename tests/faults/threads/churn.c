/*
 * Threads come and go, in batches that run at once, each of its own kind; all free what they
 * allocate, or what another thread did. Argument: how many. Prints how many bytes the threads have
 * allocated by `work`, by its own count.
 */
#include "tests/faults/fault.h"

#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#define BATCH 20

static sem_t ended, waiting;
static void *exchange[BATCH];
static uint64_t allocated;
static pthread_key_t key;

static __attribute__((noinline)) void *work(size_t size)
{
    void *block = FAULT_MALLOC(size);
    __atomic_fetch_add(&allocated, size, __ATOMIC_RELAXED);
    return block;
}

/* What this one leaves, a later one frees. */
static void pass_on(unsigned place, size_t size)
{
    free(__atomic_exchange_n(&exchange[place], work(size), __ATOMIC_ACQ_REL));
}

static void *returns(void *number)
{
    pass_on((uintptr_t)number % BATCH, 10 + (uintptr_t)number % 90);
    FAULT_EQUAL(pthread_setspecific(key, work(50)), 0); /* freed by the key's destructor */
    return NULL;
}

static void *exits(void *number)
{
    void *block = work(100 + (uintptr_t)number % 100);
    pthread_cleanup_push(free, block);
    pthread_exit(NULL);
    pthread_cleanup_pop(1);
    return NULL;
}

/* At a cancellation point, or where no call is made; the handler frees. */
static void *is_cancelled(void *asynchronously)
{
    void *block = work(300);
    pthread_cleanup_push(free, block);
    if (asynchronously)
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    sem_post(&waiting);
    while (asynchronously)
        __asm__ volatile("pause");
    for (;;)
        pause();
    pthread_cleanup_pop(1);
    return NULL;
}

static void *is_detached(void *number)
{
    pass_on((uintptr_t)number % BATCH, 400);
    sem_post(&ended);
    return NULL;
}

static void go_batch(uintptr_t first)
{
    static void *(*const kinds[])(void *) = {returns, exits, is_cancelled, is_cancelled};
    pthread_t threads[BATCH], detached;
    for (uintptr_t i = 0; i < BATCH - 1; i++) {
        uintptr_t kind = i % 4;
        void *argument = (void *)(kind < 2 ? first + i : kind - 2);
        FAULT_EQUAL(pthread_create(&threads[i], NULL, kinds[kind], argument), 0);
    }
    FAULT_EQUAL(pthread_create(&detached, NULL, is_detached, (void *)first), 0);
    pthread_detach(detached);
    for (uintptr_t i = 0; i < BATCH - 1; i++)
        if (i % 4 >= 2)
            while (sem_wait(&waiting) != 0)
                continue;
    for (uintptr_t i = 0; i < BATCH - 1; i++)
        if (i % 4 >= 2)
            FAULT_EQUAL(pthread_cancel(threads[i]), 0);
    for (uintptr_t i = 0; i < BATCH - 1; i++)
        FAULT_EQUAL(pthread_join(threads[i], NULL), 0);
    while (sem_wait(&ended) != 0)
        continue;
}

int main(int argc, char **argv)
{
    FAULT_EQUAL(argc, 2);
    sem_init(&ended, 0, 0);
    sem_init(&waiting, 0, 0);
    FAULT_EQUAL(pthread_key_create(&key, free), 0);
    for (uintptr_t i = 0; i < strtoul(argv[1], NULL, 10); i += BATCH)
        go_batch(i);
    for (int i = 0; i < BATCH; i++)
        free(exchange[i]);
    printf("%llu\n", (unsigned long long)allocated);
    return 0;
}
