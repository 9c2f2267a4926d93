/*
 * A program that takes memory of every kind when it is told to, and says how much of which:
 *
 *     memory FILE    FILE: of 6 MiB; a line on stdin begins the next step, "NAME=BYTES ..." answers
 *
 * Afterwards it waits, and touches nothing.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MIB (1ul << 20)

static pthread_barrier_t used;

static void *map(size_t size, int flags, int fd)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (at == MAP_FAILED)
        abort();
    return at;
}

static void *use_stack(void *unused)
{
    volatile char room[3 * MIB];
    for (size_t i = 0; i < sizeof(room); i += 4096)
        room[i] = 1;
    pthread_barrier_wait(&used);
    pause();
    return unused;
}

static void take_blocks(void)
{
    /* Below the size from which on malloc maps a block by itself: in the heap. */
    for (int i = 0; i < 64; i++)
        memset(malloc(100000), 1, 100000);
    printf("heap=%u\n", 64 * 100000);
}

static void take_map(void)
{
    memset(map(24 * MIB, MAP_PRIVATE | MAP_ANONYMOUS, -1), 1, 24 * MIB);
    printf("mapped=%lu\n", 24 * MIB);
}

static void take_stacks(void)
{
    pthread_t thread;
    pthread_barrier_init(&used, NULL, 3);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&thread, NULL, use_stack, NULL) != 0)
            abort();
    pthread_barrier_wait(&used);
    printf("stacks=%lu\n", 6 * MIB);
}

static void take_shared(void)
{
    int fd = memfd_create("shared", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 2 * MIB) != 0)
        abort();
    memset(map(2 * MIB, MAP_SHARED, fd), 1, 2 * MIB);
    memset(map(5 * MIB, MAP_SHARED | MAP_ANONYMOUS, -1), 1, 5 * MIB);
    printf("shared=%lu\n", 7 * MIB);
}

/* Six times a MiB of a file, one of them written to and so the process's own. */
static void take_file(const char *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    volatile char *at = fd >= 0 ? map(6 * MIB, MAP_PRIVATE, fd) : NULL;
    for (size_t i = 0; i < 6 * MIB; i += 4096)
        if (i < MIB)
            at[i] = 1;
        else
            (void)at[i];
    printf("file=%lu data=%lu\n", 5 * MIB, MIB);
}

/* The flags of the shim's own tables, but the program's memory. */
static void take_alike(void)
{
    char *at = map(16 * MIB, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    madvise(at, 16 * MIB, MADV_NOHUGEPAGE);
    memset(at, 1, 16 * MIB);
    printf("alike=%lu\n", 16 * MIB);
}

static void take_unused(void)
{
    char *volatile block = malloc(512 * MIB);
    printf("unused=%lu\n", block != NULL ? 512 * MIB : 0);
}

int main(int count, char **arguments)
{
    char line[16];
    if (count != 2)
        return 2;
    /* Huge pages would make more of a step than it says. */
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    setvbuf(stdout, NULL, _IOLBF, 256);
    free(malloc(100000));
    printf("ready=0\n");
    for (int step = 0; fgets(line, sizeof(line), stdin) != NULL; step++) {
        switch (step) {
        case 0: take_blocks(); break;
        case 1: take_map(); break;
        case 2: take_stacks(); break;
        case 3: take_shared(); break;
        case 4: take_file(arguments[1]); break;
        case 5: take_alike(); break;
        case 6: take_unused(); break;
        default: printf("end=%d\n", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
        }
    }
    return 0;
}
