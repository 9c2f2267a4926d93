/*
 * Uses every allocating function; each block holds what it should, free leaves errno alone. Keeps
 * 100 blocks of 1000 bytes. With OWN, malloc and its closest kin are the program's own; with CHAIN
 * its malloc and free look for the next ones at their first call, as many wrappers do.
 */
#include "tests/faults/fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>

#ifdef OWN
static char heap[1 << 24];
static size_t used;

void *malloc(size_t size)
{
    used = (used + 16 + 15) & ~(size_t)15;
    char *block = heap + used;
    memcpy(block - 8, &size, 8);
    used += size;
    FAULT_TRUE(used < sizeof heap);
    return block;
}

void free(void *block)
{
    (void)block;
}

void *calloc(size_t count, size_t size)
{
    return memset(malloc(count * size), 0, count * size);
}

void *realloc(void *block, size_t size)
{
    size_t old = 0;
    if (block != NULL)
        memcpy(&old, (char *)block - 8, 8);
    return memcpy(malloc(size), block, old < size ? old : size);
}
#endif

#ifdef CHAIN
void *malloc(size_t size)
{
    static void *(*next)(size_t);
    if (next == NULL)
        next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    return next(size);
}

void free(void *block)
{
    static void (*next)(void *);
    if (next == NULL)
        next = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    next(block);
}
#endif

static void give_back(void *block, size_t size)
{
    FAULT_TRUE(block != NULL);
    memset(fault_opaque(block), 1, size);
    errno = 1234;
    free(block);
    FAULT_EQUAL(errno, 1234);
}

static void use_all(size_t size)
{
    void *block = FAULT_MALLOC(size);
    memset(block, 7, size);
    block = fault_opaque(realloc(block, 3 * size));
    FAULT_EQUAL(((char *)block)[size - 1], 7);
    block = fault_opaque(reallocarray(block, size, 5));
    FAULT_EQUAL(((char *)block)[size - 1], 7);
    give_back(block, 5 * size);
    block = fault_opaque(calloc(size, 2));
    FAULT_EQUAL(((char *)block)[2 * size - 1], 0);
    give_back(block, 2 * size);
    give_back(reallocarray(NULL, size, 3), 3 * size);
    give_back(strdup("some text"), 10);
#ifndef OWN /* glibc's blocks, which such a free does not take */
    give_back(memalign(64, size), size);
    give_back(aligned_alloc(64, size), size);
    give_back(valloc(size), size);
    FAULT_EQUAL(posix_memalign(&block, 128, size), 0);
    FAULT_EQUAL((uintptr_t)block % 128, 0);
    FAULT_TRUE(malloc_usable_size(block) >= size);
    give_back(block, size);
#endif
}

int main(void)
{
    static void *volatile kept[100];
    for (int i = 0; i < 100; i++) {
        kept[i] = FAULT_MALLOC(1000);
        use_all(1 + (size_t)i * 37);
    }
    use_all(300000); /* a mapping of its own: free makes a system call */
    return 0;
}
