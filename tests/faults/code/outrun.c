/*
 * Some pointer is in rbp, while another thread takes away the memory that it points to: what the
 * kernel said of a page a moment ago must not be believed. Argument: what uses rbp so: `generated`,
 * code without unwind tables; `tables`, code whose tables say that rbp is the frame pointer;
 * `coroutine`, generated code on a coroutine's stack, which the page adjoins.
 */
#include "tests/faults/code/jit.h"

#include <alloca.h>
#include <pthread.h>
#include <ucontext.h>

#define ROUNDS 200000
#define STACK_SIZE ((size_t)40 << 10)

static char *page;
static uint32_t done;
static jit_function *call;

jit_function with_tables; /* as of jit.h, but for the tables */
__asm__("with_tables: .cfi_startproc\n"
        "push %rbp\n .cfi_def_cfa_offset 16\n .cfi_offset %rbp, -16\n"
        "mov %rdi, %rbp\n .cfi_def_cfa_register %rbp\n"
        "mov $24, %edi\n call *%rsi\n"
        "pop %rbp\n .cfi_def_cfa %rsp, 8\n"
        "ret\n .cfi_endproc\n");

static void *take_away(void *unused)
{
    while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
        FAULT_EQUAL(mprotect(page, 4096, PROT_NONE), 0);
        FAULT_EQUAL(mprotect(page, 4096, PROT_READ), 0);
    }
    return unused;
}

static void allocate(void)
{
    char *volatile room = alloca(STACK_SIZE / 2);
    room[0] = 1;
    for (int i = 0; i < ROUNDS; i++)
        free(call((uintptr_t)page + 64, malloc));
    room[0] = 2;
    __atomic_store_n(&done, 1, __ATOMIC_RELAXED);
}

static void *run(void *coroutine_stack)
{
    ucontext_t back, coroutine;
    if (coroutine_stack == NULL) {
        allocate();
        return NULL;
    }
    getcontext(&coroutine);
    coroutine.uc_stack.ss_sp = coroutine_stack;
    coroutine.uc_stack.ss_size = STACK_SIZE;
    coroutine.uc_link = &back;
    makecontext(&coroutine, allocate, 0);
    swapcontext(&back, &coroutine);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t other, one;
    FAULT_EQUAL(argc, 2);
    char *slab = mmap(NULL, STACK_SIZE + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                      -1, 0);
    FAULT_TRUE(slab != MAP_FAILED);
    page = slab + STACK_SIZE; /* above the stack of the thread, which is made later */
    call = strcmp(argv[1], "tables") == 0 ? with_tables : jit_make();
    void *stack = strcmp(argv[1], "coroutine") == 0 ? slab : NULL;
    FAULT_EQUAL(pthread_create(&one, NULL, run, stack), 0);
    FAULT_EQUAL(pthread_create(&other, NULL, take_away, NULL), 0);
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    return 0;
}
