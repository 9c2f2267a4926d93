/* realloc(NULL, n) once found a free slot in the index of large blocks, and counted it as freed. */
#include "tests/faults/fault.h"

#define LARGE ((size_t)1 << 20)

int main(void)
{
    void *blocks[100], *volatile none = NULL;
    for (int i = 0; i < 64; i++)
        blocks[i] = FAULT_MALLOC(LARGE);
    for (int i = 0; i < 64; i++)
        free(blocks[i]);
    size_t before = fault_live();
    for (int i = 0; i < 100; i++)
        blocks[i] = fault_opaque(realloc(none, 1000));
    FAULT_EQUAL(fault_live() - before, 100 * 1000);
    for (int i = 0; i < 100; i++)
        free(blocks[i]);
    FAULT_EQUAL(fault_live(), before);
    return 0;
}
