/*
 * Allocations under many different stacks, so that everything in the shim has to grow, and the
 * program's own count of them: printed by one write, for the script to compare.
 */
#ifndef TRACESNAP_TESTS_WORK_H
#define TRACESNAP_TESTS_WORK_H

#include "tests/faults/fault.h"

#include <stdbool.h>
#include <string.h>

static struct {
    unsigned long long allocated_count, allocated_size, count, size;
} work_own;

static inline __attribute__((unused)) void *work_take(size_t size)
{
    void *block = FAULT_MALLOC(size);
    FAULT_TRUE(block != NULL);
    memset(block, 0x5a, size);
    work_own.allocated_count++;
    work_own.allocated_size += size;
    work_own.count++;
    work_own.size += size;
    return block;
}

static inline __attribute__((unused)) void work_give(void *block, size_t size)
{
    free(fault_opaque(block));
    work_own.count--;
    work_own.size -= size;
}

/* A forked child begins with what its parent has. */
static inline __attribute__((unused)) void work_inherit(void)
{
    work_own.allocated_count = work_own.count;
    work_own.allocated_size = work_own.size;
}

static void work_zero(unsigned number, int bits, size_t size);

static __attribute__((noipa, unused)) void work_one(unsigned number, int bits, size_t size)
{
    if (bits == 0)
        work_give(work_take(size), size);
    else
        (number & 1 ? work_one : work_zero)(number >> 1, bits - 1, size);
    __asm__ volatile("");
}

static __attribute__((noipa, unused)) void work_zero(unsigned number, int bits, size_t size)
{
    if (bits == 0)
        work_take(size);
    else
        (number & 1 ? work_one : work_zero)(number >> 1, bits - 1, size);
    __asm__ volatile("");
}

/* 2 to the power of `bits` stacks; a block of each second one stays. */
static inline __attribute__((unused)) void work_stacks(int bits)
{
    for (unsigned number = 0; number < 1u << bits; number++)
        work_zero(number, bits, 16 + number % 100);
}

static char *work_number(char *to, unsigned long long number)
{
    char digits[24];
    int length = 0;
    do
        digits[length++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (length > 0)
        *to++ = digits[--length];
    return to;
}

/* One line: NAME ALLOCATED_COUNT ALLOCATED_SIZE COUNT SIZE. No call but write. */
static inline __attribute__((unused)) void work_print(const char *name)
{
    char line[160], *to = line;
    unsigned long long numbers[4] = {work_own.allocated_count, work_own.allocated_size,
                                     work_own.count, work_own.size};
    while (*name != '\0')
        *to++ = *name++;
    for (int i = 0; i < 4; i++) {
        *to++ = ' ';
        to = work_number(to, numbers[i]);
    }
    *to++ = '\n';
    FAULT_EQUAL(write(1, line, (size_t)(to - line)), to - line);
}

#endif
