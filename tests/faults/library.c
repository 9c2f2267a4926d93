/* A library of which all that matters is that it comes and goes; ALLOCATE is the name of its
 * function. */
#include <stdlib.h>

#ifndef ALLOCATE
#define ALLOCATE allocate
#endif

void *ALLOCATE(size_t size);

void *ALLOCATE(size_t size)
{
    void *block = malloc(size);
    __asm__ volatile("" : "+r"(block));
    return block;
}
