/*
 * A thread is ended inside an allocation: a signal comes in the next allocator, and its handler
 * calls pthread_exit. What a cleanup handler and the key's destructors of all rounds free is
 * counted as ever. Prints how many such threads there were.
 */
#include "tests/faults/fault.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>

#define THREADS 50

extern int raise_now; /* of raiser.c */
static pthread_key_t key;

static void on_signal(int number)
{
    (void)number;
    pthread_exit(NULL);
}

static void at_end(void *block)
{
    static __thread int rounds;
    free(block);
    if (++rounds < PTHREAD_DESTRUCTOR_ITERATIONS)
        FAULT_EQUAL(pthread_setspecific(key, FAULT_MALLOC(24)), 0);
}

static void *run(void *unused)
{
    void *block = FAULT_MALLOC(600);
    FAULT_EQUAL(pthread_setspecific(key, FAULT_MALLOC(60)), 0);
    pthread_cleanup_push(free, block);
    raise_now = 1;
    fault_opaque(malloc(7));
    pthread_cleanup_pop(1);
    return unused;
}

int main(void)
{
    FAULT_EQUAL(pthread_key_create(&key, at_end), 0);
    signal(SIGUSR1, on_signal);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        FAULT_EQUAL(pthread_create(&thread, NULL, run, NULL), 0);
        FAULT_EQUAL(pthread_join(thread, NULL), 0);
    }
    printf("%d\n", THREADS);
    return 0;
}
