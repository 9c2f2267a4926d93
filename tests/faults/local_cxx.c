/* A program of C that loads libstdc++ by RTLD_LOCAL only: the library's operators have no next
 * definition then. */
#include "tests/faults/fault.h"

#include <dlfcn.h>

int main(int argc, char **argv)
{
    void *handle = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    FAULT_TRUE(handle != NULL);
    int (*use)(size_t (*)(void)) = (int (*)(size_t (*)(void)))dlsym(handle, "use");
    FAULT_EQUAL(use(fault_live), 0);
    return 0;
}
