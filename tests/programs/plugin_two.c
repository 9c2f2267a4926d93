/*
 * The second plug-in of plugin.c: other code at the place of the first one's, and one call deeper.
 */
#include "tests/programs/expect.h"

void *plugin_allocate(size_t size);

static __attribute__((noinline)) void *inner(size_t size)
{
    char used[256];
    for (size_t i = 0; i < sizeof used; i++)
        ((volatile char *)used)[i] = (char)size;
    return EXPECT_CALLOC(1, size + (used[7] != (char)size));
}

void *plugin_allocate(size_t size)
{
    void *scratch = EXPECT_MALLOC(500);
    void *result = inner(size + 3);
    EXPECT_FREE(scratch);
    return result;
}
