/*
 * Runs one program and says what it took. It is small on purpose: the kernel starts to count a
 * program's largest resident set with that of the process that it was forked from, and a script's
 * would hide it.
 *
 * usage: launch [--watch] OUTPUT [NAME=VALUE...] -- PROGRAM [ARGUMENT...]
 *
 * The variables are set for the program alone; its stdout goes to the file OUTPUT. Printed is one line:
 * PID STATUS WALL_NS CPU_US PEAK_KIB PRIVATE_KIB SHARED_KIB, with STATUS as wait(2) has it. The
 * last two are the largest anonymous memory and the largest resident part of files in memory,
 * tracesnap's region for one. The kernel keeps no such peaks: with --watch they are looked up every
 * millisecond, which would disturb the times; without they are 0.
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

enum { CANNOT_RUN = 127, WATCH_EVERY_NS = 1000000 };

struct watched {
    unsigned long private_kib;
    unsigned long shared_kib;
};

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
static void become(const char *output, char **variables, char **program)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (; strcmp(*variables, "--") != 0; variables++)
        putenv(*variables);
    int file = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file >= 0 && dup2(file, STDOUT_FILENO) >= 0)
        execv(program[0], program);
    perror(program[0]);
    _exit(CANNOT_RUN);
}

static void keep_larger(const char *text, const char *field, unsigned long *largest)
{
    const char *found = strstr(text, field);
    unsigned long value = found ? strtoul(found + strlen(field), NULL, 10) : 0;
    if (value > *largest)
        *largest = value;
}

static void look(pid_t pid, struct watched *watched)
{
    char path[64], text[4096];
    snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    ssize_t size = read(file, text, sizeof(text) - 1);
    close(file);
    text[size > 0 ? size : 0] = 0;
    keep_larger(text, "RssAnon:", &watched->private_kib);
    keep_larger(text, "RssShmem:", &watched->shared_kib);
}

/* Waits for the program's end; returns as wait4(2) does. watched: NULL if nobody is to look. */
static pid_t wait_for(pid_t pid, int *status, struct rusage *usage, struct watched *watched)
{
    while (watched) {
        pid_t ended = wait4(pid, status, WNOHANG, usage);
        if (ended != 0)
            return ended;
        look(pid, watched);
        nanosleep(&(struct timespec){.tv_nsec = WATCH_EVERY_NS}, NULL);
    }
    return wait4(pid, status, 0, usage);
}

int main(int argc, char **argv)
{
    int watch = argc > 1 && strcmp(argv[1], "--watch") == 0;
    argv += watch;
    argc -= watch;
    int first = 2;
    while (first < argc && strcmp(argv[first], "--") != 0)
        first++;
    if (first + 1 >= argc) {
        fprintf(stderr, "usage: launch [--watch] OUTPUT [NAME=VALUE...] -- PROGRAM [ARGUMENT...]\n");
        return 2;
    }

    int64_t begin = now();
    pid_t pid = fork();
    if (pid == 0)
        become(argv[1], argv + 2, argv + first + 1);
    int status;
    struct rusage usage;
    struct watched watched = {0};
    if (pid < 0 || wait_for(pid, &status, &usage, watch ? &watched : NULL) != pid) {
        perror("launch");
        return 2;
    }
    int64_t wall = now() - begin;
    int64_t cpu = microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime);
    printf("%ld %d %lld %lld %ld %lu %lu\n", (long)pid, status, (long long)wall, (long long)cpu,
           usage.ru_maxrss, watched.private_kib, watched.shared_kib);
    return 0;
}
