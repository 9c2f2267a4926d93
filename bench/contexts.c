/*
 * The program whose snapshots are measured: 2^17 = 131,072 different call stacks, each holding its own
 * blocks. When they are allocated it says "ready" and then obeys one-letter commands on stdin, until its
 * end:
 *
 *     b    a second thread begins to allocate, free and read the clock without pause
 *     e    it ends that; the answer is "GAP ROUNDS": the longest time between two of its readings of the
 *          clock in nanoseconds, and how many there were. Whoever stops the process makes a gap
 *
 * usage: contexts BLOCKS CPU    blocks that each stack holds; processor for the thread, -1 = any
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK_SIZE = 48 };

struct block {
    struct block *next;
    char rest[BLOCK_SIZE - sizeof(struct block *)];
};

static struct block *kept;
static int blocks_per_stack;

static atomic_bool wanted;  /* main thread: the other one shall run */
static atomic_bool running; /* it does */
static uint64_t longest_gap;
static uint64_t rounds;

/*
 * A level of the tree has two functions, and each calls both of the next level. The comment handed to the
 * assembler differs from function to function, so that the compiler folds no two into one, and it stands
 * behind the last call, so that no call becomes a jump.
 */
#define DIFFERENT(side, level) __asm__ volatile("# " #side " " #level ::: "memory")

#define LEAF(side, level)                                                                          \
    static __attribute__((noinline)) void side##_##level(void)                                     \
    {                                                                                              \
        for (int i = 0; i < blocks_per_stack; i++) {                                               \
            struct block *block = malloc(sizeof(*block));                                          \
            if (!block)                                                                            \
                abort();                                                                           \
            block->next = kept;                                                                    \
            kept = block;                                                                          \
        }                                                                                          \
        DIFFERENT(side, level);                                                                    \
    }

#define BRANCH(side, level, next)                                                                  \
    static __attribute__((noinline)) void side##_##level(void)                                     \
    {                                                                                              \
        left_##next();                                                                             \
        right_##next();                                                                            \
        DIFFERENT(side, level);                                                                    \
    }

#define LEVEL(level, next) BRANCH(left, level, next) BRANCH(right, level, next)

LEAF(left, 17)
LEAF(right, 17)
LEVEL(16, 17)
LEVEL(15, 16)
LEVEL(14, 15)
LEVEL(13, 14)
LEVEL(12, 13)
LEVEL(11, 12)
LEVEL(10, 11)
LEVEL(9, 10)
LEVEL(8, 9)
LEVEL(7, 8)
LEVEL(6, 7)
LEVEL(5, 6)
LEVEL(4, 5)
LEVEL(3, 4)
LEVEL(2, 3)
LEVEL(1, 2)

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

static void measure(void)
{
    longest_gap = 0;
    rounds = 0;
    uint64_t last = now();
    while (atomic_load(&wanted)) {
        void *volatile block = malloc(BLOCK_SIZE);
        free(block);
        uint64_t time = now();
        if (time - last > longest_gap)
            longest_gap = time - last;
        last = time;
        rounds++;
    }
}

static void *busy_thread(void *argument)
{
    int cpu = *(int *)argument;
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        sched_setaffinity(0, sizeof(set), &set);
    }
    for (;;) {
        if (!atomic_load(&wanted)) {
            pause_briefly();
            continue;
        }
        atomic_store(&running, 1);
        measure();
        atomic_store(&running, 0);
    }
    return NULL;
}

static void obey(char command)
{
    if (command != 'b' && command != 'e')
        return;
    atomic_store(&wanted, command == 'b');
    while (atomic_load(&running) != (command == 'b'))
        pause_briefly();
    if (command == 'e')
        dprintf(STDOUT_FILENO, "%llu %llu\n", (unsigned long long)longest_gap,
                (unsigned long long)rounds);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        dprintf(STDERR_FILENO, "usage: contexts BLOCKS CPU\n");
        return 2;
    }
    blocks_per_stack = atoi(argv[1]);
    static int cpu;
    cpu = atoi(argv[2]);
    left_1();
    right_1();

    pthread_t thread;
    if (pthread_create(&thread, NULL, busy_thread, &cpu) != 0) {
        dprintf(STDERR_FILENO, "contexts: no second thread\n");
        return 2;
    }
    dprintf(STDOUT_FILENO, "ready\n");

    char command;
    while (read(STDIN_FILENO, &command, 1) == 1)
        obey(command);
    return 0;
}
