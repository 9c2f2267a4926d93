/*
 * Loads the library argv[1] and allocates through its function, at the address argv[2] in it. With
 * argv[3], the page at that address cannot be read any more by then. What it allocates must be
 * counted, to the byte; who calls it need not be known.
 */
#include "tests/faults/fault.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>

#define BLOCKS 50
#define SIZE 1000

typedef void *call(void *(*allocate)(size_t), size_t size);

static void *allocate_here(size_t size)
{
    return FAULT_MALLOC(size);
}

int main(int argc, char **argv)
{
    void *blocks[BLOCKS];
    struct link_map *map = dlopen(argv[1], RTLD_NOW);
    if (map == NULL) {
        dprintf(2, "the loader refuses it: %s\n", dlerror());
        return 1;
    }
    call *through = (call *)(map->l_addr + strtoul(argv[2], NULL, 0));
    if (argc > 3) {
        void *page = (void *)(map->l_addr + strtoul(argv[3], NULL, 0));
        FAULT_EQUAL(mprotect(page, 4096, PROT_NONE), 0);
    }
    size_t before = fault_live();
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = through(i % 2 ? malloc : allocate_here, SIZE);
        FAULT_TRUE(blocks[i] != NULL);
    }
    FAULT_EQUAL(fault_live() - before, BLOCKS * SIZE);
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    FAULT_EQUAL(fault_live(), before);
    for (int i = 0; i < BLOCKS; i++)
        FAULT_TRUE(through(malloc, SIZE) != NULL);
    return 0;
}
