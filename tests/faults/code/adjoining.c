/*
 * A coroutine's stack adjoins what else a thread reads, without a guard page: the kernel makes one
 * mapping of both. It is unmapped, and a smaller one comes to its lower end, whose frames lie where
 * those of the first lay: what was remembered of the first must not be compared where nothing is
 * mapped now. Argument: what adjoins: the stack of a thread, given by its creator; or all that lies
 * between the coroutine and the control block of the first thread, whose stack that is not.
 */
#include "tests/faults/fault.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define PAGE ((uintptr_t)4096)
#define SIZE ((size_t)1 << 20)
#define DEEP ((size_t)700 << 10)

static ucontext_t back, coroutine;
static uintptr_t lowest; /* the frame of the function that calls malloc */

static __attribute__((noinline)) void at_one_place(void)
{
    lowest = (uintptr_t)__builtin_frame_address(0);
    for (int i = 0; i < 100; i++)
        free(FAULT_MALLOC(24));
}

static __attribute__((noinline)) void middle(void)
{
    at_one_place();
    __asm__ volatile("");
}

static void first(void)
{
    volatile char far_away[DEEP];
    far_away[0] = 1;
    middle();
    far_away[1] = 1;
}

static void second(void)
{
    middle();
    __asm__ volatile("");
}

static void go(char *stack, size_t size, void (*what)(void))
{
    getcontext(&coroutine);
    coroutine.uc_stack.ss_sp = stack;
    coroutine.uc_stack.ss_size = size;
    coroutine.uc_link = &back;
    makecontext(&coroutine, what, 0);
    swapcontext(&back, &coroutine);
}

/* Both coroutines call malloc with one stack pointer: the first has DEEP above it, the second has
 * nothing. */
static void *run(void *slab)
{
    static char elsewhere[64 << 10] __attribute__((aligned(4096)));
    char *stack = slab;
    go(stack, SIZE, first);
    uintptr_t wanted = lowest;
    go(elsewhere, sizeof elsewhere, second);
    size_t small = wanted - (uintptr_t)stack + ((uintptr_t)elsewhere + sizeof elsewhere - lowest);
    uintptr_t end = ((uintptr_t)stack + small + PAGE - 1) & ~(PAGE - 1);
    FAULT_EQUAL(mprotect((void *)end, (uintptr_t)stack + SIZE - end, PROT_NONE), 0);
    go(stack, small, second);
    FAULT_EQUAL(lowest, wanted);
    return NULL;
}

static void *run_in_thread(void *slab)
{
    free(FAULT_MALLOC(10)); /* its own stack is known */
    return run(slab);
}

static void below_a_thread(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    char *slab = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAULT_TRUE(slab != MAP_FAILED);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, slab + SIZE, SIZE);
    FAULT_EQUAL(pthread_create(&thread, &attributes, run_in_thread, slab), 0);
    pthread_join(thread, NULL);
}

static char *early_slab;

/* Before the tracer begins, so that none of its own memory comes in between. */
static void map_early(void)
{
    early_slab = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

__attribute__((section(".preinit_array"), used)) static void (*const early)(void) = map_early;

static void below_the_control_block(void)
{
    uintptr_t block = (uintptr_t)pthread_self();
    FAULT_TRUE(early_slab != MAP_FAILED && (uintptr_t)early_slab < block);
    for (uintptr_t page = (uintptr_t)early_slab + SIZE; page < block; page += PAGE)
        mmap((void *)page, PAGE, PROT_READ | PROT_WRITE, /* fills the holes */
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    run(early_slab);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "thread") == 0)
        below_a_thread();
    else
        below_the_control_block();
    return 0;
}
