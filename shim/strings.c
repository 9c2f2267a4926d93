/*
 * Strings of the region: room is handed out by a cursor, never given back.
 */
#include "shim/strings.h"
#include "shim/region.h"

static uint64_t used; /* bytes handed out in TS_SLAB_STRINGS */

bool strings_add(const char *string, uint32_t size, uint32_t *slab, uint32_t *offset)
{
    uint64_t at = ts_load_relaxed(&used), begin;
    do {
        begin = at;
        if (begin / TS_SLAB_SIZE != (begin + size + 1) / TS_SLAB_SIZE) /* never across slabs */
            begin = (begin / TS_SLAB_SIZE + 1) * TS_SLAB_SIZE;
    } while (!ts_cas_acq_rel(&used, &at, begin + size + 1));
    char *to = region_slab(TS_SLAB_STRINGS, (uint32_t)(begin / TS_SLAB_SIZE));
    if (to == NULL)
        return false;
    __builtin_memcpy(to + begin % TS_SLAB_SIZE, string, size);
    *slab = (uint32_t)(begin / TS_SLAB_SIZE);
    *offset = (uint32_t)(begin % TS_SLAB_SIZE);
    return true;
}

void strings_forked(void)
{
    used = (used + TS_SLAB_SIZE - 1) / TS_SLAB_SIZE * TS_SLAB_SIZE;
}
