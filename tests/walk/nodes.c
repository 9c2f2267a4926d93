/*
 * One function of each kind of frame. Compiled several times: VARIANT names the way.
 */
#include "nodes.h"

#include <alloca.h>
#include <sys/syscall.h>

#define EXPANDED_NAME(variant, kind) NODE_NAME(variant, kind)
#define EXPANDED_TEXT(x) #x
#define TEXT(x) EXPANDED_TEXT(x)
#define NAME(kind) EXPANDED_NAME(VARIANT, kind)
#define WHERE(kind) TEXT(NAME(kind))
#ifdef IN_SECTION
#define PLACE __attribute__((section(TEXT(IN_SECTION))))
#else
#define PLACE
#endif
#define NODE(kind)                                                                                 \
    NOINLINE PLACE long NAME(kind)(struct strand * s, long level);                                 \
    NOINLINE PLACE long NAME(kind)(struct strand * s, long level)

/* Keeps a local on the stack. */
#define TOUCH(array) __asm__ volatile("" ::"r"(array) : "memory")

NODE(plain)
{
    ENTER;
    go_on(s, level, WHERE(plain));
    return LEAVE;
}

NODE(big)
{
    char room[5000];
    ENTER;
    TOUCH(room);
    go_on(s, level, WHERE(big));
    TOUCH(room);
    return LEAVE;
}

/* Neither this nor the next writes to all that it takes: what earlier calls left there stays. */
NODE(dynamic)
{
    ENTER;
    char *room = alloca(16u * s->script[level].size);
    TOUCH(room);
    go_on(s, level, WHERE(dynamic));
    TOUCH(room);
    return LEAVE;
}

NODE(array)
{
    ENTER;
    char room[16u * s->script[level].size + 1];
    TOUCH(room);
    go_on(s, level, WHERE(array));
    TOUCH(room);
    return LEAVE;
}

NODE(aligned)
{
    __attribute__((aligned(64))) char room[64];
    ENTER;
    TOUCH(room);
    go_on(s, level, WHERE(aligned));
    TOUCH(room);
    return LEAVE;
}

NODE(aligned_array)
{
    __attribute__((aligned(128))) char fixed[128];
    ENTER;
    char room[16u * s->script[level].size + 1];
    TOUCH(room);
    TOUCH(fixed);
    go_on(s, level, WHERE(aligned_array));
    TOUCH(room);
    TOUCH(fixed);
    return LEAVE;
}

static NOINLINE PLACE long NAME(many)(struct strand *s, long level, long c, long d, long e, long f,
                                      long g, long h, long i)
{
    ENTER;
    go_on(s, level, WHERE(many));
    return LEAVE + c + d + e + f + g + h + i;
}

/* Arguments on the stack: where they are pushed one by one, the CFA differs from call to call. */
NODE(arguments)
{
    ENTER;
    long sum = NAME(many)(s, level, 1, 2, 3, 4, level, 6, s->last);
    if (sum == 0) /* never, but the compiler does not know */
        sum = NAME(many)(s, level, sum, sum, sum, sum, sum, sum, sum);
    return LEAVE;
}

/* Leaves by a jump: no frame of its own when its callee runs. */
NODE(tail)
{
#ifdef __clang__ /* not at -O1 by itself */
    __attribute__((musttail)) return go(s, level);
#elif defined __OPTIMIZE__
    return go(s, level);
#else
    ENTER;
    go(s, level);
    return LEAVE;
#endif
}

NODE(jump)
{
    ENTER;
    s->landing[level].set = true;
    s->landing[level].catches = false;
    s->landing[level].depth = s->depth;
    s->landing[level].alternate = s->alternate;
    _setjmp(s->landing[level].at);
    go_on(s, level, WHERE(jump));
    s->landing[level].set = false;
    return LEAVE;
}

static NOINLINE PLACE __attribute__((noreturn)) void NAME(never_back)(struct strand *s, long level)
{
    ENTER;
    go_on(s, level, WHERE(never_back));
    longjmp(s->landing[level].at, 1);
}

/* The call is the last instruction: its return address belongs to the next function. */
NODE(noreturn)
{
    ENTER;
    s->landing[level].depth = s->depth;
    if (_setjmp(s->landing[level].at) == 0)
        NAME(never_back)(s, level);
    s->depth = s->landing[level].depth;
    return LEAVE;
}

/* Sends itself a signal; the tree goes on in the handler (events.c). */
NODE(signal)
{
    ENTER;
    long result;
    register long number __asm__("rdx") = next_signal(s, level);
    __asm__ volatile("leaq 0f(%%rip), %%rax\n\tmovq %%rax, %1\n\tmovl %2, %%eax\n\tsyscall\n0:"
                     : "=&a"(result), "=m"(s->interrupted)
                     : "i"(SYS_tgkill), "D"(s->sender[0]), "S"(s->sender[1]), "r"(number)
                     : "rcx", "r11", "memory");
    return LEAVE + result;
}

/* What asm.S steps through, an instruction at a time: no calls. */
NOINLINE PLACE long NAME(stepped)(long level);
NOINLINE PLACE long NAME(stepped)(long level)
{
    char room[16 * (level & 7) + 1];
    TOUCH(room);
    __asm__ volatile("" ::: "rbx", "r12", "r13");
    return level;
}

NOINLINE PLACE long NAME(stepped_aligned)(long level);
NOINLINE PLACE long NAME(stepped_aligned)(long level)
{
    __attribute__((aligned(64))) char room[64];
    TOUCH(room);
    __asm__ volatile("" ::: "rbx", "r14");
    return level;
}
