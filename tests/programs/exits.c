/*
 * Every way out: whichever the process takes, what it held at that moment can be read afterwards.
 * @run return => 0
 * @run exit => 3
 * @run _exit => 4
 * @run quick_exit => 5
 * @run abort => -6
 * @run segv => -11
 * @run kill => -9
 * @run stack_overflow => -11
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <signal.h>
#include <string.h>

static void at_exit(void)
{
    void *volatile block;
    EXPECT_HIDDEN(block = malloc(100)); /* again after the report: must not hurt */
    free(block);
}

static __attribute__((noinline)) int overflow(volatile char *above)
{
    volatile char frame[4096];
    frame[0] = above[0];
    return overflow(frame) + frame[0];
}

static int leave(const char *how)
{
    if (strcmp(how, "return") == 0)
        return 0;
    if (strcmp(how, "exit") == 0)
        exit(3);
    if (strcmp(how, "_exit") == 0)
        _exit(4);
    if (strcmp(how, "quick_exit") == 0)
        quick_exit(5);
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "segv") == 0)
        raise(SIGSEGV);
    if (strcmp(how, "kill") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(how, "stack_overflow") == 0)
        return overflow((volatile char *)how);
    return 98;
}

int main(int argc, char **argv)
{
    void *blocks[10];
    EXPECT_TRUE(argc == 2);
    for (int i = 0; i < 10; i++)
        blocks[i] = EXPECT_MALLOC(1000);
    for (int i = 0; i < 5; i++)
        EXPECT_FREE(blocks[i]);
    at_exit();
    EXPECT_HIDDEN(atexit(at_exit));
    expect_report();
    return leave(argv[1]);
}
