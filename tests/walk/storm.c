/*
 * Many small blocks in a hurry, for verify-real: storm KIND COUNT. Each kind leaves frames in
 * another way than by return: longjmp, signals, coroutines; `calls` does nothing unusual. Stacks
 * are shallow, since libunwind takes its time for each frame.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define NOINLINE __attribute__((noinline))

static unsigned long state = 88172645463325252UL, left;

static unsigned next(unsigned bound) /* xorshift64 (Marsaglia) */
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (unsigned)(state >> 33) % bound;
}

static NOINLINE void allocate(unsigned size)
{
    void *volatile p = malloc(size);
    void *volatile q = calloc(1, size + 1);
    left -= left > 1 ? 2 : left;
    free(p);
    free(q);
}

static jmp_buf landing;

static NOINLINE int jump_from(unsigned depth)
{
    volatile char room[200];
    room[depth] = 1;
    allocate(depth + 1);
    if (depth == 0)
        longjmp(landing, 1);
    return jump_from(depth - 1) + room[depth];
}

static NOINLINE void jumps(void)
{
    if (setjmp(landing) == 0)
        jump_from(next(4));
    else
        allocate(9);
}

static NOINLINE void handler_work(unsigned depth)
{
    allocate(depth + 3);
    if (depth > 0)
        handler_work(depth - 1);
    __asm__ volatile("");
}

static void on_signal(int number)
{
    (void)number;
    handler_work(next(2));
}

static NOINLINE void signals(void)
{
    raise(next(2) ? SIGUSR1 : SIGUSR2);
    allocate(3);
}

static ucontext_t scheduler, coroutine;
static char stack[1 << 16], alternate[1 << 16];

static NOINLINE void yield_at(unsigned depth)
{
    allocate(depth + 2);
    if (depth > 0)
        yield_at(depth - 1);
    else
        swapcontext(&coroutine, &scheduler);
    allocate(4);
}

static void coroutine_body(void)
{
    for (;;)
        yield_at(next(3));
}

static NOINLINE void coroutines(void)
{
    swapcontext(&scheduler, &coroutine);
    allocate(1);
}

static NOINLINE void down(unsigned depth)
{
    allocate(depth + 1);
    if (depth > 0)
        down(depth - 1);
    allocate(depth + 2);
}

static NOINLINE void calls(void)
{
    down(next(3));
}

static void prepare(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    const stack_t signal_stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&signal_stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGUSR2, &action, NULL);
    getcontext(&coroutine);
    coroutine.uc_stack.ss_sp = stack, coroutine.uc_stack.ss_size = sizeof stack;
    makecontext(&coroutine, coroutine_body, 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*function)(void);
    } kinds[] = {
        {"longjmp", jumps}, {"signals", signals}, {"coroutines", coroutines}, {"calls", calls}};
    left = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    prepare();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        while (argc == 3 && strcmp(argv[1], kinds[i].name) == 0 && left > 0)
            kinds[i].function();
    return argc == 3 ? 0 : 2;
}
