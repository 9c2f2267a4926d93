/*
 * A program that does a little of everything, and the same each time: many stacks, a large heap that
 * shrinks, threads with small stacks, a forked child, a child of it. Prints each process's own
 * count, by pid, the same with the pid left out (argument "anonymous"). Marks the calls around its
 * parts by getpgid(-N), which fails.
 */
#include "tests/faults/limits/work.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>

#define BITS 9
#define MANY 20000

static bool anonymous;

static void print(void)
{
    char name[32], *to = name;
    if (!anonymous)
        to = work_number(to, (unsigned long long)getpid());
    else
        *to++ = '-';
    *to = '\0';
    work_print(name);
}

static void mark(int part)
{
    getpgid(-part);
}

static void *nothing(void *unused)
{
    return unused;
}

static void *exercise(void *unused)
{
    work_stacks(BITS);
    return unused;
}

static void in_thread(void *(*start)(void *))
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN + 16384);
    FAULT_EQUAL(pthread_create(&thread, &attributes, start, NULL), 0);
    FAULT_EQUAL(pthread_join(thread, NULL), 0);
}

/* What libc allocates for the first thread, and keeps for others. */
static void count_thread(void)
{
    size_t before = tracesnap_is_tracing() ? fault_live() : 0;
    in_thread(nothing);
    size_t size = tracesnap_is_tracing() ? fault_live() - before : 0;
    if (size == 0)
        size = 320; /* not known; nobody compares */
    work_own.allocated_size += size;
    work_own.size += size;
    work_own.allocated_count++;
    work_own.count++;
}

static void rise_and_fall(void)
{
    static void *blocks[MANY];
    for (int i = 0; i < MANY; i++)
        blocks[i] = work_take(100);
    for (int i = 0; i < MANY; i++)
        work_give(blocks[i], 100);
    work_give(work_take(3 << 20), 3 << 20);
}

static void in_child(void (*work)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        mark(2);
        work_inherit();
        work_take(10);
        mark(3);
        work();
        print();
        _exit(0);
    }
    FAULT_EQUAL(waitpid(pid, &status, 0), pid);
    FAULT_EQUAL(status, 0);
}

static void grandchild(void)
{
    work_stacks(3);
}

static void child(void)
{
    work_stacks(BITS);
    in_child(grandchild);
}

int main(int argc, char **argv)
{
    anonymous = argc > 1 && strcmp(argv[1], "anonymous") == 0;
    mark(1);
    work_stacks(BITS);
    count_thread();
    in_thread(exercise);
    rise_and_fall();
    in_child(child);
    work_stacks(BITS + 1);
    print();
    return 0;
}
