/*
 * Snapshots from inside while other threads come and go through many stacks, each holding one block
 * of 1000 bytes at most. A snapshot that cannot be written leaves what was there.
 */
#include "tests/faults/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define THREADS 3
#define SNAPSHOTS 60

static int stop;

static __attribute__((noipa)) void hold(uint64_t path, int depth)
{
    if (depth == 0)
        free(FAULT_MALLOC(1000));
    else if (path & 1)
        hold(path >> 1, depth - 1);
    else
        hold(path >> 1, depth - 1);
    __asm__ volatile("");
}

static void *work(void *argument)
{
    uint64_t state = (uintptr_t)argument + 88172645463325252u;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        hold(state, 10);
    }
    return NULL;
}

static void fail(const char *path)
{
    struct rlimit limit = {65536, RLIM_INFINITY};
    struct stat before, after;
    char name[64];
    signal(SIGXFSZ, SIG_IGN);
    FAULT_EQUAL(stat(path, &before), 0);
    FAULT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
    errno = 0;
    FAULT_EQUAL(tracesnap_take_snapshot(path), -1);
    FAULT_EQUAL(errno, EFBIG);
    FAULT_EQUAL(stat(path, &after), 0);
    FAULT_TRUE(before.st_size == after.st_size && before.st_ino == after.st_ino);
    FAULT_EQUAL(tracesnap_take_snapshot("no/such/directory"), -1);
    FAULT_EQUAL(errno, ENOENT);
}

int main(void)
{
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++)
        FAULT_EQUAL(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    for (int i = 0; i < SNAPSHOTS; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.tsnap", i);
        FAULT_EQUAL(tracesnap_take_snapshot(name), 0);
        FAULT_EQUAL(tracesnap_take_snapshot("again.tsnap"), 0);
        if (i % 8 == 0)
            FAULT_EQUAL(tracesnap_reset_peak(), 0);
    }
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    FAULT_EQUAL(mkfifo("fifo", 0600), 0);
    int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    FAULT_TRUE(reader >= 0 && fcntl(reader, F_SETPIPE_SZ, 1 << 20) >= 1 << 20);
    FAULT_EQUAL(tracesnap_take_snapshot("fifo"), 0);
    FAULT_EQUAL(close(reader), 0);
    fail("again.tsnap");
    return 0;
}
