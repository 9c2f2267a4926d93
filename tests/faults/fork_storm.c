/*
 * Forks while other threads allocate by many stacks, and open and close libraries: each child
 * counts right, also in threads of its own, and remembers its rules.
 */
#include "tests/faults/fault.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>

#define CHILDREN 60

static int stop;

static __attribute__((noipa)) void *deeper(uint64_t path, int depth)
{
    void *block;
    if (depth == 0)
        return FAULT_MALLOC(path & 511);
    if (path & 1)
        block = deeper(path >> 1, depth - 1);
    else
        block = fault_opaque(deeper(path >> 1, depth - 1));
    return fault_opaque(block);
}

static void *work(void *argument)
{
    uint64_t state = (uintptr_t)argument + 88172645463325252u;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        free(deeper(state, 13));
    }
    return NULL;
}

static void *load(void *library)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        void *handle = dlopen(library, RTLD_NOW);
        FAULT_TRUE(handle != NULL);
        dlclose(handle);
    }
    return NULL;
}

static void *in_child(void *unused)
{
    void *blocks[100];
    free(FAULT_MALLOC(1)); /* a child is traced from its first allocation on */
    size_t before = fault_live();
    for (int i = 0; i < 100; i++)
        blocks[i] = FAULT_MALLOC(1000);
    FAULT_EQUAL(fault_live() - before, 100 * 1000);
    for (int i = 0; i < 100; i++)
        free(blocks[i]);
    FAULT_EQUAL(fault_live(), before);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[4], thread;
    int status;
    FAULT_EQUAL(argc, 2);
    for (intptr_t i = 0; i < 3; i++)
        FAULT_EQUAL(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    FAULT_EQUAL(pthread_create(&threads[3], NULL, load, argv[1]), 0);
    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(20);
            in_child(NULL);
            FAULT_EQUAL(pthread_create(&thread, NULL, in_child, NULL), 0);
            FAULT_EQUAL(pthread_join(thread, NULL), 0);
            _exit(0);
        }
        FAULT_EQUAL(waitpid(pid, &status, 0), pid);
        FAULT_EQUAL(status, 0);
    }
    stop = 1;
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
