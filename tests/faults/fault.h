/*
 * For the programs of tests/faults: each checks by itself what it was promised, says what was
 * wrong, and ends with 1; what only the tool can see, the script beside it checks.
 */
#ifndef TRACESNAP_TESTS_FAULT_H
#define TRACESNAP_TESTS_FAULT_H

#include "include/tracesnap.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What is right allocates nothing: dprintf does, but only to say what is wrong. */
#define FAULT_TRUE(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            dprintf(2, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                   \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

#define FAULT_EQUAL(have, want)                                                                    \
    do {                                                                                           \
        long long have_ = (long long)(have), want_ = (long long)(want);                            \
        if (have_ != want_) {                                                                      \
            dprintf(2, "%s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__, #have, have_,     \
                    want_);                                                                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* The compiler must neither drop an allocation nor know what it returns. */
#define FAULT_MALLOC(size) fault_opaque(malloc(size))

static inline __attribute__((unused)) void *fault_opaque(void *pointer)
{
    __asm__ volatile("" : "+r"(pointer) : : "memory");
    return pointer;
}

static inline __attribute__((unused)) size_t fault_live(void)
{
    size_t live = 0;
    FAULT_EQUAL(tracesnap_get_traced_memory(&live, NULL), 0);
    return live;
}

static inline __attribute__((unused)) size_t fault_peak(void)
{
    size_t peak = 0;
    FAULT_EQUAL(tracesnap_get_traced_memory(NULL, &peak), 0);
    return peak;
}

#endif
