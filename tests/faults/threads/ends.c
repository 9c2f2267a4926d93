/*
 * Threads whose first allocation or free is that of a key's destructor, in each of its rounds, or
 * that allocate in all of them: what they used is used again by those that come later. Arguments:
 * in which round (0 = as the thread runs, 9 = the destructor is free itself), how many threads, one
 * after the other, and where their stacks are: `cached`, one and the same, or `apart`, each at a
 * place of its own.
 */
#include "tests/faults/fault.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#define STACK_SIZE ((size_t)64 << 10)

static pthread_key_t key;
static int first_round;
static __thread int rounds;

static void at_end(void *value)
{
    if (++rounds >= first_round)
        free(FAULT_MALLOC(100));
    if (rounds < PTHREAD_DESTRUCTOR_ITERATIONS)
        pthread_setspecific(key, value);
}

static void *run(void *block)
{
    if (first_round == 0)
        free(FAULT_MALLOC(100));
    FAULT_EQUAL(pthread_setspecific(key, block), 0);
    return NULL;
}

int main(int argc, char **argv)
{
    FAULT_EQUAL(argc, 4);
    first_round = atoi(argv[1]);
    int threads = atoi(argv[2]), apart = strcmp(argv[3], "apart") == 0;
    char *stacks = mmap(NULL, STACK_SIZE * threads, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAULT_TRUE(stacks != MAP_FAILED);
    FAULT_EQUAL(pthread_key_create(&key, first_round == 9 ? free : at_end), 0);
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        if (apart)
            pthread_attr_setstack(&attributes, stacks + i * STACK_SIZE, STACK_SIZE);
        void *block = FAULT_MALLOC(1000);
        FAULT_EQUAL(pthread_create(&thread, &attributes, run, block), 0);
        FAULT_EQUAL(pthread_join(thread, NULL), 0);
        if (first_round != 9)
            free(block);
    }
    return 0;
}
