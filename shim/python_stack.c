/*
 * Merging. Which C frame runs which Python frames is told by addresses: the C function has a local
 * variable that the thread state or the Python frames lead to, so it is the frame whose part of the
 * stack holds that address (python_layout.h, enum python_anchor).
 */
#include "shim/python_stack.h"
#include "region/key.h"
#include "shim/options.h"
#include "shim/region.h"

/* The run of Python frames under way: where the C frame that runs them is. */
struct runs {
    struct python_frames *frames;
    uint32_t left;    /* seen[left] is the innermost frame that is not placed yet; 0 = all are */
    uintptr_t cframe; /* of the run, where there are such */
};

static bool ends_run(const struct python_frame *frame)
{
    switch ((enum python_anchor)python.layout.anchor) {
    case PYTHON_BY_ENTRY: return *(const uint8_t *)(frame->frame + python.layout.frame_flags) != 0;
    case PYTHON_BY_FRAME: return python_owner(frame->frame) >= PYTHON_OWNED_BY_C;
    default: return true;
    }
}

/* An address in the C frame of the run; 0 when it is not known. */
static uintptr_t anchor_of(const struct runs *runs)
{
    if (python.layout.anchor != PYTHON_BY_FRAME)
        return runs->cframe;
    for (uint32_t i = runs->left; i > 0; i--)
        if (ends_run(&runs->frames->seen[i]))
            return runs->frames->seen[i].frame;
    return 0;
}

/* Whether native frame i is the one that runs the run. */
static bool is_anchor(const struct walk_frames *native, uint32_t i, uintptr_t anchor)
{
    const struct walk_state *state = native->state;
    if (python.layout.anchor == PYTHON_BY_FUNCTION)
        return state[i].pc - python.loop < python.loop_end - python.loop;
    return anchor >= state[i].sp && (i == 0 || anchor < state[i - 1].sp);
}

static void add(struct python_path *merged, uint64_t key)
{
    if (merged->count < PYTHON_PATH_MAX - 1)
        merged->keys[merged->count++] = key;
}

static void place_run(struct python_path *merged, struct runs *runs)
{
    while (runs->left > 0) {
        struct python_frame *frame = &runs->frames->seen[runs->left--];
        uint64_t key = python_frame_key(frame, merged->text);
        if (key != PYTHON_KEY_HIDDEN)
            add(merged, key);
        if (ends_run(frame))
            break;
    }
    if (runs->cframe != 0)
        runs->cframe = *(const uintptr_t *)(runs->cframe + python.layout.cframe_previous);
}

/* From the innermost frame outward, as many as are wanted; hashed from the root, as far as it is
 * not the path before. */
static void hash(struct python_path *merged)
{
    uint32_t count = merged->count, before = merged->before, at = 0;
    if (count > options.depth && ts_key_kind(merged->keys[count - 1]) != TS_FRAME_MARK)
        region_drop(TS_DROP_DEPTH_CUT);
    if (count > options.depth) {
        count = options.depth;
        merged->keys[count++] = ts_key(TS_FRAME_MARK, 0, TS_MARK_CUT);
    }
    while (at < count && at < before && merged->path[at].key == merged->keys[count - 1 - at])
        at++;
    merged->kept = at;
    uint64_t prefix = at > 0 ? merged->path[at - 1].prefix : TS_HASH_ROOT;
    for (; at < count; at++) {
        uint64_t key = merged->keys[count - 1 - at];
        prefix = ts_hash_step(prefix, key);
        merged->path[at] = (struct walk_path){key, prefix};
    }
    merged->count = merged->before = count;
}

/* A mark says why the native stack ends: it stays the outermost. */
void python_merge(struct python_path *merged, const struct walk_frames *native,
                  struct python_frames *frames, uintptr_t state)
{
    struct runs runs = {.frames = frames, .left = frames->count};
    uint32_t end = 0, gone = ts_load_acquire(&python.codes_gone);
    if (frames->gone != gone) {
        frames->gone = gone;
        for (uint32_t i = 1; i <= frames->count; i++)
            frames->seen[i].key = PYTHON_KEY_UNKNOWN;
    }
    if (native->count > 0 && ts_key_kind(native->path[0].key) == TS_FRAME_MARK)
        end = 1;
    if (python.layout.anchor != PYTHON_BY_FRAME && python.layout.state_cframe != 0)
        runs.cframe = *(const uintptr_t *)(state + python.layout.state_cframe);
    merged->count = 0;
    uintptr_t anchor = anchor_of(&runs);
    for (uint32_t i = native->count; i > end; i--) {
        add(merged, native->path[i - 1].key);
        while (runs.left > 0 && is_anchor(native, i - 1, anchor)) {
            place_run(merged, &runs);
            anchor = anchor_of(&runs);
            if (python.layout.anchor == PYTHON_BY_FUNCTION)
                break;
        }
    }
    while (runs.left > 0)
        place_run(merged, &runs);
    if (end == 1)
        add(merged, native->path[0].key);
    hash(merged);
}
