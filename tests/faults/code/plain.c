/* A library whose functions have no unwind tables, by the flags that it is compiled with, or have
 * lost them. */
#include <stdlib.h>

void *plain_outer(size_t size);

__attribute__((noinline)) void *plain_inner(size_t size)
{
    volatile char room[100];
    room[0] = 1;
    void *block = malloc(size);
    __asm__ volatile("" : "+r"(block));
    room[1] = 1;
    return block;
}

void *plain_outer(size_t size)
{
    void *block = plain_inner(size);
    __asm__ volatile("" : "+r"(block));
    return block;
}
