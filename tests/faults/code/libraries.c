/*
 * Libraries are opened, allocate and are closed in turn, all at one address. Arguments: how many
 * rounds; how many other calls of dlclose come between them; then pairs of a library's path and its
 * outer function. Each round allocates 1 + its number in this list bytes, and frees them when the
 * library is gone. Prints how many rounds came to the address of the round before.
 */
#include "tests/faults/fault.h"

#include <dlfcn.h>

static void *address;
static int same;

static void go_round(const char *path, const char *name, size_t size, int others)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    FAULT_TRUE(handle != NULL);
    void *(*allocate)(size_t) = (void *(*)(size_t))dlsym(handle, name);
    FAULT_TRUE(allocate != NULL);
    same += (void *)allocate == address;
    address = (void *)allocate;
    void *block = fault_opaque(allocate(size));
    FAULT_EQUAL(dlclose(handle), 0);
    free(block);
    for (int i = 0; i < others; i++)
        dlclose(dlopen(NULL, RTLD_NOW));
}

int main(int argc, char **argv)
{
    FAULT_TRUE(argc >= 5 && argc % 2 == 1);
    int rounds = atoi(argv[1]), others = atoi(argv[2]), libraries = (argc - 3) / 2;
    for (int i = 0; i < rounds; i++) {
        int which = i % libraries;
        go_round(argv[3 + 2 * which], argv[4 + 2 * which], (size_t)which + 1,
                 i + 1 < rounds ? others : 0);
    }
    printf("%d\n", same);
    return 0;
}
