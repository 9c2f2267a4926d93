/*
 * One stack of both languages, from the root: a C frame of the interpreter's loop is preceded by
 * the Python frames that it runs, since these are what the frames further in were called from.
 */
#ifndef TRACESNAP_SHIM_PYTHON_STACK_H
#define TRACESNAP_SHIM_PYTHON_STACK_H

#include "shim/python_codes.h"
#include "shim/python_frames.h"
#include "shim/walk.h"

#define PYTHON_PATH_MAX (TS_DEPTH_MAX + PYTHON_DEPTH_MAX + 2)

struct python_path {
    uint32_t count;
    uint32_t before; /* count of the path before */
    struct walk_path path[PYTHON_PATH_MAX];
    uint64_t keys[PYTHON_PATH_MAX]; /* of the stack under way, innermost first */
    char text[CODES_TEXT_MAX];      /* for codes_number */
};

/* Merges the native frames of a walk with the Python frames that were read at the same moment. */
void python_merge(struct python_path *merged, const struct walk_frames *native,
                  struct python_frames *frames, uintptr_t state);

#endif
