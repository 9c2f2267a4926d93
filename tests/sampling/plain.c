/*
 * A thousand blocks that stay.
 */
#include <stdlib.h>

static void *kept[1000];

static __attribute__((noinline, noclone)) void plain(void **block)
{
    *block = malloc(1000);
    if (*block == NULL)
        abort();
}

int main(void)
{
    for (int i = 0; i < 1000; i++)
        plain(&kept[i]);
    return 0;
}
