/*
 * Prints what a program finds around itself: environment, threads, descriptors, signals, and the
 * state of dlerror and errno. Traced or not must be the same.
 */
#include "tests/faults/fault.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

extern char **environ;

static void count(const char *directory)
{
    int entries = 0;
    DIR *listing = opendir(directory);
    while (readdir(listing) != NULL)
        entries++;
    closedir(listing);
    printf("%s: %d\n", directory, entries);
}

static void print_signals(void)
{
    for (int i = 1; i < SIGRTMAX; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0)
            printf("signal %d: %s\n", i, action.sa_handler == SIG_DFL ? "default" : "other");
    }
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    for (int i = 1; i < SIGRTMAX; i++)
        if (sigismember(&mask, i) == 1)
            printf("blocked: %d\n", i);
}

static void *nothing(void *argument)
{
    free(FAULT_MALLOC(100));
    return argument;
}

int main(int argc, char **argv)
{
    printf("errno %d, dlerror %s\n", errno, dlerror() != NULL ? "set" : "none");
    for (char **variable = environ; *variable != NULL; variable++)
        printf("%s\n", *variable);
    printf("arguments %d %s\n", argc, argv[1]);
    free(FAULT_MALLOC(100000));
    pthread_t thread;
    FAULT_EQUAL(pthread_create(&thread, NULL, nothing, NULL), 0);
    FAULT_EQUAL(pthread_join(thread, NULL), 0);
    print_signals();
    count("/proc/self/task");
    count("/proc/self/fd");
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit limit;
        FAULT_EQUAL(getrlimit(i, &limit), 0);
        printf("limit %d: %ju %ju\n", i, (uintmax_t)limit.rlim_cur, (uintmax_t)limit.rlim_max);
    }
    return 0;
}
