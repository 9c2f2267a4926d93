/*
 * An allocator whose functions call each other by name: calloc and realloc call malloc and free,
 * all aligned ones memalign, reallocarray realloc.
 */
#include <malloc.h>
#include <string.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

void *malloc(size_t size)
{
    return __libc_malloc(size);
}

void free(void *block)
{
    __libc_free(block);
}

void *calloc(size_t count, size_t size)
{
    void *block = malloc(count * size);
    __asm__ volatile("" : "+r"(block)); /* or the compiler calls calloc */
    return block != NULL ? memset(block, 0, count * size) : NULL;
}

void *realloc(void *block, size_t size)
{
    void *moved = malloc(size);
    size_t old = block != NULL ? malloc_usable_size(block) : 0;
    if (moved != NULL && block != NULL)
        memcpy(moved, block, old < size ? old : size);
    free(block);
    return moved;
}

void *reallocarray(void *block, size_t count, size_t size)
{
    return realloc(block, count * size);
}

void *memalign(size_t alignment, size_t size)
{
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

void *valloc(size_t size)
{
    return memalign(4096, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    *block = memalign(alignment, size);
    return *block != NULL ? 0 : 12;
}
