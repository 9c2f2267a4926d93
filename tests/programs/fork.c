/*
 * fork: the child's region starts from what lives in the parent, under the parent's lines, and goes
 * on by itself; the parent's is not touched. The child forks again. A child gets its region at its
 * first allocation, so what it freed before that is in none.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <sys/wait.h>

static void *blocks[30];

static void allocate(int from, int to, size_t size)
{
    for (int i = from; i < to; i++)
        blocks[i] = EXPECT_MALLOC(size);
}

static void release(int from, int to)
{
    for (int i = from; i < to; i++)
        EXPECT_FREE(blocks[i]);
}

/* Runs `work` in a child; returns when the child has made its report. */
static pid_t in_child(void (*work)(void))
{
    int ends[2];
    char byte = 0;
    EXPECT_TRUE(pipe(ends) == 0);
    pid_t pid = fork();
    EXPECT_TRUE(pid >= 0);
    if (pid == 0) {
        work();
        expect_print();
        EXPECT_TRUE(write(ends[1], &byte, 1) == 1);
        expect_wait();
        while (wait(NULL) > 0)
            ;
        _exit(0);
    }
    EXPECT_TRUE(read(ends[0], &byte, 1) == 1);
    close(ends[0]);
    close(ends[1]);
    return pid;
}

static void grandchild(void)
{
    release(12, 14);
    expect_forked();
    EXPECT_CALLOC(5, 5);
}

static void child(void)
{
    release(0, 5);
    expect_forked();
    allocate(20, 25, 64);
    blocks[10] = EXPECT_REALLOC(blocks[10], 333);
    in_child(grandchild);
    release(20, 21);
}

int main(void)
{
    allocate(0, 20, 128);
    release(15, 20);
    void *mine = EXPECT_MALLOC(99);
    pid_t pid = in_child(child);
    EXPECT_FREE(mine);
    allocate(25, 30, 17);
    expect_report();
    EXPECT_TRUE(waitpid(pid, NULL, 0) == pid);
    return 0;
}
