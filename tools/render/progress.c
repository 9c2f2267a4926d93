/*
 * Shows progress from a timer's signal: the work itself, in elfutils for the most part, knows
 * nothing of it. The handler calls nothing but write.
 */
#include "tools/render/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define FIRST_US 1000000
#define NEXT_US 250000
#define BAR_WIDTH 20

static const char *volatile subject;
static volatile sig_atomic_t steps;
static volatile sig_atomic_t shown;

static void put(const char *text, size_t length)
{
    ssize_t written = write(STDERR_FILENO, text, length);
    shown = written > 0;
}

/* A block that moves to and fro: how much is left to do, nobody knows before the end. */
static void show(int signal)
{
    (void)signal;
    int saved = errno;
    char bar[] = "\r[                    ] ";
    int at = steps % (2 * (BAR_WIDTH - 3));
    int left = at < BAR_WIDTH - 3 ? at : 2 * (BAR_WIDTH - 3) - at;
    memcpy(bar + 2 + left, "===", 3);
    put(bar, sizeof(bar) - 1);
    put(subject, strlen(subject));
    steps = steps + 1;
    errno = saved;
}

static void set_timer(long first, long next)
{
    struct itimerval timer = {
        .it_interval = {next / 1000000, next % 1000000},
        .it_value = {first / 1000000, first % 1000000},
    };
    setitimer(ITIMER_REAL, &timer, NULL);
}

void progress_begin(const char *what)
{
    struct sigaction action = {.sa_handler = show, .sa_flags = SA_RESTART};
    if (!isatty(STDERR_FILENO))
        return;
    subject = what;
    steps = 0;
    sigaction(SIGALRM, &action, NULL);
    set_timer(FIRST_US, NEXT_US);
}

void progress_clear(void)
{
    if (shown)
        put("\r\033[K", 4);
    shown = false;
}

void progress_end(void)
{
    if (!subject)
        return;
    set_timer(0, 0);
    signal(SIGALRM, SIG_DFL);
    progress_clear();
    subject = NULL;
}
