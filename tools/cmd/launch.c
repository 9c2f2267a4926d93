/*
 * fork, exec, wait. What the program's parent may not do to it: outlive its signals, or keep its
 * ending to itself.
 */
#include "tools/cmd/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int forwarded[] = {SIGTERM, SIGHUP};
static const int ignored[] = {SIGINT, SIGQUIT};
#define IDLE_PAUSE UINT64_C(1000000000) /* ns */
#define IDLE_SHARE 10                   /* of the time at most one part in so many */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static volatile pid_t child;

static void forward(int signal)
{
    int saved = errno;
    if (child > 0)
        kill(child, signal);
    errno = saved;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void exec_program(char **arguments, const sigset_t *mask, int report)
{
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(arguments[0], arguments);
    int error = errno;
    /* The parent reads end of file, if this should fail, and calls it a program that ended with
     * 127. */
    ssize_t written = write(report, &error, sizeof(error));
    _exit(written == sizeof(error) ? 127 : 125);
}

struct dispositions {
    struct sigaction ignored[COUNT(ignored)], forwarded[COUNT(forwarded)];
};

/* A signal that was ignored stays ignored: nohup must keep working. */
static void handle_signals(struct dispositions *old)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < COUNT(ignored); i++)
        sigaction(ignored[i], &action, &old->ignored[i]);
    action.sa_handler = forward;
    for (size_t i = 0; i < COUNT(forwarded); i++)
        if (sigaction(forwarded[i], NULL, &old->forwarded[i]) == 0 &&
            old->forwarded[i].sa_handler != SIG_IGN)
            sigaction(forwarded[i], &action, NULL);
}

/* From here on a signal means the tool itself again. */
static void restore_signals(const struct dispositions *old)
{
    for (size_t i = 0; i < COUNT(ignored); i++)
        sigaction(ignored[i], &old->ignored[i], NULL);
    for (size_t i = 0; i < COUNT(forwarded); i++)
        sigaction(forwarded[i], &old->forwarded[i], NULL);
}

/* Calls idle again and again until the child has ended: seldom where it takes long. */
static void while_it_runs(const struct launch *launch,
                          void (*idle)(const struct launch *launch, void *closure), void *closure)
{
    struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, launch->pid, 0), .events = POLLIN};
    uint64_t pause = IDLE_PAUSE;
    while (end.fd >= 0 && poll(&end, 1, (int)(pause / 1000000)) <= 0) {
        uint64_t start = now();
        idle(launch, closure);
        uint64_t took = now() - start;
        pause = took * IDLE_SHARE > IDLE_PAUSE ? took * IDLE_SHARE : IDLE_PAUSE;
    }
    if (end.fd >= 0)
        close(end.fd);
}

static void wait_for(struct launch *launch)
{
    int status = 0;
    while (waitpid(launch->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    child = 0;
    if (WIFSIGNALED(status)) {
        launch->signal = WTERMSIG(status);
        launch->status = 128 + launch->signal;
    } else
        launch->status = WEXITSTATUS(status);
}

int launch_program(struct launch *launch, char **arguments,
                   void (*idle)(const struct launch *launch, void *closure), void *closure)
{
    sigset_t block, mask;
    struct dispositions old;
    int ends[2];
    uint64_t start = now();
    *launch = (struct launch){0};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    sigemptyset(&block);
    for (size_t i = 0; i < COUNT(forwarded); i++)
        sigaddset(&block, forwarded[i]);
    sigprocmask(SIG_BLOCK, &block, &mask);
    launch->pid = fork();
    if (launch->pid == 0)
        exec_program(arguments, &mask, ends[1]);
    child = launch->pid;
    close(ends[1]);
    if (launch->pid > 0)
        handle_signals(&old);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (launch->pid < 0) {
        close(ends[0]);
        return -1;
    }
    ssize_t got;
    while ((got = read(ends[0], &launch->exec_error, sizeof(launch->exec_error))) < 0 &&
           errno == EINTR)
        continue;
    if (got != sizeof(launch->exec_error))
        launch->exec_error = 0;
    close(ends[0]);
    if (idle)
        while_it_runs(launch, idle, closure);
    wait_for(launch);
    restore_signals(&old);
    launch->elapsed = now() - start;
    if (launch->exec_error)
        launch->status = launch->exec_error == ENOENT ? 127 : 126;
    return 0;
}
