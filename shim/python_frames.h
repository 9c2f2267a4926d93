/*
 * The Python frames of the calling thread: read, compared with those of its last capture, hashed.
 *
 * What is read of a frame is what it can differ in: its instruction, and its code object where the
 * instruction is not an address within it, and what its flags say of the C frame that runs it. The
 * hash of all frames from the outermost inward tells stacks apart; it is of this process's
 * addresses and never leaves it. What the addresses mean does not change as long as the code
 * objects live: python.codes_gone.
 *
 * The frames of the last capture, outermost first, are taken over as in walk.h: as soon as the
 * chain comes to a frame that lay there before, the words of it and of each further one are read
 * again and compared, in the order of the chain, so that only what the chain leads to is ever read.
 * All equal: the hash of all up to there is known. The comparisons do not wait for each other,
 * since a frame's address is known from last time.
 */
#ifndef TRACESNAP_SHIM_PYTHON_FRAMES_H
#define TRACESNAP_SHIM_PYTHON_FRAMES_H

#include "region/hash.h"
#include "region/layout.h"
#include "shim/python.h"

#define PYTHON_DEPTH_MAX TS_DEPTH_MAX
#define PYTHON_WHERE_SHIFT 57

struct python_frame {
    uintptr_t frame;
    uint64_t instruction; /* as the frame has it */
    uint64_t more;        /* the address of the code object, where the instruction does not tell it;
                             3.11: flags */
    uint64_t prefix;      /* hash of the path from the outermost frame to here */
    uint64_t key;         /* region/key.h; PYTHON_KEY_UNKNOWN = not asked for yet */
};

#define PYTHON_KEY_UNKNOWN 0
#define PYTHON_KEY_HIDDEN 1 /* no frame to be shown: it has not begun */
#define PYTHON_KEY_LOOP 2   /* the same: the interpreter's own, ends a run (PYTHON_BY_FRAME) */

struct python_frames {
    struct python_frame *newest; /* &seen[count]; NULL = there is none, or not all are here */
    uint32_t count;              /* seen[1] is the outermost frame, seen[count] the innermost */
    bool cut;       /* there are more than PYTHON_DEPTH_MAX: the outermost are not among them */
    uintptr_t loop; /* an address in the C frame that runs the newest frame; 0 = not known */
    uint32_t gone;  /* of python.codes_gone, to which the keys belong */
    uint16_t where[1 << (64 - PYTHON_WHERE_SHIFT)]; /* hash of a frame's address -> where in seen it
                                                       was last; a hint */
    struct python_frame seen[PYTHON_DEPTH_MAX + 1]; /* [0]: frame 0, where each chain ends */
    struct python_frame fresh[PYTHON_DEPTH_MAX];    /* of the capture under way, innermost first */
};

#define PYTHON_INLINE static inline __attribute__((always_inline))
#define python_word(address) (*(const uint64_t *)(address))

/*
 * Where the words of a frame lie. The readers are one function, compiled for the offsets of each
 * version: constants make it half as long.
 */
struct python_words {
    uint32_t previous, instruction;
    uint32_t more; /* what else tells frames apart, 0 = nothing: */
    bool is_flag;  /* a byte of flags; else the address of the code object */
};

#define PYTHON_311_CFRAME 56 /* in the state; in that, the newest frame: */
#define PYTHON_311_FRAME 8

static const struct python_words python_words_39 = {24, 104, 32, false},
                                 python_words_310 = {24, 96, 32, false},
                                 python_words_311 = {48, 56, 68, true},
                                 python_words_312 = {8, 56, 0, false};

PYTHON_INLINE uint64_t more_of(uintptr_t frame, const struct python_words *at)
{
    if (at->more == 0)
        return 0;
    return at->is_flag ? *(const uint8_t *)(frame + at->more) : python_word(frame + at->more);
}

/*
 * Compares the frames from `seen` outward with what they were. Each is read only after the chain
 * led to it. NULL: all are the same; else the first that differs: no chain that comes to it, or to
 * one further in, is the same from there.
 */
PYTHON_INLINE const struct python_frame *differing_from(const struct python_frame *seen,
                                                        const struct python_words *at)
{
    uintptr_t frame = seen->frame;
    for (;; seen--) {
        if (python_word(frame + at->instruction) != seen->instruction ||
            (at->more != 0 && more_of(frame, at) != seen->more))
            return seen;
        frame = python_word(frame + at->previous);
        if (frame != seen[-1].frame)
            return seen;
        if (frame == 0)
            return NULL;
    }
}

PYTHON_INLINE uint64_t hash_of(uint64_t prefix, uint64_t instruction, uint64_t more)
{
    return ts_hash_step(prefix, instruction + more * UINT64_C(0xd6e8feb86659fd93));
}

/* The hash of the whole path: that of the frames further out, and where the newest one is. */
PYTHON_INLINE uint64_t hash_with(uint64_t callers, uint64_t instruction, uint64_t more)
{
    return callers +
           (instruction + more * UINT64_C(0xd6e8feb86659fd93)) * UINT64_C(0x94d049bb133111eb);
}

/* Reads the frames from the newest one on, whatever changed. */
uint64_t python_frames_read_any(struct python_frames *frames, uintptr_t frame);

/* After python_frames_hash: what it found is in `seen` up to where the newest frame is. */
void python_frames_settle(struct python_frames *frames);

/*
 * The usual case: the newest frame is that of the last capture, somewhere else in its code perhaps,
 * and the frames that called it are where they were. Nothing is written down: `seen` holds what
 * the last python_frames_read_any found.
 */
PYTHON_INLINE uint64_t read_usual(struct python_frames *frames, uintptr_t frame,
                                  const struct python_words at)
{
    const struct python_frame *seen = frames->newest;
    if (!likely(seen != NULL && seen->frame == frame))
        return python_frames_read_any(frames, frame);
    uintptr_t previous = python_word(frame + at.previous);
    if (!likely(seen[-1].frame == previous &&
                (previous == 0 || differing_from(seen - 1, &at) == NULL)))
        return python_frames_read_any(frames, frame);
    return hash_with(seen[-1].prefix, python_word(frame + at.instruction), more_of(frame, &at));
}

/* The newest frame of a state; 0 when there is none. */
PYTHON_INLINE uintptr_t python_newest(uintptr_t state)
{
    const struct python_layout *layout = &python.layout;
    if (layout->frame_in_cframe) {
        state = python_word(state + layout->state_cframe);
        if (__builtin_expect(state == 0, 0))
            return 0;
    }
    return python_word(state + layout->state_frame);
}

/*
 * An address in the C frame that runs the newest frame that was read, 0 where it is not known: the
 * state's CFrame, or the frame of its own that ends the run.
 */
PYTHON_INLINE uintptr_t python_loop_of(const struct python_frames *frames, uintptr_t state)
{
    const struct python_layout *layout = &python.layout;
    if (layout->anchor == PYTHON_BY_FRAME)
        return frames->loop;
    return layout->state_cframe != 0 ? python_word(state + layout->state_cframe) : 0;
}

/*
 * The hash of the path of a thread state's frames, 0 when there are none. *loop: as
 * python_loop_of.
 */
PYTHON_INLINE uint64_t python_frames_hash(struct python_frames *frames, uintptr_t state,
                                          uintptr_t *loop)
{
    uint64_t hash;
    if (likely(python.layout.reader == PYTHON_READER_311)) {
        uintptr_t cframe = *loop = python_word(state + PYTHON_311_CFRAME);
        uintptr_t newest = likely(cframe != 0) ? python_word(cframe + PYTHON_311_FRAME) : 0;
        return read_usual(frames, newest, python_words_311);
    }
    uintptr_t newest = python_newest(state);
    if (python.layout.reader == PYTHON_READER_312)
        hash = read_usual(frames, newest, python_words_312);
    else
        hash = python_frames_read_any(frames, newest);
    *loop = python_loop_of(frames, state);
    return hash;
}

/* Asks for the keys of the frames that were just read, as far as they are not known. What has not
 * begun tracemalloc does not show either. text: as in codes_number. */
void python_frames_name(struct python_frames *frames, char *text);

/* The address of a frame's code object. */
static inline uintptr_t python_code(uintptr_t frame)
{
    return *(const uintptr_t *)(frame + python.layout.frame_code) &
           ~(uintptr_t)python.layout.code_tag;
}

/* What a frame is at, as a byte offset into its code's instructions. */
int64_t python_instruction(uintptr_t frame);

static inline uint8_t python_owner(uintptr_t frame)
{
    uint16_t at = python.layout.frame_owner;
    return at != 0 ? *(const uint8_t *)(frame + at) : 0;
}

#endif
