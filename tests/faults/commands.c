/*
 * Four threads allocate, move and free, each also what others allocated, while commands come from
 * outside. When told to stop (a byte on stdin), they free everything: then exactly nothing is live,
 * whatever was forgotten.
 */
#include "tests/faults/fault.h"

#include <pthread.h>

#define THREADS 4
#define SLOTS 512

static void *slots[SLOTS]; /* by exchange */
static int stop;

static void *work(void *argument)
{
    uint64_t state = (uintptr_t)argument * 2654435761u + 1;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        void *have = __atomic_exchange_n(&slots[state % SLOTS], NULL, __ATOMIC_ACQ_REL);
        size_t size = state >> 20 & 1023;
        if ((state >> 40) % 4 == 0)
            have = fault_opaque(realloc(have, size + 1));
        else if ((state >> 40) % 2 == 0)
            free(have), have = NULL;
        else if (have == NULL)
            have = FAULT_MALLOC((state >> 41) % 64 == 0 ? size << 12 : size);
        free(__atomic_exchange_n(&slots[state >> 50 & (SLOTS - 1)], have, __ATOMIC_ACQ_REL));
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    char byte;
    for (intptr_t i = 0; i < THREADS; i++)
        FAULT_EQUAL(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    FAULT_EQUAL(write(1, "go\n", 3), 3);
    FAULT_EQUAL(read(0, &byte, 1), 1);
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SLOTS; i++)
        free(slots[i]);
    char answer[] = {fault_live() == 0 ? 'y' : 'n', '\n'};
    FAULT_EQUAL(write(1, answer, 2), 2);
    FAULT_EQUAL(read(0, &byte, 1), 1);
    return 0;
}
