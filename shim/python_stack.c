/*
 * Merging. Which C frame runs which Python frames is told by addresses: the C function has a local
 * variable that the thread state or the Python frames lead to, so it is the frame whose part of the
 * stack holds that address (python_layout.h, enum python_anchor).
 */
#include "shim/python_stack.h"
#include "region/key.h"
#include "shim/options.h"
#include "shim/region.h"

/* The runs of Python frames that are not placed yet. */
struct runs {
    const struct python_frames *frames;
    uint32_t left;    /* seen[left] is the innermost frame of them; 0 = all are placed */
    uintptr_t cframe; /* of the innermost run, where there are such */
};

static inline bool ends_run(const struct python_frame *frame)
{
    switch ((enum python_anchor)python.layout.anchor) {
    case PYTHON_BY_ENTRY: return frame->more != 0;
    case PYTHON_BY_FRAME: return frame->key == PYTHON_KEY_LOOP;
    default: return true;
    }
}

/* An address in the C frame of the innermost run; 0 when it is not known. */
static uintptr_t anchor_of(const struct runs *runs)
{
    if (python.layout.anchor != PYTHON_BY_FRAME)
        return runs->cframe;
    for (uint32_t i = runs->left; i > 0; i--)
        if (ends_run(&runs->frames->seen[i]))
            return runs->frames->seen[i].frame;
    return 0;
}

/*
 * The native frame that runs the innermost run, at `from` or further out; `none` when there is
 * none: the one whose part of the stack holds the anchor.
 */
static uint32_t find_anchor(const struct walk_frames *native, uint32_t from, uint32_t none,
                            uintptr_t anchor)
{
    const struct walk_state *state = native->state;
    uint32_t i = from;
    if (python.layout.anchor == PYTHON_BY_FUNCTION) {
        while (i > none && state[i - 1].pc - python.loop >= python.loop_end - python.loop)
            i--;
        return i;
    }
    if (anchor == 0)
        return none;
    while (i > none && i > 1 && state[i - 2].sp <= anchor)
        i--;
    return i > none && state[i - 1].sp <= anchor ? i : none;
}

static void place_natives(struct python_path *merged, const struct walk_frames *native,
                          uint32_t from, uint32_t to)
{
    for (; from > to; from--)
        merged->keys[merged->count++] = native->path[from - 1].key;
}

static void place_run(struct python_path *merged, struct runs *runs)
{
    while (runs->left > 0) {
        const struct python_frame *frame = &runs->frames->seen[runs->left--];
        if (frame->key > PYTHON_KEY_LOOP)
            merged->keys[merged->count++] = frame->key;
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
    uint64_t prefix = at > 0 ? merged->path[at - 1].prefix : TS_HASH_ROOT;
    for (; at < count; at++) {
        uint64_t key = merged->keys[count - 1 - at];
        prefix = ts_hash_step(prefix, key);
        merged->path[at] = (struct walk_path){key, prefix, 0};
    }
    merged->count = merged->before = count;
}

/*
 * From the innermost frame outward. A mark says why the native stack ends: it stays the outermost.
 * A run whose C frame is not found goes where the native frames end, in its place among the others.
 */
void python_merge(struct python_path *merged, const struct walk_frames *native,
                  struct python_frames *frames, uintptr_t state)
{
    struct runs runs = {.frames = frames, .left = frames->count};
    uint32_t none = ts_key_kind(native->path[0].key) == TS_FRAME_MARK, at = native->count;
    if (python.layout.anchor != PYTHON_BY_FRAME && python.layout.state_cframe != 0)
        runs.cframe = *(const uintptr_t *)(state + python.layout.state_cframe);
    python_frames_name(frames, merged->text);
    merged->count = 0;
    while (runs.left > 0 && at > none) {
        uint32_t found = find_anchor(native, at, none, anchor_of(&runs));
        if (found == none)
            break;
        place_natives(merged, native, at, found - 1);
        at = found - 1;
        place_run(merged, &runs);
    }
    place_natives(merged, native, at, none);
    while (runs.left > 0)
        place_run(merged, &runs);
    place_natives(merged, native, none, 0);
    hash(merged);
}
