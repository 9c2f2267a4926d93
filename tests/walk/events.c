/*
 * Frames that are not called: signal handlers on either stack, and one trap after each instruction
 * of a function, from which the whole of its prologue and epilogue is seen. And code that is
 * written at run time.
 */
#include "worker.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

__thread struct worker *worker_self;

void step_through(struct strand *s, long (*function)(long), long argument);
extern char step_through_return[], step_through_end[], stepped_popped_return[];
long stepped_popped(long argument);
void pops_arguments(void);

NOINLINE long go(struct strand *s, long level)
{
    ENTER;
    go_on(s, level, "go");
    return LEAVE;
}

NOINLINE long go_below(struct strand *s, long level)
{
    ENTER;
    go_on(s, level, "go_below");
    s->depth -= 2; /* its own entry and its caller's */
    return 0;
}

/* SIGUSR2's handler runs on the alternate stack; that must not be left for another strand
 * meanwhile. */
int next_signal(struct strand *s, long level)
{
    s->signal_level = level;
    s->sender[0] = getpid();
    s->sender[1] = gettid();
    return below(s, 2) ? SIGUSR1 : SIGUSR2;
}

static void on_signal(int number)
{
    struct strand *s = worker_self->current;
    PUSH(s->interrupted);
    s->alternate += number == SIGUSR2;
    go(s, s->signal_level);
    s->alternate -= number == SIGUSR2;
    s->depth--;
}

static NOINLINE void allocate_in_trap(struct strand *s)
{
    ENTER;
    size_t size = s->size;
    s->size = 24;
    void *p = malloc(s->size);
    keep_block(s, p, books_allocated(s, "allocate_in_trap", s->size));
    s->size = size;
    s->depth--;
}

/* pc is in step_through itself or in the function that it called. */
static void on_trap(int number, siginfo_t *info, void *context)
{
    struct strand *s = worker_self->current;
    uintptr_t pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    long depth = s->depth;
    (void)number, (void)info;
    if (pc < (uintptr_t)step_through || pc >= (uintptr_t)step_through_end)
        PUSH(step_through_return - 1);
    if (pc == (uintptr_t)pops_arguments)
        PUSH(stepped_popped_return - 1);
    PUSH(pc);
    allocate_in_trap(s);
    s->depth = depth;
}

#define DECLARE_STEPPED(variant)                                                                   \
    long node_##variant##_stepped(long);                                                           \
    long node_##variant##_stepped_aligned(long);
#define V(variant) DECLARE_STEPPED(variant)
VARIANTS
#undef V

long stepped(struct strand *s, long level)
{
    static long (*const functions[])(long) = {
#define V(variant) node_##variant##_stepped, node_##variant##_stepped_aligned,
        VARIANTS
#undef V
            stepped_popped};
    ENTER;
    if (below(s, 4) == 0)
        step_through(s, functions[below(s, sizeof functions / sizeof functions[0])], level);
    go(s, level);
    return LEAVE;
}

/* function(strand, level, next): pushes rbp, enters its return address in the shadow, takes some
 * room and calls next. */
static void write_code(uint8_t *code, uint32_t room)
{
    static const uint8_t pattern[] = {
        0x55,                               /* push %rbp */
        0x48, 0x89, 0xe5,                   /* mov %rsp, %rbp */
        0x48, 0x81, 0xec, 0,    0,    0, 0, /* sub $room, %rsp */
        0x48, 0x8b, 0x45, 0x08,             /* mov 8(%rbp), %rax */
        0x48, 0xff, 0xc8,                   /* dec %rax */
        0x48, 0x8b, 0x0f,                   /* mov (%rdi), %rcx */
        0x48, 0x89, 0x44, 0xcf, 0x08,       /* mov %rax, 8(%rdi, %rcx, 8) */
        0x48, 0xff, 0x07,                   /* incq (%rdi) */
        0xff, 0xd2,                         /* call *%rdx */
        0xc9, 0xc3,                         /* leave; ret */
    };
    memcpy(code, pattern, sizeof pattern);
    memcpy(code + 7, &room, sizeof room);
}

long generated(struct strand *s, long level)
{
    ENTER;
    uint8_t *code = s->worker->code + CODE_STEP * below(s, GENERATED);
    if (!in_use(s->worker, (uintptr_t)code, (uintptr_t)code + CODE_STEP))
        write_code(code, 16 * below(s, 20));
    ((long (*)(struct strand *, long, node *))code)(s, level, go_below);
    return LEAVE;
}

void events_start(struct worker *worker)
{
    const struct sigaction plain = {.sa_handler = on_signal, .sa_flags = SA_NODEFER},
                           alternate = {.sa_handler = on_signal,
                                        .sa_flags = SA_NODEFER | SA_ONSTACK},
                           trap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &plain, NULL);
    sigaction(SIGUSR2, &alternate, NULL);
    sigaction(SIGTRAP, &trap, NULL);
    worker_self = worker;
    stack_t stack = {.ss_size = STACK_SIZE};
    stack.ss_sp =
        mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    worker->code = mmap(NULL, GENERATED * CODE_STEP, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack.ss_sp == MAP_FAILED || worker->code == MAP_FAILED || sigaltstack(&stack, NULL) != 0)
        abort();
    for (int i = 0; i < GENERATED; i++)
        write_code(worker->code + CODE_STEP * i, 16);
}
