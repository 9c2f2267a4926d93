/*
 * A timer's signal interrupts the allocator and the shim all the time; its handler does not
 * allocate. Then handlers that do allocate, called at harmless moments, on the normal stack and on
 * an alternate one.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t ticks;
static void *from_handler;
static char alternate_stack[65536];

static void on_tick(int number)
{
    (void)number;
    ticks++;
}

static __attribute__((noinline)) void deeper(int depth)
{
    from_handler = EXPECT_MALLOC(48);
    if (depth > 0)
        deeper(depth - 1);
    *(volatile int *)&depth = 0;
}

static void on_user_signal(int number)
{
    (void)number;
    deeper(5);
}

static void install(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    EXPECT_TRUE(sigaction(number, &action, NULL) == 0);
}

static __attribute__((noinline)) void churn(int depth)
{
    void *p = EXPECT_MALLOC((size_t)depth * 16);
    if (depth > 0)
        churn(depth - 1);
    EXPECT_FREE(p);
}

int main(void)
{
    stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof alternate_stack};
    struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};

    install(SIGPROF, on_tick, SA_RESTART);
    EXPECT_TRUE(setitimer(ITIMER_PROF, &often, NULL) == 0);
    for (int i = 0; i < 3000 || (ticks < 20 && i < 300000); i++)
        if (i < 3000)
            churn(i % 20);
        else
            EXPECT_FREE(EXPECT_MALLOC(16)); /* more time for ticks */
    EXPECT_TRUE(setitimer(ITIMER_PROF, &never, NULL) == 0);

    EXPECT_TRUE(sigaltstack(&stack, NULL) == 0);
    install(SIGUSR1, on_user_signal, 0);
    install(SIGUSR2, on_user_signal, SA_ONSTACK);
    for (int i = 0; i < 50; i++) {
        void *p = EXPECT_MALLOC(1);
        raise(SIGUSR1);
        EXPECT_FREE(p);
        raise(SIGUSR2);
    }
    expect_report();
    return 0;
}
