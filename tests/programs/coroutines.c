/*
 * Stacks made by hand: coroutines of makecontext that allocate at several depths, take turns, end,
 * and whose stacks are freed, mapped anew and used again with other contents. The root of a
 * coroutine is the very first instruction of glibc's __start_context, which nobody called from.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <sys/mman.h>
#include <ucontext.h>

#define STACK_SIZE (64u << 10)

static ucontext_t scheduler, coroutines[2];
static int running;
static void *kept;

static __attribute__((noinline)) void yield_now(void)
{
    swapcontext(&coroutines[running], &scheduler);
}

static __attribute__((noinline)) void step(int depth)
{
    void *p = EXPECT_MALLOC((size_t)depth + 1);
    if (depth > 0)
        step(depth - 1);
    else
        yield_now();
    EXPECT_FREE(p);
    kept = EXPECT_MALLOC(2);
}

static void first(void)
{
    for (int i = 0; i < 5; i++)
        step(i);
}

static __attribute__((noinline)) void other_shape(int n)
{
    char pad[400];
    ((volatile char *)pad)[n] = 1;
    kept = EXPECT_MALLOC(40);
    step(3);
    ((volatile char *)pad)[n + 1] = 1;
}

static void second(void)
{
    for (int i = 0; i < 5; i++)
        other_shape(i);
}

static void round_of_two(void)
{
    void *stacks[2];
    void (*bodies[2])(void) = {first, second};
    for (int i = 0; i < 2; i++) {
        stacks[i] = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                         0);
        EXPECT_TRUE(stacks[i] != MAP_FAILED);
        getcontext(&coroutines[i]);
        coroutines[i].uc_stack.ss_sp = stacks[i];
        coroutines[i].uc_stack.ss_size = STACK_SIZE;
        coroutines[i].uc_link = &scheduler;
        makecontext(&coroutines[i], bodies[i], 0);
    }
    for (int turn = 0; turn < 12; turn++) { /* five yields each, then its end */
        running = turn % 2;
        swapcontext(&scheduler, &coroutines[running]);
        kept = EXPECT_MALLOC(9);
    }
    for (int i = 0; i < 2; i++)
        EXPECT_TRUE(munmap(stacks[i], STACK_SIZE) == 0);
}

int main(void)
{
    for (int i = 0; i < 20; i++)
        round_of_two();
    expect_report();
    return 0;
}
