/*
 * Where each version of CPython keeps the state of its collector, and how it is laid out there.
 *
 * The state is a structure inside the interpreter's. Its place is the version's up to 3.12; from
 * 3.13 on the interpreter publishes it, together with the structure's size and one offset within
 * it, in a table at the start of _PyRuntime. The offsets here were taken by offsetof from each
 * version's own headers. A release that moved something must not give wrong figures: the published
 * numbers must be those of the layout, and the pointer to the youngest generation must point to it.
 */
#include "shim/python_gc.h"

#include "region/atomic.h"

#include <stddef.h>
#include <string.h>

/* The same in every version. */
#define ENABLED 12u
#define GENERATIONS 24u
#define GENERATION_SIZE 24u /* two links of a list, then */
#define GENERATION_THRESHOLD 16u
#define GENERATION_COUNT 20u
#define STATISTICS_SIZE 24u /* collections, collected, uncollectable: 8 bytes each */

/* At the start of _PyRuntime (_Py_DebugOffsets), 3.13 and later. */
#define COOKIE "xdebugpy"
#define OFFSETS_VERSION 8u
#define OFFSETS_FREE_THREADED 16u
#define OFFSETS_INTERPRETER_SIZE 48u

struct layout {
    uint32_t minor;      /* version >> 16 */
    uint32_t at;         /* of the collector's state in the interpreter's, up to 3.12 */
    uint32_t offsets_at; /* 3.13 and later: in _Py_DebugOffsets, where the same is published, */
    uint32_t offsets_gc; /* and the size of the state and the offset of `collecting` in it */
    uint32_t size;
    uint32_t collecting;
    uint32_t statistics;
    uint32_t youngest; /* the pointer to the youngest generation; 0 = there is none */
    uint32_t visited;  /* not 0: incremental; the number of the middle one of two older spaces */
};

static const struct layout layouts[] = {
    {.minor = 0x0309, .at = 616, .size = 240, .collecting = 200, .statistics = 128, .youngest = 96},
    {.minor = 0x030a, .at = 616, .size = 240, .collecting = 200, .statistics = 128, .youngest = 96},
    {.minor = 0x030b, .at = 648, .size = 240, .collecting = 200, .statistics = 128, .youngest = 96},
    {.minor = 0x030c, .at = 112, .size = 240, .collecting = 200, .statistics = 128, .youngest = 96},
    {.minor = 0x030d,
     .offsets_at = 80,
     .offsets_gc = 568,
     .size = 240,
     .collecting = 200,
     .statistics = 128,
     .youngest = 96},
    /* 3.14 began with an incremental collector and went back to generations in 3.14.5. */
    {.minor = 0x030e,
     .offsets_at = 88,
     .offsets_gc = 648,
     .size = 240,
     .collecting = 192,
     .statistics = 120,
     .visited = 232},
    {.minor = 0x030e,
     .offsets_at = 88,
     .offsets_gc = 648,
     .size = 264,
     .collecting = 192,
     .statistics = 120,
     .youngest = 256},
};

static uint64_t word(const void *base, size_t offset)
{
    uint64_t value;
    memcpy(&value, (const char *)base + offset, sizeof value);
    return value;
}

static uint32_t number(const void *base, size_t offset)
{
    uint32_t value;
    memcpy(&value, (const char *)base + offset, sizeof value);
    return value;
}

static bool is_published(const struct layout *layout, uint32_t version, const void *runtime)
{
    return runtime != NULL && memcmp(runtime, COOKIE, sizeof COOKIE - 1) == 0 &&
           word(runtime, OFFSETS_VERSION) == version && word(runtime, OFFSETS_FREE_THREADED) == 0 &&
           word(runtime, layout->offsets_gc) == layout->size &&
           word(runtime, layout->offsets_gc + 8) == layout->collecting &&
           word(runtime, OFFSETS_INTERPRETER_SIZE) >= layout->size &&
           word(runtime, layout->offsets_at) <=
               word(runtime, OFFSETS_INTERPRETER_SIZE) - layout->size;
}

/* The layout of this interpreter, and where its collector's state lies in *at; NULL = not known. */
static const struct layout *find(uint32_t version, const void *runtime, size_t *at)
{
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        const struct layout *layout = &layouts[i];
        if (layout->minor != version >> 16)
            continue;
        *at = layout->at;
        if (layout->offsets_at == 0)
            return layout;
        if (!is_published(layout, version, runtime))
            continue;
        *at = word(runtime, layout->offsets_at);
        return layout;
    }
    return NULL;
}

bool python_gc_known(uint32_t version, const void *runtime)
{
    size_t at;
    return find(version, runtime, &at) != NULL;
}

static bool is_state(const struct layout *layout, const char *state)
{
    return number(state, ENABLED) <= 1 && number(state, layout->collecting) <= 1 &&
           (layout->youngest == 0 ||
            word(state, layout->youngest) == (uintptr_t)(state + GENERATIONS)) &&
           (layout->visited == 0 || number(state, layout->visited) <= 1);
}

/*
 * Of the incremental collector's two older spaces the one visited now is what gc.get_count() calls
 * the middle generation; the threshold that gc.get_threshold() gives the oldest is 0.
 */
static void copy_generation(struct ts_interpreter *to, const struct layout *layout,
                            const char *state, uint32_t i)
{
    uint32_t place = i;
    if (layout->visited != 0 && i > 0 && number(state, layout->visited) == 1)
        place = 3 - i;
    const char *counted = state + GENERATIONS + place * GENERATION_SIZE;
    const char *limited = state + GENERATIONS + i * GENERATION_SIZE;
    const char *statistics = state + layout->statistics + i * STATISTICS_SIZE;
    bool limitless = layout->visited != 0 && i == 2;
    int64_t threshold = limitless ? 0 : (int32_t)number(limited, GENERATION_THRESHOLD);
    int64_t count = (int32_t)number(counted, GENERATION_COUNT);
    ts_store_relaxed(&to->generations[i].threshold, (uint64_t)threshold);
    ts_store_relaxed(&to->generations[i].count, (uint64_t)count);
    ts_store_relaxed(&to->generations[i].collections, word(statistics, 0));
    ts_store_relaxed(&to->generations[i].collected, word(statistics, 8));
    ts_store_relaxed(&to->generations[i].uncollectable, word(statistics, 16));
}

bool python_gc_copy(struct ts_interpreter *to, const void *interpreter, uint32_t version,
                    const void *runtime)
{
    size_t at;
    const struct layout *layout = find(version, runtime, &at);
    const char *state = (const char *)interpreter + at;
    if (layout == NULL || interpreter == NULL || !is_state(layout, state))
        return false;
    for (uint32_t i = 0; i < TS_GC_GENERATIONS; i++)
        copy_generation(to, layout, state, i);
    ts_store_relaxed(&to->gc_enabled, number(state, ENABLED));
    ts_store_release(&to->gc_known, 1);
    return true;
}
