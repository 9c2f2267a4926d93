/*
 * Runs one program and says what it took. It is small on purpose: the kernel starts to count a
 * program's largest resident set with that of the process that it was forked from, and a script's
 * would hide it.
 *
 * usage: launch [NAME=VALUE...] -- PROGRAM [ARGUMENT...]
 *
 * The variables are set for the program alone; its stdout goes to /dev/null. Printed is one line:
 * PID STATUS WALL_NS CPU_US PEAK_KIB, with STATUS as wait(2) has it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CANNOT_RUN = 127 };

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int64_t microseconds(const struct timeval *time)
{
    return (int64_t)time->tv_sec * 1000000 + time->tv_usec;
}

/* The child: the program, which must not outlive whoever waits for it. */
static void become(char **variables, char **program)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (; strcmp(*variables, "--") != 0; variables++)
        putenv(*variables);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
        execv(program[0], program);
    perror(program[0]);
    _exit(CANNOT_RUN);
}

int main(int argc, char **argv)
{
    int first = 1;
    while (first < argc && strcmp(argv[first], "--") != 0)
        first++;
    if (first + 1 >= argc) {
        fprintf(stderr, "usage: launch [NAME=VALUE...] -- PROGRAM [ARGUMENT...]\n");
        return 2;
    }

    int64_t begin = now();
    pid_t pid = fork();
    if (pid == 0)
        become(argv + 1, argv + first + 1);
    int status;
    struct rusage usage;
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        perror("launch");
        return 2;
    }
    int64_t wall = now() - begin;
    int64_t cpu = microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime);
    printf("%ld %d %lld %lld %ld\n", (long)pid, status, (long long)wall, (long long)cpu,
           usage.ru_maxrss);
    return 0;
}
