/*
 * What may go wrong between a sampled allocation and its end. Says what it has as estimates.c does,
 * each process for itself after a line "process PID". Usage: lives fork|clear|paused|refused
 */
#include "include/tracesnap.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCKS 4000
#define SIZE 1000
#define CHILDREN 8
#define PLACE __attribute__((noinline, noclone))

static void *kept[2][BLOCKS];

PLACE static void *before(void)
{
    void *block = malloc(SIZE);
    *(volatile char *)block = 1;
    return block;
}

PLACE static void *after(void)
{
    void *block = malloc(SIZE);
    *(volatile char *)block = 1;
    return block;
}

static void fill(void **blocks, void *(*allocate)(void))
{
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = allocate();
}

static void empty(void **blocks, int step)
{
    for (int i = 0; i < BLOCKS; i += step) {
        free(blocks[i]);
        blocks[i] = NULL;
    }
}

static void say_process(void)
{
    printf("process %ld\n", (long)getpid());
}

static void say(const char *place, int allocated, int live)
{
    printf("%s %d %d %d\n", place, SIZE, allocated, live);
}

/* Children have their parent's blocks, free some or all of them, and allocate as many. */
static void forked(void)
{
    fill(kept[0], before);
    for (int i = 0; i < CHILDREN; i++) {
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            int step = i % 2 + 1;
            fill(kept[1], after);
            empty(kept[0], step);
            say_process();
            say("before", BLOCKS, step == 1 ? 0 : BLOCKS / 2);
            say("after", BLOCKS, BLOCKS);
            fflush(stdout);
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
    fill(kept[1], after);
    say_process();
    say("before", BLOCKS, BLOCKS);
    say("after", BLOCKS, BLOCKS);
}

/* What was allocated before `from_here` counts for nothing, also when it is freed. */
static void count_from(int (*from_here)(void))
{
    fill(kept[0], before);
    from_here();
    fill(kept[1], after);
    empty(kept[0], 1);
    empty(kept[1], 2);
    say_process();
    say("before", 0, 0);
    say("after", BLOCKS, BLOCKS / 2);
}

static void cleared(void)
{
    count_from(tracesnap_clear_traces);
}

/* Begun with paused=1. */
static void paused(void)
{
    count_from(tracesnap_start);
}

/* More than there is: taken off what is left to the next sample, it would leave far too much. */
PLACE static void *too_much(void)
{
    volatile size_t size = (size_t)1 << 63 | (size_t)1 << 40;
    return malloc(size);
}

/* A realloc that fails leaves the block where it is, and with it what it counts. */
static void refused(void)
{
    volatile size_t most = SIZE_MAX / 2 - 100;
    for (int i = 0; i < BLOCKS; i++) {
        kept[0][i] = before();
        if (realloc(kept[0][i], most) != NULL || errno != ENOMEM || too_much() != NULL)
            abort();
        kept[1][i] = after();
    }
    empty(kept[0], 1);
    empty(kept[1], 2);
    say_process();
    say("before", BLOCKS, 0);
    say("after", BLOCKS, BLOCKS / 2);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*function)(void);
    } ways[] = {{"fork", forked}, {"clear", cleared}, {"paused", paused}, {"refused", refused}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (argc > 1 && strcmp(argv[1], ways[i].name) == 0) {
            ways[i].function();
            return 0;
        }
    }
    return 2;
}
