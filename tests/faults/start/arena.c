/* The program of arena_dlsym.c: what was allocated so early is used, grown and given back. */
#include "tests/faults/fault.h"

#include <malloc.h>

extern struct {
    char *block;
    size_t size;
} early_blocks[15];
extern int early_calls, early_refused;

int main(void)
{
    FAULT_TRUE(early_calls >= 15);
    FAULT_EQUAL(early_refused, 1);
    for (int i = 0; i < 15; i++) {
        char *block = early_blocks[i].block;
        size_t size = early_blocks[i].size;
        FAULT_TRUE(malloc_usable_size(block) >= size);
        if (i % 3 == 0)
            block = realloc(block, 5000);
        else if (i % 3 == 1)
            block = reallocarray(block, 20, 250);
        for (size_t at = 0; at < size; at++)
            FAULT_EQUAL(block[at], 'a');
        free(block);
    }
    for (int i = 0; i < 100; i++) /* the arena is no allocator's any more */
        free(FAULT_MALLOC(1000));
    return 0;
}
