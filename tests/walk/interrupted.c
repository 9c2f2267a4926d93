/*
 * A timer's signal comes at any instant, inside malloc and inside the tracer, too; its handler
 * allocates and frees, which reentrant.c allows: interrupted COUNT. Says how many blocks it got,
 * how many of these the handler did, and how many are left.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define NOINLINE __attribute__((noinline))

static unsigned long got, by_handler, freed;
static unsigned long state = 88172645463325252UL;

static unsigned next(unsigned bound) /* xorshift64 (Marsaglia) */
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (unsigned)(state >> 33) % bound;
}

#define COUNT(what) __atomic_fetch_add(&(what), 1, __ATOMIC_RELAXED)

static NOINLINE void *take(size_t size)
{
    void *block = malloc(size);
    if (block == NULL)
        abort();
    COUNT(got);
    return block;
}

static NOINLINE void give(void *block)
{
    free(block);
    COUNT(freed);
}

static NOINLINE void handler_work(unsigned depth)
{
    void *volatile block = take(depth + 20);
    COUNT(by_handler);
    if (depth > 0)
        handler_work(depth - 1);
    if (depth != 2)
        give(block);
}

static void on_signal(int number)
{
    (void)number;
    handler_work(3);
}

static NOINLINE void down(unsigned depth)
{
    void *volatile block = take(depth + 1);
    if (depth > 0)
        down(depth - 1);
    give(block);
}

int main(int argc, char **argv)
{
    static char stack[1 << 16];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct itimerval once = {{0, 0}, {0, 0}};
    unsigned long count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaltstack(&alternate, NULL);
    sigaction(SIGALRM, &action, NULL);
    for (unsigned long i = 0; i < count; i++) {
        if (i % 64 == 0) {
            action.sa_flags ^= SA_ONSTACK;
            sigaction(SIGALRM, &action, NULL);
        }
        once.it_value.tv_usec = 1 + next(40); /* from here, lest a slow handler be all that runs */
        if (i % 4 == 0)
            setitimer(ITIMER_REAL, &once, NULL);
        down(next(12));
    }
    memset(&once, 0, sizeof once);
    setitimer(ITIMER_REAL, &once, NULL);
    char said[100];
    int length = snprintf(said, sizeof said, "%lu %lu %lu\n", got, by_handler, got - freed);
    fwrite(said, 1, (size_t)length, stderr);
    return 0;
}
