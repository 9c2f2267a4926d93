/*
 * Threads that come one after the other, each on the stack of the last, which is shorter or longer
 * at its outer end: what a tracer remembers of one may not be there for the next. What they
 * allocate is the same, or not.
 */
#include "worker.h"

#include <alloca.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE ((size_t)4096)
#define SHORTER_MAX 3

struct worker heir;
static char *stack;
static size_t shorter;
static uint64_t seed;

/* As coroutine_run: the frames further in lie where they lay. */
static NOINLINE void *heir_run(void *argument)
{
    struct strand *s = argument;
    script_start(s, &heir, seed, 12, "clone3");
    ENTER;
    char *room = alloca(PAGE * (SHORTER_MAX - shorter) + 1);
    __asm__ volatile("" ::"r"(room) : "memory");
    worker_self = &heir;
    go(s, 0);
    return NULL;
}

static void prepare(void)
{
    if (stack != NULL)
        return;
    heir.current = &heir.main;
    books_start(&heir);
    stack = mmap(NULL, STACK_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED)
        abort();
}

bool may_have_heirs(const struct strand *s)
{
    return s == &s->worker->main && s->worker != &heir && s->worker->number == 0;
}

void heir_live(struct strand *s)
{
    pthread_attr_t attributes;
    pthread_t thread;
    prepare();
    if (below(s, 3) == 0)
        seed = random_next(&s->random);
    shorter = below(s, SHORTER_MAX + 1);
    size_t size = STACK_SIZE - PAGE * shorter;
    if (mmap(stack, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
            MAP_FAILED ||
        mprotect(stack + size, PAGE * shorter, PROT_NONE) != 0)
        abort();
    pthread_attr_init(&attributes);
    if (pthread_attr_setstack(&attributes, stack, size) != 0 ||
        pthread_create(&thread, &attributes, heir_run, &heir.main) != 0)
        abort();
    pthread_attr_destroy(&attributes);
    pthread_join(thread, NULL);
}
