/* The first plug-in of plugin.c: allocates directly. */
#include "tests/programs/expect.h"

void *plugin_allocate(size_t size);

void *plugin_allocate(size_t size)
{
    return EXPECT_MALLOC(size + 1);
}
