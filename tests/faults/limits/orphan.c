/*
 * A forked child finds no place for its region; when its own child allocates, there is one again.
 * Argument: the region directory.
 */
#include "tests/faults/limits/work.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/wait.h>

static const char *directory;
static char aside[4096];

static void print(void)
{
    char name[32];
    *work_number(name, (unsigned long long)getpid()) = '\0';
    work_print(name);
}

static void hide(void)
{
    FAULT_EQUAL(rename(directory, aside), 0);
    int fd = open(directory, O_WRONLY | O_CREAT | O_EXCL, 0600);
    FAULT_TRUE(fd >= 0);
    close(fd);
}

static void show(void)
{
    FAULT_EQUAL(unlink(directory), 0);
    FAULT_EQUAL(rename(aside, directory), 0);
}

static void in_child(void (*work)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        work();
        _exit(0);
    }
    FAULT_EQUAL(waitpid(pid, &status, 0), pid);
    FAULT_EQUAL(status, 0);
}

static void grandchild(void)
{
    work_stacks(8);
    FAULT_TRUE(!tracesnap_is_tracing());
}

static void child(void)
{
    work_stacks(8);
    FAULT_TRUE(!tracesnap_is_tracing());
    show();
    in_child(grandchild);
    in_child(grandchild);
}

int main(int argc, char **argv)
{
    directory = argv[1];
    strcpy(aside, directory);
    strcat(aside, ".aside");
    work_stacks(8);
    hide();
    in_child(child);
    work_stacks(9);
    print();
    return 0;
}
