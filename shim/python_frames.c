/*
 * The Python frames of the calling thread. See python_frames.h.
 */
#include "shim/python_frames.h"

#define WORD(address) (*(const uint64_t *)(address))

/* Offsets in registers: the loops below read each frame by them. */
struct reading {
    uint32_t previous, code, instruction, flags, flags_mask;
};

static inline struct reading reading_of(const struct python_layout *layout)
{
    return (struct reading){layout->frame_previous, layout->frame_code, layout->frame_instruction,
                            layout->frame_flags, layout->flags_mask};
}

static inline uint64_t code_word(uintptr_t frame, const struct reading *at)
{
    return WORD(frame + at->code) |
           (uint64_t)(*(const uint32_t *)(frame + at->flags) & at->flags_mask) << 56;
}

static inline uint32_t where_slot(uintptr_t frame)
{
    return (uint32_t)((frame >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> PYTHON_WHERE_SHIFT);
}

/*
 * Whether the frames from `from` outward are those that were seen. Each is read only after the chain
 * led to it. On failure *limit is the index of the frame that differs: no other chain that comes to
 * it, or to one further in, can succeed.
 */
static inline bool same_from(const struct python_frames *frames, uint32_t from,
                             const struct reading *at, uint32_t *limit)
{
    const struct python_frame *seen = frames->seen;
    for (uint32_t i = from;; i--) {
        uintptr_t frame = seen[i].frame;
        uintptr_t previous = WORD(frame + at->previous);
        if (((WORD(frame + at->instruction) ^ seen[i].instruction) |
             (code_word(frame, at) ^ seen[i].code)) != 0 ||
            previous != (i > 0 ? seen[i - 1].frame : 0)) {
            *limit = i;
            return false;
        }
        if (i == 0)
            return true;
    }
}

static inline uint64_t step(uint64_t prefix, const struct python_frame *frame)
{
    return ts_hash_step(prefix, frame->instruction + frame->code * UINT64_C(0xd6e8feb86659fd93));
}

/* Puts the fresh frames onto the kept ones. */
static uint64_t append(struct python_frames *frames, uint32_t kept, uint32_t fresh)
{
    uint64_t prefix = kept > 0 ? frames->seen[kept - 1].prefix : TS_HASH_ROOT;
    for (; fresh > 0; fresh--) {
        struct python_frame *frame = &frames->seen[kept];
        *frame = frames->fresh[fresh - 1];
        prefix = frame->prefix = step(prefix, frame);
        frames->where[where_slot(frame->frame)] = (uint16_t)kept++;
    }
    frames->count = kept;
    return prefix;
}

/* The chain is longer than what is kept of it. */
static __attribute__((noinline)) uint64_t append_cut(struct python_frames *frames, uint32_t fresh)
{
    frames->cut = true;
    return append(frames, 0, fresh);
}

uint64_t python_frames_read(struct python_frames *frames, uintptr_t state)
{
    const struct reading at = reading_of(&python.layout);
    uintptr_t frame = python_newest(state);
    uint32_t fresh = 0, kept = 0, limit = frames->cut ? 0 : frames->count;
    frames->cut = false;
    while (frame != 0) {
        uint32_t i = frames->where[where_slot(frame)];
        if (i < limit && frames->seen[i].frame == frame && same_from(frames, i, &at, &limit)) {
            kept = i + 1;
            break;
        }
        if (__builtin_expect(fresh == PYTHON_DEPTH_MAX, 0))
            return append_cut(frames, fresh);
        frames->fresh[fresh].frame = frame;
        frames->fresh[fresh].code = code_word(frame, &at);
        frames->fresh[fresh++].instruction = WORD(frame + at.instruction);
        frame = WORD(frame + at.previous);
    }
    if (__builtin_expect(kept + fresh > PYTHON_DEPTH_MAX, 0)) {
        /* Innermost first: the kept ones go behind the fresh ones as far as there is room. */
        for (; fresh < PYTHON_DEPTH_MAX; fresh++)
            frames->fresh[fresh] = frames->seen[--kept];
        return append_cut(frames, fresh);
    }
    uint64_t hash = append(frames, kept, fresh);
    return frames->count > 0 ? hash : 0;
}

int64_t python_instruction(const struct python_frame *frame)
{
    const struct python_layout *layout = &python.layout;
    if (layout->instruction_units != 0)
        return (int64_t)(int32_t)(uint32_t)frame->instruction * layout->instruction_units;
    return (int64_t)(frame->instruction - (python_code(frame) + layout->code_instructions));
}

bool python_is_hidden(const struct python_frame *frame)
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
