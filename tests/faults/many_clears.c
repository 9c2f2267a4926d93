/*
 * As many clears as a generation has numbers: what was forgotten long ago stays forgotten. Blocks
 * of all sizes, since small and large ones are kept in different tables.
 */
#include "tests/faults/fault.h"

#define CLEARS (1 << 15)
#define BLOCKS 100

static void *blocks[BLOCKS];

static void allocate_all(void)
{
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = FAULT_MALLOC(i % 2 == 0 ? 100 : 300000);
}

static void release_all(void)
{
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

int main(void)
{
    struct tracesnap_frame frame;
    FAULT_EQUAL(tracesnap_clear_traces(), 0);
    allocate_all();
    for (int i = 0; i < CLEARS; i++) {
        FAULT_EQUAL(tracesnap_clear_traces(), 0);
        free(FAULT_MALLOC(1));
    }
    FAULT_EQUAL(fault_live(), 0);
    FAULT_EQUAL(tracesnap_get_object_traceback(blocks[0], &frame, 1), 0);
    FAULT_EQUAL(tracesnap_get_object_traceback(blocks[1], &frame, 1), 0);
    FAULT_EQUAL(tracesnap_take_snapshot("held.tsnap"), 0);
    void *now = FAULT_MALLOC(5000);
    release_all();
    FAULT_EQUAL(fault_live(), 5000);
    FAULT_EQUAL(tracesnap_take_snapshot("freed.tsnap"), 0);
    free(now);
    return 0;
}
