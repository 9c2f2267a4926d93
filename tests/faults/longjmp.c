/*
 * A signal handler that leaves malloc by siglongjmp, as in programs that limit a call by alarm():
 * what comes after it is recorded.
 */
#include "tests/faults/fault.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>

extern int raise_now;

static sigjmp_buf back;

static void leave(int signal)
{
    (void)signal;
    siglongjmp(back, 1);
}

static __attribute__((noipa)) void *allocate(int depth)
{
    char room[200];
    memset(room, depth, sizeof room);
    void *block = depth == 0 ? FAULT_MALLOC(1000) : allocate(depth - 1);
    __asm__ volatile("" : : "r"(room) : "memory");
    return block;
}

static void interrupt(int depth)
{
    if (sigsetjmp(back, 1) == 0) {
        raise_now = 1;
        allocate(depth);
        FAULT_TRUE(!"left malloc by longjmp");
    }
}

int main(void)
{
    signal(SIGUSR1, leave);
    void *known = allocate(3);
    for (int from = 0; from < 8; from++) {
        for (int depth = 0; depth < 8; depth++) {
            interrupt(from);
            free(allocate(depth)); /* the first calls may go unseen, until the place is used anew */
            free(allocate(7));
            size_t before = fault_live();
            void *block = allocate(depth);
            FAULT_EQUAL(fault_live() - before, 1000);
            free(block);
            FAULT_EQUAL(fault_live(), before);
        }
    }
    size_t before = fault_live();
    interrupt(0);
    free(known);
    free(allocate(7)); /* the free is counted when it is noticed that malloc was left */
    FAULT_EQUAL(before - fault_live(), 1000);
    return 0;
}
