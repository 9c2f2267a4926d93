/*
 * As many clears as a generation has numbers: what was forgotten long ago stays forgotten. Blocks
 * of all sizes, since small and large ones are kept in different tables.
 */
#include "tests/faults/fault.h"

#define CLEARS (1 << 15)
#define BLOCKS 100

static const size_t sizes[] = {100, 300000, 24};
static void *blocks[BLOCKS];

static void allocate_all(void)
{
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = FAULT_MALLOC(sizes[i % 3]);
}

static void release_all(void)
{
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

/* While nobody allocates: as many as a small block's era has numbers. */
static void clear_idle(void)
{
    allocate_all();
    for (int i = 0; i < 256; i++)
        FAULT_EQUAL(tracesnap_clear_traces(), 0);
    release_all();
    FAULT_EQUAL(fault_live(), 0);
}

static long resident_pages(void)
{
    long size, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    FAULT_EQUAL(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident;
}

/* Other stacks for each bit of the path. */
static __attribute__((noinline)) void *descend(unsigned path, int depth)
{
    void *block;
    if (depth == 0)
        block = FAULT_MALLOC(8 + path % 40);
    else if (path >> depth & 1)
        block = fault_opaque(descend(path, depth - 1));
    else
        block = fault_opaque(descend(path & ~1u, depth - 1));
    return block;
}

/* What is kept of the small blocks of many stacks does not grow with the clears. */
static void stay_small(void)
{
    long before = 0;
    for (int i = 0; i < 400; i++) {
        for (unsigned path = 0; path < 1024; path++)
            free(descend(path, 10));
        FAULT_EQUAL(tracesnap_clear_traces(), 0);
        if (i == 100)
            before = resident_pages();
    }
    FAULT_TRUE(resident_pages() - before < 512);
}

int main(void)
{
    struct tracesnap_frame frame;
    clear_idle();
    stay_small();
    FAULT_EQUAL(tracesnap_clear_traces(), 0);
    allocate_all();
    for (int i = 0; i < CLEARS; i++) {
        FAULT_EQUAL(tracesnap_clear_traces(), 0);
        free(FAULT_MALLOC(1));
    }
    FAULT_EQUAL(fault_live(), 0);
    FAULT_EQUAL(tracesnap_get_object_traceback(blocks[0], &frame, 1), 0);
    FAULT_EQUAL(tracesnap_get_object_traceback(blocks[1], &frame, 1), 0);
    FAULT_EQUAL(tracesnap_get_object_traceback(blocks[2], &frame, 1), 0);
    FAULT_EQUAL(tracesnap_take_snapshot("held.tsnap"), 0);
    void *now = FAULT_MALLOC(5000);
    release_all();
    FAULT_EQUAL(fault_live(), 5000);
    FAULT_EQUAL(tracesnap_take_snapshot("freed.tsnap"), 0);
    free(now);
    return 0;
}
