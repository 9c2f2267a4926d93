/*
 * Blocks of a second libc, which is no other's business; and blocks that cross between the program
 * and a library that binds to libc directly: the shim sees but one end of their life.
 */
#include "tests/faults/fault.h"

#include <dlfcn.h>
#include <string.h>

static void of_second_libc(void)
{
    void *handle = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
    FAULT_TRUE(handle != NULL);
    void *(*make)(size_t) = (void *(*)(size_t))dlsym(handle, "malloc");
    void (*give_back)(void *) = (void (*)(void *))dlsym(handle, "free");
    for (int i = 0; i < 100; i++) {
        void *block = make(500);
        memset(block, 1, 500);
        if (i % 2)
            give_back(block);
    }
}

int main(int count, char **arguments)
{
    static void *volatile kept[100];
    FAULT_TRUE(count == 2);
    void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    FAULT_TRUE(library != NULL);
    void *(*make)(size_t) = (void *(*)(size_t))dlsym(library, "library_make");
    void (*give_back)(void *) = (void (*)(void *))dlsym(library, "library_free");
    of_second_libc();
    for (int i = 0; i < 1000; i++)
        free(make(1000)); /* never seen born */
    for (int i = 0; i < 100; i++)
        kept[i] = FAULT_MALLOC(1000);
    for (int i = 0; i < 50; i++) { /* not seen freed, until the address comes again */
        give_back(kept[i]);
        kept[i] = FAULT_MALLOC(1000);
    }
    return 0;
}
