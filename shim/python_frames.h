/*
 * The Python frames of the calling thread: read, compared with those of its last capture, hashed.
 *
 * What is read of a frame is what it can differ in: its instruction, and its code object where the
 * instruction is not an address within it, and what its flags say of the C frame that runs it. The
 * hash of all frames from the outermost inward tells stacks apart; it is of this process's addresses
 * and never leaves it. What the addresses mean does not change as long as the code objects live:
 * python.codes_gone.
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
#define PYTHON_KEY_HIDDEN 1 /* no frame to be shown */

struct python_frames {
    uint32_t count; /* seen[1] is the outermost frame, seen[count] the innermost */
    bool cut;       /* there are more than PYTHON_DEPTH_MAX: the outermost are not among them */
    uint32_t gone;  /* of python.codes_gone, to which the keys belong */
    uint16_t where[1 << (64 - PYTHON_WHERE_SHIFT)]; /* hash of a frame's address -> where in seen it
                                                       was last; a hint */
    struct python_frame seen[PYTHON_DEPTH_MAX + 1];  /* [0]: frame 0, where each chain ends */
    struct python_frame fresh[PYTHON_DEPTH_MAX];     /* of the capture under way, innermost first */
};

/* Reads the frames of a thread state; returns the hash of their path, 0 when there are none. */
uint64_t python_frames_read(struct python_frames *frames, uintptr_t state);

/* The key of a frame that was just read; PYTHON_KEY_HIDDEN when it is none of Python code, or has not
 * begun: tracemalloc does not show it either. text: as in codes_number. */
uint64_t python_frame_key(struct python_frame *frame, char *text);

/* The address of a frame's code object. */
static inline uintptr_t python_code(uintptr_t frame)
{
    return *(const uintptr_t *)(frame + python.layout.frame_code) & ~(uintptr_t)python.layout.code_tag;
}

/* What a frame is at, as a byte offset into its code's instructions. */
int64_t python_instruction(uintptr_t frame);

static inline uint8_t python_owner(uintptr_t frame)
{
    uint16_t at = python.layout.frame_owner;
    return at != 0 ? *(const uint8_t *)(frame + at) : 0;
}

#endif
