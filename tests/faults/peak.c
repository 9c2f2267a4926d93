/*
 * Random allocations of one thread; computes its own peak, also after reset-peak. From outside
 * (argument "outside"): says its peak since each reset when it has seen it, for the tool to be
 * compared with.
 */
#include "tests/faults/fault.h"

#include <string.h>

#define BLOCKS 2000

static struct {
    void *block;
    size_t size;
} slots[BLOCKS];

static size_t live, peak;
static uint64_t state = 88172645463325252u;

static uint64_t number(uint64_t below)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state % below;
}

static void step(uint64_t blocks, size_t largest)
{
    uint64_t i = number(blocks);
    size_t size = number(largest);
    if (slots[i].block != NULL &&
        number(3) == 0) { /* realloc counts as a free and then an allocation */
        live -= slots[i].size;
        slots[i].block = fault_opaque(realloc(slots[i].block, size + 1));
        size++;
    } else {
        if (slots[i].block != NULL)
            live -= slots[i].size;
        free(slots[i].block);
        slots[i].block = NULL;
        if (number(2) == 0) {
            slots[i].size = 0;
            return;
        }
        slots[i].block = FAULT_MALLOC(size);
    }
    slots[i].size = size;
    live += size;
    if (live > peak)
        peak = live;
}

static void release(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        free(slots[i].block);
        slots[i].block = NULL;
        slots[i].size = 0;
    }
    live = 0;
}

/* How far below the true peak the recorded one may be. */
static size_t allowed(size_t true_peak)
{
    return true_peak < (1u << 20) ? 0 : true_peak / 4096 + 1;
}

static void check(void)
{
    FAULT_EQUAL(fault_live(), live);
    FAULT_TRUE(fault_peak() <= peak && fault_peak() + allowed(peak) >= peak);
}

static void inside(void)
{
    static const size_t largest[] = {100, 3000, 60000, 20, 500000, 40};
    static const uint64_t blocks[] = {50, 20, 2000, 300, 100, 1500};
    for (int round = 0; round < 60; round++) {
        int steps = (int)number(3000);
        if (number(3) == 0)
            release();
        FAULT_EQUAL(tracesnap_reset_peak(), 0);
        peak = live;
        for (int i = 0; i < steps; i++)
            step(blocks[round % 6], largest[round % 6]);
        check();
    }
}

/* Each line on stdin is answered by a mountain of its own height, after which little is live. */
static void outside(void)
{
    char line[64];
    for (size_t height = 1 << 22; read(0, line, sizeof line) > 0; height /= 4) {
        peak = 0;
        void *blocks[4];
        for (int i = 0; i < 4; i++)
            blocks[i] = FAULT_MALLOC(height / 4);
        for (int i = 0; i < 4; i++)
            free(blocks[i]);
        FAULT_TRUE(write(1, line, (size_t)snprintf(line, sizeof line, "%zu\n", height)) >
                   0); /* no allocation */
    }
}

int main(int argc, char **argv)
{
    void *none = FAULT_MALLOC(1);
    free(none);
    FAULT_EQUAL(tracesnap_clear_traces(), 0);
    if (argc > 1 && strcmp(argv[1], "outside") == 0)
        outside();
    else
        inside();
    return 0;
}
