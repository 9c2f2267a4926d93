/*
 * Runs a program and waits for it, out of its way: signals of the terminal go to the program, and
 * those that end a job are passed on to it.
 */
#ifndef TRACESNAP_TOOLS_CMD_LAUNCH_H
#define TRACESNAP_TOOLS_CMD_LAUNCH_H

#include <stdint.h>
#include <sys/types.h>

struct launch {
    pid_t pid;
    int status;       /* for exit(): the program's own, 128 + signal, 126, 127 */
    int signal;       /* that killed the program, or 0 */
    int exec_error;   /* errno of execvp, or 0 */
    uint64_t elapsed; /* ns */
};

/*
 * Runs the program; meanwhile calls idle(launch, closure) about once a second, unless idle is NULL
 * or the kernel cannot tell of a child's end (before Linux 5.3). 0, or -1 with errno set when no
 * process could be made.
 */
int launch_program(struct launch *launch, char **arguments,
                   void (*idle)(const struct launch *launch, void *closure), void *closure);

#endif
