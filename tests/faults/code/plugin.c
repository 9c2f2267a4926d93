/*
 * A library that comes to the address of others which differ from it in the names of two functions,
 * by -DOUTER=... -DINNER=..., and in the size of a frame, by -DROOM=...
 */
#include <stdlib.h>

void *OUTER(size_t size);

__attribute__((noinline)) void *INNER(size_t size)
{
    volatile char room[ROOM];
    room[0] = 1;
    void *block = malloc(size);
    __asm__ volatile("" : "+r"(block));
    room[1] = 1;
    return block;
}

void *OUTER(size_t size)
{
    void *block = INNER(size);
    __asm__ volatile("" : "+r"(block));
    return block;
}
