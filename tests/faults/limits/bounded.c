/*
 * A program that limits itself: its own process after some allocations, or a forked child before its
 * first. Then it does what it could do untraced. Arguments: "self" or "child", the limit's number, its
 * value; nothing is limited without them. Prints each process's own count, by pid.
 */
#include "tests/faults/limits/work.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define BITS 10

static void print(void)
{
    char name[32];
    *work_number(name, (unsigned long long)getpid()) = '\0';
    work_print(name);
}

static void bind(char **arguments)
{
    struct rlimit limit = {(rlim_t)atoll(arguments[1]), (rlim_t)atoll(arguments[1])};
    FAULT_EQUAL(setrlimit((__rlimit_resource_t)atoi(arguments[0]), &limit), 0);
}

static void *nothing(void *unused)
{
    return unused;
}

static void *exercise(void *unused)
{
    work_stacks(5);
    return unused;
}

static void in_thread(void *(*start)(void *))
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
    FAULT_EQUAL(pthread_create(&thread, &attributes, start, NULL), 0);
    FAULT_EQUAL(pthread_join(thread, NULL), 0);
}

/* What libc allocates for the first thread, and keeps for others. */
static void count_thread(void)
{
    size_t before = tracesnap_is_tracing() ? fault_live() : 0;
    in_thread(nothing);
    size_t size = tracesnap_is_tracing() ? fault_live() - before : 0;
    work_own.allocated_size += size;
    work_own.size += size;
    work_own.allocated_count += size != 0;
    work_own.count += size != 0;
}

int main(int argc, char **argv)
{
    bool child = argc > 3 && strcmp(argv[1], "child") == 0;
    signal(SIGXFSZ, SIG_DFL);
    work_stacks(5);
    count_thread();
    if (argc > 3 && !child)
        bind(argv + 2);
    pid_t pid = fork();
    if (pid == 0) {
        if (child)
            bind(argv + 2);
        work_inherit();
        work_stacks(BITS);
        print();
        _exit(0);
    }
    int status;
    FAULT_EQUAL(waitpid(pid, &status, 0), pid);
    FAULT_EQUAL(status, 0);
    in_thread(exercise);
    work_stacks(BITS);
    work_give(work_take(1 << 20), 1 << 20);
    print();
    return 0;
}
