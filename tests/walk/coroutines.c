/*
 * Strands on stacks of their own, by makecontext or by a switch in assembly. They are begun, left
 * half done and thrown away; their stacks are unmapped and mapped anew at the same place, lie in
 * static memory, or within the stack of the thread that runs them.
 */
#include "worker.h"

#include <alloca.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE ((size_t)4096)
#define SHORTER_MAX 3

static char static_stacks[16][COROUTINES][STACK_SIZE] __attribute__((aligned(4096)));

void switch_stack(void **save, void *to);
void strand_begin(void);
void coroutine_run(struct strand *s);

static struct coroutine *coroutine_of(struct strand *s)
{
    return (struct coroutine *)((char *)s - offsetof(struct coroutine, strand));
}

static void yield(struct coroutine *c)
{
    c->strand.worker->current = &c->strand.worker->main;
    if (c->by_context)
        swapcontext(&c->context, &c->resumer);
    else
        switch_stack(&c->sp, c->resumer_sp);
}

static void resume(struct coroutine *c)
{
    c->strand.worker->current = &c->strand;
    if (c->by_context)
        swapcontext(&c->resumer, &c->context);
    else
        switch_stack(&c->resumer_sp, c->sp);
}

/*
 * Where the stack is shorter than the last one at the same place, the first frame is, too: the next
 * ones lie at the same addresses, and what was beyond is no more.
 */
NOINLINE void coroutine_run(struct strand *s)
{
    ENTER;
    char *room = alloca(PAGE * (SHORTER_MAX - coroutine_of(s)->shorter) + 1);
    __asm__ volatile("" ::"r"(room) : "memory");
    go(s, 0);
    coroutine_of(s)->alive = false;
    yield(coroutine_of(s));
}

static void run_by_context(void)
{
    coroutine_run(worker_self->current);
}

static void prepare(struct coroutine *c)
{
    if (c->by_context) {
        getcontext(&c->context);
        c->context.uc_stack.ss_sp = c->stack;
        c->context.uc_stack.ss_size = c->stack_size;
        c->context.uc_link = NULL;
        makecontext(&c->context, run_by_context, 0);
        return;
    }
    /* r15, r14, r13, r12, rbx, rbp, and the address to return to: then rsp is a multiple of 16 */
    uintptr_t *top = (uintptr_t *)(c->stack + c->stack_size) - 8;
    const uintptr_t first[8] = {0, 0, 0, (uintptr_t)&c->strand, 0, 0, (uintptr_t)strand_begin, 0};
    top -= 1;
    memcpy(top, first, sizeof first);
    c->sp = top;
}

static void *map_at(void *place, size_t size, int rights)
{
    return mmap(place, size, rights,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (place != NULL ? MAP_FIXED : 0), -1,
                0);
}

static void choose(struct coroutine *c, struct strand *s)
{
    c->by_context = below(s, 2);
    c->place = (enum stack_place)below(s, STACK_PLACES);
    c->shorter = below(s, SHORTER_MAX + 1);
    c->seed = random_next(&s->random);
    c->steps = 1 + below(s, 200);
}

static void begin(struct coroutine *c, struct worker *worker, int number)
{
    c->stack_size = STACK_SIZE;
    switch (c->place) {
    case STACK_STATIC: c->stack = static_stacks[worker->number % 16][number]; break;
    case STACK_WITHIN:
        c->stack_size = STACK_SIZE / COROUTINES;
        c->stack = worker->within + number * c->stack_size;
        break;
    case STACK_MAPPED_AGAIN:
        c->stack_size -= PAGE * c->shorter;
        c->stack =
            map_at(worker->area + number * STACK_SIZE, c->stack_size, PROT_READ | PROT_WRITE);
        break;
    default: c->stack = map_at(NULL, STACK_SIZE, PROT_READ | PROT_WRITE);
    }
    if (c->stack == MAP_FAILED)
        abort();
    const char *root = c->by_context ? "__start_context" : "strand_begin";
    script_start(&c->strand, worker, c->seed, c->steps, root);
    c->strand.level_max = c->place == STACK_WITHIN ? 6 : 24;
    c->strand.last = below(&c->strand, 4);
    prepare(c);
    c->alive = true;
}

/* What the script has not come to the end of is forgotten with its stack. */
static void end(struct coroutine *c)
{
    c->alive = false;
    if (c->stack != NULL && c->place == STACK_MAPPED)
        munmap(c->stack, STACK_SIZE);
    else if (c->stack != NULL && c->place == STACK_MAPPED_AGAIN)
        map_at(c->stack, STACK_SIZE, PROT_NONE); /* so that nobody else gets the place */
    c->stack = NULL;
}

bool coroutine_is_new(struct strand *s)
{
    return s != &s->worker->main && s->steps == coroutine_of(s)->steps;
}

/* Ended after its first allocation, and begun again as it was on a stack that is shorter or longer.
 */
static void repeat(struct coroutine *c, struct worker *worker, int number)
{
    end(c);
    c->shorter = (c->shorter + 1) % (SHORTER_MAX + 1);
    begin(c, worker, number);
    resume(c);
}

/* From a coroutine: back to the main strand. From that: to some, without an allocation in between.
 */
void coroutine_switch(struct strand *s)
{
    struct worker *worker = s->worker;
    if (s != &worker->main) {
        yield(coroutine_of(s));
        return;
    }
    do {
        int number = (int)below(s, COROUTINES);
        struct coroutine *c = &worker->coroutine[number];
        if (!c->alive || below(s, 8) == 0) {
            end(c);
            choose(c, s);
            begin(c, worker, number);
        }
        resume(c);
        if (c->alive && c->place == STACK_MAPPED_AGAIN && coroutine_is_new(&c->strand))
            repeat(c, worker, number);
    } while (below(s, 3) == 0);
}

void coroutines_start(struct worker *worker)
{
    worker->area =
        mmap(NULL, COROUTINES * STACK_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (worker->area == MAP_FAILED)
        abort();
}

void coroutines_end(struct worker *worker)
{
    for (int i = 0; i < COROUTINES; i++)
        end(&worker->coroutine[i]);
}
