/*
 * A library with an allocator whose malloc calls calloc by name. It never gives anything back.
 */
#include <stddef.h>
#include <stdint.h>

static _Alignas(16) unsigned char room[1 << 23];
static size_t used;

void *calloc(size_t count, size_t size)
{
    size_t bytes = (count * size + 31) & ~(size_t)15;
    size_t begin = __atomic_fetch_add(&used, bytes, __ATOMIC_RELAXED);
    return begin + bytes <= sizeof room ? room + begin : NULL;
}

void *malloc(size_t size)
{
    return calloc(1, size);
}

void *realloc(void *block, size_t size)
{
    unsigned char *moved = malloc(size), *from = block;
    size_t rest = from != NULL ? (size_t)(room + sizeof room - from) : 0;
    for (size_t i = 0; moved != NULL && i < size && i < rest; i++)
        moved[i] = from[i];
    return moved;
}

void free(void *block)
{
    (void)block;
}
