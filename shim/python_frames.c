/*
 * The Python frames of the calling thread. See python_frames.h.
 */
#include "shim/python_frames.h"
#include "region/key.h"
#include "shim/python_codes.h"

#define WORD(address) (*(const uint64_t *)(address))

/*
 * Where the words of a frame lie. The readers below are one function, compiled for the offsets of
 * each version: constants make it half as long.
 */
struct reading {
    uint32_t previous, instruction;
    uint32_t more; /* what else tells frames apart, 0 = nothing: */
    bool is_flag;  /* a byte of flags; else the address of the code object */
};

static const struct reading reading_39 = {24, 104, 32, false}, reading_310 = {24, 96, 32, false},
                            reading_311 = {48, 56, 68, true}, reading_312 = {8, 56, 0, false};

#define READER static inline __attribute__((always_inline))

READER uint64_t more_of(uintptr_t frame, const struct reading *at)
{
    if (at->more == 0)
        return 0;
    return at->is_flag ? *(const uint8_t *)(frame + at->more) : WORD(frame + at->more);
}

READER uint32_t where_slot(uintptr_t frame)
{
    return (uint32_t)((frame >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> PYTHON_WHERE_SHIFT);
}

/*
 * Whether the frames from seen[from] outward are those that were seen. Each is read only after the
 * chain led to it. On failure *limit is the one that differs: no chain that comes to it, or to one
 * further in, is the same from there.
 */
READER bool same_from(const struct python_frames *frames, uint32_t from, const struct reading *at,
                      uint32_t *limit)
{
    const struct python_frame *seen = &frames->seen[from];
    for (;; seen--) {
        uintptr_t frame = seen->frame;
        if (WORD(frame + at->instruction) != seen->instruction ||
            (at->more != 0 && more_of(frame, at) != seen->more))
            break;
        uintptr_t previous = WORD(frame + at->previous);
        if (previous != seen[-1].frame)
            break;
        if (previous == 0)
            return true;
    }
    *limit = (uint32_t)(seen - frames->seen);
    return false;
}

READER uint64_t hash_of(uint64_t prefix, uint64_t instruction, uint64_t more)
{
    return ts_hash_step(prefix, instruction + more * UINT64_C(0xd6e8feb86659fd93));
}

READER uint64_t append_one(struct python_frames *frames, uint32_t at, const struct python_frame *new)
{
    struct python_frame *frame = &frames->seen[at];
    frame->frame = new->frame;
    frame->instruction = new->instruction;
    frame->more = new->more;
    frame->key = PYTHON_KEY_UNKNOWN;
    frame->prefix = hash_of(frame[-1].prefix, new->instruction, new->more);
    frames->where[where_slot(new->frame)] = (uint16_t)at;
    return frame->prefix;
}

/* The chain is longer than what is kept of it: the outermost frames that are kept go behind the fresh
 * ones as far as there is room. */
static __attribute__((noinline)) uint64_t append_cut(struct python_frames *frames, uint32_t kept,
                                                     uint32_t fresh)
{
    uint64_t hash = 0;
    while (fresh < PYTHON_DEPTH_MAX)
        frames->fresh[fresh++] = frames->seen[kept--];
    frames->cut = true;
    frames->count = fresh;
    for (uint32_t at = 1; fresh > 0; at++)
        hash = append_one(frames, at, &frames->fresh[--fresh]);
    return hash;
}

static __attribute__((noinline)) uint64_t read_any(struct python_frames *frames, uintptr_t frame,
                                                   struct reading at)
{
    uint32_t fresh = 0, kept = 0, limit = frames->cut ? 0 : frames->count + 1;
    frames->cut = false;
    while (frame != 0) {
        struct python_frame *now = &frames->fresh[fresh++];
        now->frame = frame;
        now->instruction = WORD(frame + at.instruction);
        now->more = more_of(frame, &at);
        frame = WORD(frame + at.previous);
        uint32_t i = frames->where[where_slot(frame)];
        if (i < limit && frame != 0 && frames->seen[i].frame == frame &&
            same_from(frames, i, &at, &limit)) {
            kept = i;
            break;
        }
        if (__builtin_expect(fresh == PYTHON_DEPTH_MAX, 0))
            return append_cut(frames, 0, fresh);
    }
    if (__builtin_expect(kept + fresh > PYTHON_DEPTH_MAX, 0))
        return append_cut(frames, kept, fresh);
    uint64_t hash = 0;
    frames->count = kept + fresh;
    while (fresh > 0)
        hash = append_one(frames, ++kept, &frames->fresh[--fresh]);
    return hash;
}

/*
 * The usual case: the newest frame is that of the last capture, somewhere else in its code perhaps,
 * and the frames that called it are where they were.
 */
READER uint64_t read_frames(struct python_frames *frames, uintptr_t frame, const struct reading at)
{
    struct python_frame *seen = &frames->seen[frames->count];
    uint32_t limit;
    if (!likely(frame != 0 && seen->frame == frame && !frames->cut))
        return read_any(frames, frame, at);
    uintptr_t previous = WORD(frame + at.previous);
    if (!likely(seen[-1].frame == previous &&
                (previous == 0 || same_from(frames, frames->count - 1, &at, &limit))))
        return read_any(frames, frame, at);
    uint64_t instruction = WORD(frame + at.instruction), more = more_of(frame, &at);
    if (seen->instruction != instruction || seen->more != more) {
        seen->instruction = instruction;
        seen->more = more;
        seen->key = PYTHON_KEY_UNKNOWN;
        seen->prefix = hash_of(seen[-1].prefix, instruction, more);
    }
    return seen->prefix;
}

/* The newest frame of a state; 0 when there is none. */
READER uintptr_t newest(uintptr_t state, bool in_cframe, uint32_t cframe, uint32_t at)
{
    if (in_cframe)
        state = WORD(state + cframe);
    return !in_cframe || state != 0 ? WORD(state + at) : 0;
}

uint64_t python_frames_read(struct python_frames *frames, uintptr_t state)
{
    const struct python_layout *layout = &python.layout;
    uintptr_t frame =
        newest(state, layout->frame_in_cframe, layout->state_cframe, layout->state_frame);
    switch (layout->reader) {
    case PYTHON_READER_39: return read_frames(frames, frame, reading_39);
    case PYTHON_READER_310: return read_frames(frames, frame, reading_310);
    case PYTHON_READER_311: return read_frames(frames, frame, reading_311);
    case PYTHON_READER_312: return read_frames(frames, frame, reading_312);
    default: break;
    }
    return read_frames(frames, frame,
                       (struct reading){layout->frame_previous, layout->frame_instruction,
                                        layout->frame_code, false});
}

int64_t python_instruction(uintptr_t frame)
{
    const struct python_layout *layout = &python.layout;
    uint64_t word = WORD(frame + layout->frame_instruction);
    if (layout->instruction_units != 0)
        return (int64_t)(int32_t)(uint32_t)word * layout->instruction_units;
    return (int64_t)(word - (python_code(frame) + layout->code_instructions));
}

static bool is_hidden(uintptr_t frame)
{
    const struct python_layout *layout = &python.layout;
    uint8_t owner = python_owner(frame);
    if (owner >= PYTHON_OWNED_BY_C && layout->anchor == PYTHON_BY_FRAME)
        return true;
    if (layout->code_first_traceable == 0 || owner == PYTHON_OWNED_BY_GENERATOR)
        return false;
    int32_t first = *(const int32_t *)(python_code(frame) + layout->code_first_traceable);
    return python_instruction(frame) < (int64_t)first * 2;
}

uint64_t python_frame_key(struct python_frame *frame, char *text)
{
    if (frame->key == PYTHON_KEY_UNKNOWN)
        frame->key = is_hidden(frame->frame)
                         ? PYTHON_KEY_HIDDEN
                         : ts_key_python(codes_number(python_code(frame->frame), text),
                                         (uint32_t)python_instruction(frame->frame));
    return frame->key;
}
