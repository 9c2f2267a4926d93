/*
 * Coroutine stacks below a thread's own, with no guard page in between, pass for part of it. When
 * one of them is unmapped, what was learned of deep stacks must not be looked up in the hole.
 */
#include "tests/faults/fault.h"

#include <alloca.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define SIZE ((size_t)1 << 20)

static char *slab; /* farther coroutine | nearer coroutine | the thread's own */
static ucontext_t back, coroutine;
static void (*work)(void);

static __attribute__((noinline)) void deep(size_t room)
{
    char *volatile place = alloca(room);
    place[0] = 1;
    free(FAULT_MALLOC(24));
    place[1] = 2;
}

static __attribute__((noinline)) void by_one(size_t room)
{
    volatile char pad[64];
    pad[0] = 1;
    deep(room);
    pad[1] = 1;
}

static __attribute__((noinline)) void by_other(size_t room)
{
    volatile char pad[64];
    pad[0] = 1;
    deep(room);
    pad[1] = 2;
}

/* Stacks that begin alike and differ far from where they begin. */
static void differ_far_out(void)
{
    for (size_t room = 800 << 10; room < 880 << 10; room += 512)
        for (int i = 0; i < 40; i++) {
            by_one(room);
            by_other(room);
        }
}

static void go_down(void)
{
    for (size_t room = 16; room < 500 << 10; room += 16)
        by_one(room);
}

static void enter(void)
{
    work();
}

static void go(char *stack, void (*what)(void))
{
    work = what;
    getcontext(&coroutine);
    coroutine.uc_stack.ss_sp = stack;
    coroutine.uc_stack.ss_size = SIZE;
    coroutine.uc_link = &back;
    makecontext(&coroutine, enter, 0);
    swapcontext(&back, &coroutine);
}

static void *run(void *argument)
{
    free(FAULT_MALLOC(10));
    go(slab + SIZE, go_down);
    go(slab, differ_far_out);
    FAULT_EQUAL(munmap(slab + SIZE, SIZE), 0);
    go(slab, go_down);
    return argument;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    slab = mmap(NULL, 3 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAULT_TRUE(slab != MAP_FAILED);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, slab + 2 * SIZE, SIZE);
    FAULT_EQUAL(pthread_create(&thread, &attributes, run, NULL), 0);
    pthread_join(thread, NULL);
    return 0;
}
