/*
 * Preloaded before the shim: a dlsym that allocates, as those of older C libraries do, while the
 * shim looks for the next allocator. Every kind of block, grown, measured, given back, and at last
 * all that there is. Some stay, for the program: early_blocks.
 */
#include "tests/faults/fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define STAYING 15

struct {
    char *block;
    size_t size;
} early_blocks[STAYING];
int early_calls, early_refused;

static void *fill(void *block, size_t size)
{
    FAULT_TRUE(block != NULL);
    FAULT_TRUE(malloc_usable_size(block) >= size);
    FAULT_EQUAL((uintptr_t)block % 16, 0);
    return memset(block, 'a', size);
}

static void use_every_kind(void)
{
    void *block;
    char *zeros = calloc(7, 11);
    for (int i = 0; i < 77; i++)
        FAULT_EQUAL(zeros[i], 0);
    free(fill(zeros, 77));
    free(fill(memalign(64, 40), 40));
    free(fill(aligned_alloc(256, 40), 40));
    FAULT_EQUAL(posix_memalign(&block, 128, 40), 0);
    FAULT_EQUAL((uintptr_t)block % 128, 0);
    free(fill(block, 40));
    char *grown = realloc(fill(malloc(10), 10), 200);
    FAULT_EQUAL(grown[9], 'a');
    grown = reallocarray(grown, 3, 100);
    FAULT_EQUAL(grown[9], 'a');
    free(fill(grown, 300));
    free(NULL);
}

static void use_up(void)
{
    void *block;
    for (int i = 0; i < 10000 && (block = malloc(100)) != NULL; i++)
        fill(block, 100);
    FAULT_TRUE(block == NULL);
    FAULT_EQUAL(errno, ENOMEM);
    errno = 0;
    FAULT_TRUE(calloc(10, 10) == NULL);
    FAULT_EQUAL(errno, ENOMEM);
    FAULT_EQUAL(posix_memalign(&block, 16, 100), ENOMEM);
    FAULT_TRUE(calloc(SIZE_MAX / 2, 3) == NULL);
    FAULT_TRUE(malloc(SIZE_MAX - 100) == NULL);
    early_refused++;
}

void *dlsym(void *handle, const char *name)
{
    static void *(*next)(void *, const char *);
    if (next == NULL)
        next = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
    if (next == NULL)
        next = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
    if (handle == RTLD_NEXT && early_refused == 0) {
        if (early_calls == 0)
            use_every_kind();
        if (early_calls < STAYING) {
            early_blocks[early_calls].size = 10 + early_calls;
            early_blocks[early_calls].block = fill(malloc(10 + early_calls), 10 + early_calls);
        }
        early_calls++;
        if (strcmp(name, "mlockall") == 0) /* the last of the list */
            use_up();
    }
    return next(handle, name); /* a jump: the shim stays the caller, by which RTLD_NEXT is told */
}
