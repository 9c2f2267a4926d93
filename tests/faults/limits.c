/*
 * A program that limits its own addresses and memory after it started: what it could do untraced,
 * it can do traced, and is traced on. Argument: where the limit is set.
 */
#include "tests/faults/fault.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define MIB ((size_t)1 << 20)
#define BLOCKS 100

static void use_half_of(size_t limit)
{
    void *blocks[BLOCKS];
    FAULT_MALLOC(1);
    size_t before = fault_live();
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = FAULT_MALLOC(limit / 2 / BLOCKS);
        FAULT_TRUE(blocks[i] != NULL);
    }
    FAULT_EQUAL(fault_live() - before, limit / 2 / BLOCKS * BLOCKS);
}

static void limit_addresses(size_t size)
{
    struct rlimit limit = {size, size};
    FAULT_EQUAL(setrlimit(RLIMIT_AS, &limit), 0);
    use_half_of(size);
}

static void in_child(void (*work)(size_t), size_t argument)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        work(argument);
        _exit(0);
    }
    FAULT_EQUAL(waitpid(pid, &status, 0), pid);
    FAULT_EQUAL(status, 0);
}

static void lock(size_t size)
{
    struct rlimit limit = {size, size};
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0)
        _exit(77); /* the hard limit is lower */
    if (geteuid() == 0)
        FAULT_EQUAL(setuid(65534), 0);
    FAULT_EQUAL(mlockall(MCL_CURRENT), 0);
}

int main(int argc, char **argv)
{
    if (strcmp(argv[1], "own") == 0)
        limit_addresses(300 * MIB);
    else if (strcmp(argv[1], "child") == 0)
        in_child(limit_addresses, 300 * MIB);
    else if (strcmp(argv[1], "parent") == 0) {
        limit_addresses(600 * MIB);
        in_child(use_half_of, 200 * MIB);
    } else {
        lock(64 * MIB);
    }
    return 0;
}
