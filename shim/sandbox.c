/*
 * Filters that the program puts on its own system calls. See sandbox.h.
 *
 * The filter is of one thread, what is forbidden of the whole process: its other threads lose what
 * they could still have had, and that is counted where it happens. A vfork child that puts on a
 * filter of its own changes nothing for its parent, whose memory it shares.
 */
#include "shim/sandbox.h"
#include "shim/filter.h"
#include "shim/hooks.h"
#include "shim/next.h"
#include "shim/process.h"
#include "shim/stack.h"
#include "shim/system.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdarg.h>
#include <sys/prctl.h>

#define LOOK_AHEAD ((size_t)128 << 10) /* bytes of stack */
#define EVERYTHING UINT64_MAX

HOOK_LIST(HOOK_DECLARE)

static const struct {
    uint16_t number, when;
    int64_t arguments[4];
} calls[] = {
#define X(name, call, when, a, b, c, d) {SYS_##call, when, {a, b, c, d}},
    SYS_LIST(X)
#undef X
};

/* Whether no call of that time is among the forbidden ones. */
static bool allows(uint64_t forbidden, unsigned when)
{
    for (int i = 0; i < SYS_LIST_COUNT; i++)
        if ((calls[i].when & when) && !(calls[i].when & SYS_OLD_KERNEL) && (forbidden >> i & 1))
            return false;
    return true;
}

bool sandbox_allows_start(void)
{
    return allows(ts_load_relaxed(&sys_forbidden), SYS_AT_START);
}

bool sandbox_allows_child(void)
{
    return allows(ts_load_relaxed(&sys_forbidden), SYS_IN_CHILD);
}

static bool is_readable(const void *from, size_t size)
{
    uintptr_t page = (uintptr_t)from & ~(uintptr_t)4095;
    for (; page < (uintptr_t)from + size; page += 4096)
        if (!sys_readable(page))
            return false;
    return true;
}

/*
 * A refusal that looks like success is none: what the call was to do is not done. And EINVAL is
 * what the trial of a page says when it can be read.
 */
static bool is_deceiving(enum sys_name name, uint32_t answer)
{
    uint32_t error = answer & SECCOMP_RET_DATA;
    return (answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO &&
           (error == 0 || (name == SYS_LIST_TRY && error == EINVAL));
}

/* What a filter would kill for. One that cannot be read the kernel refuses. */
static uint64_t forbidden_by(const struct sock_fprog *program)
{
    uint64_t forbidden = 0;
    if (!sys_may(SYS_LIST_TRY))
        return EVERYTHING; /* it cannot be looked at */
    if (!is_readable(program, sizeof *program) || program->len == 0 ||
        !is_readable(program->filter, program->len * sizeof *program->filter))
        return 0;
    for (int i = 0; i < SYS_LIST_COUNT; i++) {
        struct seccomp_data call = {.nr = calls[i].number,
                                    .arch = MACHINE_AUDIT_ARCH,
                                    .instruction_pointer = (uintptr_t)&forbidden_by};
        for (int j = 0; j < 4; j++)
            call.args[j] = (uint64_t)calls[i].arguments[j];
        uint32_t answer = filter_answer(program->filter, program->len, &call);
        if (!filter_is_harmless(answer) || is_deceiving((enum sys_name)i, answer))
            forbidden |= UINT64_C(1) << i;
    }
    return forbidden;
}

/*
 * Before the filter is in force. A forked child that has not allocated yet gets its region now if
 * it could not get it later, and the part of the stack that is used next is looked at. Returns what
 * is forbidden from now on and was not before.
 */
static uint64_t prepare(uint64_t forbidden)
{
    struct thread *thread = &thread_self;
    uint64_t before = ts_load_relaxed(&sys_forbidden);
    if ((forbidden & ~before) == 0 || !process_owns_memory())
        return 0;
    if (process_is_fresh_child() && !allows(forbidden, SYS_IN_CHILD) && thread->busy == THREAD_FREE)
        process_begin();
    if (forbidden >> SYS_LIST_TRY & 1)
        stack_look_ahead(thread, (uintptr_t)__builtin_frame_address(0), LOOK_AHEAD);
    ts_or_acq_rel(&sys_forbidden, forbidden);
    return forbidden & ~before;
}

/* The filter is not in force after all. */
static void take_back(uint64_t added)
{
    ts_and_acq_rel(&sys_forbidden, ~added);
}

static long with_errno(long result)
{
    if (!sys_failed(result))
        return result;
    errno = (int)-result;
    return -1;
}

/* Variadic in libc's header; never more than five arguments, of a register each. */
int prctl(int option, ...)
{
    va_list list;
    unsigned long a[4];
    va_start(list, option);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(list, unsigned long);
    va_end(list);
    uint64_t added = 0;
    if (option == PR_SET_SECCOMP && a[0] == SECCOMP_MODE_STRICT)
        added = prepare(EVERYTHING);
    else if (option == PR_SET_SECCOMP && a[0] == SECCOMP_MODE_FILTER)
        added = prepare(forbidden_by((const struct sock_fprog *)a[1]));
    int result = have_next() && next.prctl != NULL
                     ? next.prctl(option, a[0], a[1], a[2], a[3])
                     : (int)with_errno(sys_call6(SYS_prctl, option, (long)a[0], (long)a[1],
                                                 (long)a[2], (long)a[3], 0));
    if (result != 0 && added != 0)
        take_back(added);
    return result;
}

/* With SECCOMP_FILTER_FLAG_NEW_LISTENER a descriptor is success; else only 0 is. */
static bool is_put_on(long result, unsigned long flags)
{
    return result == 0 || (result > 0 && (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER));
}

static uint64_t prepare_for_seccomp(long operation, const void *program)
{
    if (operation == SECCOMP_SET_MODE_STRICT)
        return prepare(EVERYTHING);
    if (operation == SECCOMP_SET_MODE_FILTER && program != NULL)
        return prepare(forbidden_by(program));
    return 0;
}

/*
 * What libc's syscall() is called for again and again must not get slower, and it may be a call that
 * returns twice or on another stack: all but SYS_seccomp is jumped on with, by MACHINE_SYSCALL_HOOK,
 * and finds no frame of ours. Here comes that one, and whatever is called before the next
 * definition is known.
 */
long (*sandbox_next_syscall)(long number, ...);

long sandbox_syscall(long number, long a, long b, long c, long d, long e, long f);

void sandbox_start(void)
{
    ts_store_release(&sandbox_next_syscall, next.syscall);
}

long sandbox_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    if (sandbox_next_syscall == NULL && have_next())
        sandbox_start();
    uint64_t added = number == SYS_seccomp ? prepare_for_seccomp(a, (const void *)c) : 0;
    long result = sandbox_next_syscall != NULL ? sandbox_next_syscall(number, a, b, c, d, e, f)
                                               : with_errno(sys_call6(number, a, b, c, d, e, f));
    if (added != 0 && !is_put_on(result, (unsigned long)b))
        take_back(added);
    return result;
}

MACHINE_SYSCALL_HOOK("syscall", "sandbox_syscall", "sandbox_next_syscall")
