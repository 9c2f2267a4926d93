/*
 * A forked child that allocates late: its parent has gone on, and has new stacks, slabs and modules
 * of its own by then. The environment is gone, too.
 */
#include "tests/faults/fault.h"

#include <sys/wait.h>

#define STACKS_BITS 13

static void *blocks[2 << STACKS_BITS];
static int count;

/* One stack for each number. */
static __attribute__((noipa)) void allocate_zero(unsigned number, int bits, size_t size);

static __attribute__((noipa)) void allocate_one(unsigned number, int bits, size_t size)
{
    if (bits == 0)
        blocks[count++] = FAULT_MALLOC(size);
    else
        (number & 1 ? allocate_one : allocate_zero)(number >> 1, bits - 1, size);
    __asm__ volatile("");
}

static void allocate_zero(unsigned number, int bits, size_t size)
{
    if (bits == 0)
        blocks[count++] = FAULT_MALLOC(size);
    else
        (number & 1 ? allocate_one : allocate_zero)(number >> 1, bits - 1, size);
    __asm__ volatile("");
}

static void allocate_all(size_t size)
{
    for (unsigned i = 0; i < 1u << STACKS_BITS; i++)
        allocate_zero(i, STACKS_BITS, size);
}

int main(void)
{
    int ready[2], status;
    char byte;
    FAULT_EQUAL(pipe(ready), 0);
    void *inherited = FAULT_MALLOC(12345);
    size_t before = fault_live();
    pid_t pid = fork();
    if (pid == 0) {
        FAULT_EQUAL(read(ready[0], &byte, 1), 1);
        clearenv();
        allocate_all(3);
        FAULT_EQUAL(fault_live(), before + 3 * count);
        free(inherited);
        FAULT_EQUAL(fault_live(), before + 3 * count - 12345);
        _exit(0);
    }
    allocate_all(5);
    FAULT_EQUAL(write(ready[1], "g", 1), 1);
    FAULT_EQUAL(waitpid(pid, &status, 0), pid);
    FAULT_EQUAL(status, 0);
    FAULT_EQUAL(fault_live(), before + 5 * count);
    return 0;
}
