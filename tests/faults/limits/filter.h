/*
 * System call filters for the programs of this directory: a list of calls that are allowed, and
 * what becomes of the others.
 */
#ifndef TRACESNAP_TESTS_FILTER_H
#define TRACESNAP_TESTS_FILTER_H

#include "tests/faults/fault.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define FILTER_MOST 128

struct filter {
    struct sock_filter code[2 * FILTER_MOST + 16];
    unsigned short length;
};

static inline void filter_add(struct filter *filter, struct sock_filter one)
{
    FAULT_TRUE(filter->length < sizeof filter->code / sizeof *filter->code);
    filter->code[filter->length++] = one;
}

static inline void filter_begin(struct filter *filter)
{
    filter->length = 0;
    filter_add(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                    offsetof(struct seccomp_data, nr)));
}

/* The call has this end: SECCOMP_RET_... */
static inline void filter_end(struct filter *filter, int call, unsigned how)
{
    filter_add(filter,
               (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1));
    filter_add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, how));
}

/* The call with this value of argument `which` is allowed. */
static inline void filter_allow_with(struct filter *filter, int call, int which, unsigned value)
{
    filter_add(filter,
               (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 4));
    filter_add(filter, (struct sock_filter)BPF_STMT(
                           BPF_LD | BPF_W | BPF_ABS,
                           (unsigned)(offsetof(struct seccomp_data, args) + 8u * (unsigned)which)));
    filter_add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    filter_add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    filter_add(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                    offsetof(struct seccomp_data, nr)));
}

enum filter_way { FILTER_PRCTL, FILTER_SYSCALL, FILTER_UNSEEN };

static inline long filter_instruction(long number, long a, long b, long c)
{
    register long fourth __asm__("r10") = 0;
    register long fifth __asm__("r8") = 0;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "memory");
    return result;
}

/* Puts the filter on; what it does not name has the end `others`. */
static inline void filter_put_on(struct filter *filter, unsigned others, enum filter_way way)
{
    filter_add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, others));
    struct sock_fprog program = {filter->length, filter->code};
    FAULT_EQUAL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (way == FILTER_PRCTL)
        FAULT_EQUAL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    else if (way == FILTER_SYSCALL)
        FAULT_EQUAL(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), 0);
    else
        FAULT_EQUAL(filter_instruction(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&program), 0);
}

#endif
