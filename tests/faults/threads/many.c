/*
 * Many threads are there at once; each allocates and frees its own known amount, and some of it is
 * freed by its neighbour, whose own destructors have run by then. Arguments: how many threads; how
 * many blocks the first one allocates, the others one more each, modulo 100. Prints bytes allocated
 * and bytes live in the end.
 */
#include "tests/faults/fault.h"

#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

#define STACK_SIZE ((size_t)64 << 10)
#define KEPT 7 /* bytes that each leaves */

static pthread_barrier_t all_there, all_done;
static pthread_key_t key;
static void **left; /* by each thread, for the next one's destructor */
static int count, first;

static __attribute__((noinline)) void *work(size_t size)
{
    return FAULT_MALLOC(size);
}

static void at_end(void *number)
{
    free(left[(uintptr_t)number - 1]);
}

static void *run(void *argument)
{
    uintptr_t number = (uintptr_t)argument;
    FAULT_EQUAL(pthread_setspecific(key, (void *)(number + 1)), 0);
    pthread_barrier_wait(&all_there);
    for (int i = 0; i < (first + (int)number) % 100; i++)
        free(work(number + 1));
    fault_opaque(work(KEPT));
    left[(number + 1) % (uintptr_t)count] = work(number + 1);
    pthread_barrier_wait(&all_done);
    return NULL;
}

int main(int argc, char **argv)
{
    FAULT_EQUAL(argc, 3);
    count = atoi(argv[1]);
    first = atoi(argv[2]);
    left = calloc((size_t)count, sizeof *left);
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_SIZE);
    FAULT_EQUAL(pthread_key_create(&key, at_end), 0);
    pthread_barrier_init(&all_there, NULL, (unsigned)count);
    pthread_barrier_init(&all_done, NULL, (unsigned)count);
    unsigned long long allocated = 0;
    for (int i = 0; i < count; i++) {
        allocated += (unsigned long long)((first + i) % 100 + 1) * (unsigned)(i + 1) + KEPT;
        if (pthread_create(&threads[i], &small, run, (void *)(uintptr_t)i) != 0)
            _exit(77);
    }
    for (int i = 0; i < count; i++)
        FAULT_EQUAL(pthread_join(threads[i], NULL), 0);
    printf("%llu %d\n", allocated, count * KEPT);
    return 0;
}
