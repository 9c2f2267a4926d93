/*
 * A plug-in that is opened, allocates, and is closed, many times; its blocks outlive it and keep
 * its lines. Two different plug-ins take turns, so that one may be mapped where the other was.
 * @build -rdynamic -ldl
 * @module plugin_one.c
 * @module plugin_two.c
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <dlfcn.h>

static void *(*entry)(size_t);

static void *open_plugin(const char *name)
{
    char path[4096];
    const char *directory = getenv("EXPECT_MODULES");
    EXPECT_TRUE(directory != NULL);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    void *handle;
    EXPECT_HIDDEN(handle = dlopen(path, RTLD_NOW));
    EXPECT_TRUE(handle != NULL);
    EXPECT_HIDDEN(entry = (void *(*)(size_t))dlsym(handle, "plugin_allocate"));
    EXPECT_TRUE(entry != NULL);
    return handle;
}

int main(void)
{
    for (int round = 0; round < 20; round++) {
        void *handle = open_plugin(round % 2 ? "plugin_one.so" : "plugin_two.so");
        void *mine = EXPECT_MALLOC(10);
        for (size_t i = 0; i < 10; i++) {
            void *theirs = entry(i * 10);
            if (i % 3 == 0)
                EXPECT_FREE(theirs);
        }
        EXPECT_HIDDEN(dlclose(handle));
        EXPECT_FREE(mine);
    }
    expect_report();
    return 0;
}
