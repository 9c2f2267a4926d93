/*
 * exec: the new program of the same process has a region of its own; the old program's stays
 * readable and is what it was at the exec. Through fork, vfork and posix_spawn, too, which must
 * leave the parent's alone.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static void *kept;

static void succeed(pid_t pid)
{
    int status;
    EXPECT_TRUE(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

static void run_children(char **argv)
{
    pid_t pid = vfork();
    if (pid == 0) {
        execv(argv[0], argv);
        _exit(127);
    }
    succeed(pid);
    EXPECT_HIDDEN(EXPECT_TRUE(posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) == 0));
    succeed(pid);
    pid = fork();
    if (pid == 0) {
        execv(argv[0], argv);
        _exit(127);
    }
    succeed(pid);
}

static int second_program(bool is_child)
{
    for (int i = 0; i < 7; i++)
        kept = EXPECT_MALLOC(70);
    if (is_child) {
        expect_print();
        return 0;
    }
    expect_program = 1;
    expect_report();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return second_program(strcmp(argv[1], "child") == 0);
    for (int i = 0; i < 9; i++)
        kept = EXPECT_MALLOC(900);
    char *child[] = {argv[0], (char *)"child", NULL};
    char *again[] = {argv[0], (char *)"again", NULL};
    run_children(child);
    EXPECT_FREE(kept);
    expect_print();
    execv(again[0], again);
    return 98;
}
