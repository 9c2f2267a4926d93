/*
 * The Python frames of the calling thread. See python_frames.h.
 */
#include "shim/python_frames.h"
#include "region/key.h"
#include "shim/python_codes.h"

PYTHON_INLINE uint32_t where_slot(uintptr_t frame)
{
    return (uint32_t)((frame >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> PYTHON_WHERE_SHIFT);
}

PYTHON_INLINE void append_one(struct python_frames *frames, uint32_t at,
                              const struct python_frame *new)
{
    struct python_frame *frame = &frames->seen[at];
    frame->frame = new->frame;
    frame->instruction = new->instruction;
    frame->more = new->more;
    frame->key = PYTHON_KEY_UNKNOWN;
    frame->prefix = hash_of(frame[-1].prefix, new->instruction, new->more);
    frames->where[where_slot(new->frame)] = (uint16_t)at;
}

/* The chain is longer than what is kept of it: the outermost frames that are kept go behind the
 * fresh ones as far as there is room. */
static __attribute__((noinline)) void append_cut(struct python_frames *frames, uint32_t kept,
                                                 uint32_t fresh)
{
    while (fresh < PYTHON_DEPTH_MAX)
        frames->fresh[fresh++] = frames->seen[kept--];
    frames->cut = true;
    frames->count = fresh;
    for (uint32_t at = 1; fresh > 0; at++)
        append_one(frames, at, &frames->fresh[--fresh]);
}

PYTHON_INLINE void read_any(struct python_frames *frames, uintptr_t frame,
                            const struct python_words at)
{
    uint32_t fresh = 0, kept = 0, limit = frames->cut ? 0 : frames->count + 1;
    frames->cut = false;
    while (frame != 0) {
        struct python_frame *now = &frames->fresh[fresh++];
        now->frame = frame;
        now->instruction = python_word(frame + at.instruction);
        now->more = more_of(frame, &at);
        frame = python_word(frame + at.previous);
        uint32_t i = frames->where[where_slot(frame)];
        if (i < limit && frame != 0 && frames->seen[i].frame == frame) {
            const struct python_frame *differing = differing_from(&frames->seen[i], &at);
            if (differing == NULL) {
                kept = i;
                break;
            }
            limit = (uint32_t)(differing - frames->seen);
        }
        if (__builtin_expect(fresh == PYTHON_DEPTH_MAX, 0))
            return append_cut(frames, 0, fresh);
    }
    if (__builtin_expect(kept + fresh > PYTHON_DEPTH_MAX, 0))
        return append_cut(frames, kept, fresh);
    frames->count = kept + fresh;
    while (fresh > 0)
        append_one(frames, ++kept, &frames->fresh[--fresh]);
}

/* The newest frame that is the interpreter's own ends the run of the newest frame. */
static uintptr_t find_loop(const struct python_frames *frames)
{
    for (uint32_t i = frames->count; i > 0; i--)
        if (python_owner(frames->seen[i].frame) >= PYTHON_OWNED_BY_C)
            return frames->seen[i].frame;
    return 0;
}

static void read_by_version(struct python_frames *frames, uintptr_t frame)
{
    const struct python_layout *layout = &python.layout;
    switch (layout->reader) {
    case PYTHON_READER_39: read_any(frames, frame, python_words_39); return;
    case PYTHON_READER_310: read_any(frames, frame, python_words_310); return;
    case PYTHON_READER_311: read_any(frames, frame, python_words_311); return;
    case PYTHON_READER_312: read_any(frames, frame, python_words_312); return;
    default: break;
    }
    read_any(frames, frame,
             (struct python_words){layout->frame_previous, layout->frame_instruction,
                                   layout->frame_code, false});
}

uint64_t python_frames_read_any(struct python_frames *frames, uintptr_t frame)
{
    read_by_version(frames, frame);
    if (python.layout.anchor == PYTHON_BY_FRAME)
        frames->loop = find_loop(frames);
    struct python_frame *newest = &frames->seen[frames->count];
    frames->newest = frames->count != 0 && !frames->cut ? newest : NULL;
    return frames->count != 0 ? hash_with(newest[-1].prefix, newest->instruction, newest->more) : 0;
}

static void settle(struct python_frame *newest, const struct python_words at)
{
    uint64_t instruction = python_word(newest->frame + at.instruction);
    uint64_t more = more_of(newest->frame, &at);
    if (newest->instruction == instruction && newest->more == more)
        return;
    newest->instruction = instruction;
    newest->more = more;
    newest->key = PYTHON_KEY_UNKNOWN;
    newest->prefix = hash_of(newest[-1].prefix, instruction, more);
}

void python_frames_settle(struct python_frames *frames)
{
    if (frames->newest == NULL)
        return; /* python_frames_read_any was asked */
    if (python.layout.reader == PYTHON_READER_311)
        settle(frames->newest, python_words_311);
    else if (python.layout.reader == PYTHON_READER_312)
        settle(frames->newest, python_words_312);
}

int64_t python_instruction(uintptr_t frame)
{
    const struct python_layout *layout = &python.layout;
    uint64_t word = python_word(frame + layout->frame_instruction);
    if (layout->instruction_units != 0)
        return (int64_t)(int32_t)(uint32_t)word * layout->instruction_units;
    return (int64_t)(word - (python_code(frame) + layout->code_instructions));
}

static bool has_not_begun(uintptr_t frame)
{
    const struct python_layout *layout = &python.layout;
    if (layout->code_first_traceable == 0 || python_owner(frame) == PYTHON_OWNED_BY_GENERATOR)
        return false;
    int32_t first = *(const int32_t *)(python_code(frame) + layout->code_first_traceable);
    return python_instruction(frame) < (int64_t)first * 2;
}

static uint64_t key_of(uintptr_t frame, char *text)
{
    if (python.layout.anchor == PYTHON_BY_FRAME && python_owner(frame) >= PYTHON_OWNED_BY_C)
        return PYTHON_KEY_LOOP;
    if (has_not_begun(frame))
        return PYTHON_KEY_HIDDEN;
    return ts_key_python(codes_number(python_code(frame), text),
                         (uint32_t)python_instruction(frame));
}

void python_frames_name(struct python_frames *frames, char *text)
{
    uint32_t gone = ts_load_acquire(&python.codes_gone);
    for (uint32_t i = 1; i <= frames->count; i++) {
        struct python_frame *frame = &frames->seen[i];
        if (frame->key == PYTHON_KEY_UNKNOWN || frames->gone != gone)
            frame->key = key_of(frame->frame, text);
    }
    frames->gone = gone;
}
