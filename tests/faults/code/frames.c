/*
 * Whatever stands in rbp, a capture neither faults nor reads outside stacks. Code without unwind
 * tables, and code whose tables say that rbp is the frame pointer, allocate with every kind of
 * false rbp: on the thread's own stack, on a coroutine's, whose last bytes end its mapping, and on
 * a signal's. Prints how many allocations there were.
 */
#include "tests/faults/code/jit.h"

#include <signal.h>
#include <ucontext.h>

#define STACK_SIZE ((size_t)64 << 10)

static jit_function *generated;
static char *foreign; /* a stack between pages that cannot be read */
static int count;

jit_function with_tables; /* as of jit.h, but for the tables */
__asm__("with_tables: .cfi_startproc\n"
        "push %rbp\n .cfi_def_cfa_offset 16\n .cfi_offset %rbp, -16\n"
        "mov %rdi, %rbp\n .cfi_def_cfa_register %rbp\n"
        "mov $24, %edi\n call *%rsi\n"
        "pop %rbp\n .cfi_def_cfa %rsp, 8\n"
        "ret\n .cfi_endproc\n");

static __attribute__((noinline)) void *work(size_t size)
{
    count++;
    return malloc(size);
}

static void try_one(uintptr_t rbp)
{
    free(generated(rbp, work));
    free(with_tables(rbp, work));
}

static void try_all(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0), end = (uintptr_t)foreign + STACK_SIZE;
    uintptr_t at_ends[] = {end, (uintptr_t)foreign, here & -4096ul, (here & -4096ul) + 4096};
    uintptr_t others[] = {0,
                          1,
                          4095,
                          0x12345,
                          (uintptr_t)-1,
                          (uintptr_t)-8,
                          (uintptr_t)-16,
                          0xffff800000000000, /* the kernel's */
                          0xffffffff81000000,
                          0x8000000000000000, /* not canonical */
                          0x00007ffffffff000, /* the last page of user space */
                          0xffffffffff600000, /* vsyscall */
                          (uintptr_t)generated,
                          (uintptr_t)try_one,
                          (uintptr_t)&count,
                          (uintptr_t)environ};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        try_one(others[i]);
    for (size_t i = 0; i < sizeof at_ends / sizeof *at_ends; i++)
        for (int distance = -40; distance <= 40; distance++)
            try_one(at_ends[i] + (uintptr_t)distance);
    for (int distance = -300; distance <= 300; distance++)
        try_one(here + (uintptr_t)distance);
}

static void on_signal(int number)
{
    (void)number;
    try_all();
}

static void on_coroutine(void)
{
    static ucontext_t back, coroutine;
    getcontext(&coroutine);
    coroutine.uc_stack.ss_sp = foreign;
    coroutine.uc_stack.ss_size = STACK_SIZE;
    coroutine.uc_link = &back;
    makecontext(&coroutine, try_all, 0);
    swapcontext(&back, &coroutine);
}

int main(void)
{
    char *slab = mmap(NULL, STACK_SIZE + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAULT_TRUE(slab != MAP_FAILED);
    foreign = slab + 4096;
    FAULT_EQUAL(mprotect(foreign, STACK_SIZE, PROT_READ | PROT_WRITE), 0);
    generated = jit_make();
    try_all();
    on_coroutine();
    stack_t alternate = {.ss_sp = foreign, .ss_size = STACK_SIZE};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    FAULT_EQUAL(sigaltstack(&alternate, NULL), 0);
    FAULT_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    raise(SIGUSR1);
    printf("%d\n", count);
    return 0;
}
