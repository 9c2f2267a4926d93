/*
 * Functions that allocate for their callers: the program's own xmalloc and its like, wrappers
 * around wrappers, and functions of the C library. The blocks belong to the lines that call them.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <string.h>

static __attribute__((noinline)) void *xmalloc(size_t size)
{
    void *p = malloc(size);
    if (p == NULL)
        abort();
    return p;
}

static __attribute__((noinline)) void *buffer_zalloc(size_t size)
{
    return memset(xmalloc(size), 0, size);
}

static __attribute__((noinline)) char *name_strdup(const char *name)
{
    return strcpy(xmalloc(strlen(name) + 1), name);
}

static void *make_record(void)
{
    return EXPECT_CALL(buffer_zalloc(300), 300);
}

int main(void)
{
    void *kept = NULL;
    for (int i = 0; i < 10; i++) {
        kept = make_record();
        if (i % 2 == 0)
            EXPECT_FREE(kept);
    }
    kept = EXPECT_CALL(xmalloc(70), 70);
    kept = EXPECT_CALL(name_strdup("twelve bytes"), 13);
    kept = EXPECT_CALL(strdup("of the C library"), 17);
    EXPECT_FREE(kept);
    kept = EXPECT_CALL(strndup("of the C library", 6), 7);
    EXPECT_TRUE(kept != NULL);
    expect_report();
    return 0;
}
