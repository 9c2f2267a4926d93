/*
 * The Python frames of the calling thread: read, compared with those of its last capture, hashed.
 *
 * What is read of a frame is what it can differ in: code object, instruction, what its flags say of
 * the C frame that runs it. The hash of all frames from the outermost inward tells stacks apart; it
 * is of this process's addresses and never leaves it. What the addresses mean does not change as long
 * as the code objects live: python.codes_gone.
 *
 * The frames of the last capture, outermost first, are taken over as in walk.h: as soon as the chain
 * comes to a frame that lay there before, the words of it and of each further one are read again and
 * compared, in the order of the chain, so that only what the chain leads to is ever read. All equal:
 * the hash of all up to there is known. The comparisons do not wait for each other, since a frame's
 * address is known from last time.
 */
#ifndef TRACESNAP_SHIM_PYTHON_FRAMES_H
#define TRACESNAP_SHIM_PYTHON_FRAMES_H

#include "region/hash.h"
#include "region/layout.h"
#include "shim/python.h"

#define PYTHON_DEPTH_MAX TS_DEPTH_MAX
#define PYTHON_WHERE_SHIFT 56

struct python_frame {
    uintptr_t frame;
    uint64_t code; /* as the frame has it, and flags in the upper 16 bits */
    uint64_t instruction;
    uint64_t prefix; /* hash of the path from the outermost frame to here */
};

struct python_frames {
    uint32_t count; /* of seen; count - 1 is the innermost */
    bool cut;       /* there are more than PYTHON_DEPTH_MAX: the outermost are not among them */
    uint16_t where[1 << (64 - PYTHON_WHERE_SHIFT)]; /* hash of a frame's address -> where in seen it
                                                       was last; a hint */
    struct python_frame seen[PYTHON_DEPTH_MAX];
    struct python_frame fresh[PYTHON_DEPTH_MAX]; /* of the capture under way, innermost first */
};

/* Reads the frames of a thread state; returns the hash of their path, 0 when there are none. */
uint64_t python_frames_read(struct python_frames *frames, uintptr_t state);

/* What a frame is at, as a byte offset into its code's instructions. */
int64_t python_instruction(const struct python_frame *frame);

/* The address of its code object. */
static inline uintptr_t python_code(const struct python_frame *frame)
{
    return (frame->code & (UINT64_MAX >> 16)) & ~(uintptr_t)python.layout.code_tag;
}

static inline uint8_t python_owner(const struct python_frame *frame)
{
    uint16_t at = python.layout.frame_owner;
    return at != 0 ? *(const uint8_t *)(frame->frame + at) : 0;
}

/* No frame of Python code, or one that has not begun: tracemalloc does not show it either. */
bool python_is_hidden(const struct python_frame *frame);

/* The newest frame of a state; 0 when there is none. */
static inline uintptr_t python_newest(uintptr_t state)
{
    const struct python_layout *layout = &python.layout;
    if (layout->frame_in_cframe) {
        state = *(const uintptr_t *)(state + layout->state_cframe);
        if (state == 0)
            return 0;
    }
    return *(const uintptr_t *)(state + layout->state_frame);
}

#endif
