/*
 * Blocks that one thread allocated are freed by another, which has no counters for them and gets
 * none: the file system of the regions has become full. Arguments: a file there, to fill it with;
 * "old" if the other thread has allocated before, under one stack.
 */
#include "tests/faults/limits/work.h"

#include <fcntl.h>
#include <pthread.h>

#define BITS 11
#define BLOCKS (1 << BITS)

static void *blocks[BLOCKS];

/* A stack for each number. */
static void take_zero(int i, int bits);

static __attribute__((noipa)) void take_one(int i, int bits)
{
    if (bits == 0)
        blocks[i] = work_take(100);
    else
        (i >> bits & 1 ? take_one : take_zero)(i, bits - 1);
    __asm__ volatile("");
}

static __attribute__((noipa)) void take_zero(int i, int bits)
{
    if (bits == 0)
        blocks[i] = work_take(100);
    else
        (i >> bits & 1 ? take_one : take_zero)(i, bits - 1);
    __asm__ volatile("");
}

static pthread_barrier_t begun, filled;

static void *give(void *old)
{
    if (old != NULL)
        work_give(work_take(5), 5);
    pthread_barrier_wait(&begun);
    pthread_barrier_wait(&filled);
    for (int i = 0; i < BLOCKS; i++)
        work_give(blocks[i], 100);
    return old;
}

static void fill(const char *path)
{
    static char zeros[4096];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    FAULT_TRUE(fd >= 0);
    while (write(fd, zeros, sizeof zeros) > 0)
        continue;
    close(fd);
}

int main(int argc, char **argv)
{
    pthread_t thread;
    pthread_barrier_init(&begun, NULL, 2);
    pthread_barrier_init(&filled, NULL, 2);
    FAULT_EQUAL(pthread_create(&thread, NULL, give, argv[2][0] == 'o' ? argv : NULL), 0);
    pthread_barrier_wait(&begun);
    for (int i = 0; i < BLOCKS; i++)
        take_zero(i, BITS - 1);
    fill(argv[1]);
    pthread_barrier_wait(&filled);
    FAULT_EQUAL(pthread_join(thread, NULL), 0);
    work_print("-");
    return 0;
}
