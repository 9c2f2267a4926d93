/*
 * Code made at run time, without unwind tables: calls malloc with any value in rbp, as a compiler
 * does that uses rbp for something else.
 */
#ifndef TRACESNAP_TESTS_JIT_H
#define TRACESNAP_TESTS_JIT_H

#include "tests/faults/fault.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* Returns allocate(24), called with that rbp. */
typedef void *jit_function(uintptr_t rbp, void *(*allocate)(size_t));

static inline jit_function *jit_make(void)
{
    static const unsigned char code[] = {
        0x55,                         /* push %rbp */
        0x48, 0x89, 0xfd,             /* mov %rdi, %rbp */
        0xbf, 24,   0,    0,    0,    /* mov $24, %edi */
        0xff, 0xd6,                   /* call *%rsi */
        0x5d,                         /* pop %rbp */
        0xc3,                         /* ret */
    };
    void *place = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAULT_TRUE(place != MAP_FAILED);
    memcpy(place, code, sizeof code);
    FAULT_EQUAL(mprotect(place, 4096, PROT_READ | PROT_EXEC), 0);
    return (jit_function *)place;
}

#endif
