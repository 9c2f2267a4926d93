/*
 * Where CPython keeps what a stack is read from, by version: offsets in bytes. The values are
 * offsetof() of the versions' own headers (Include/internal/pycore_frame.h and pystate.h,
 * Include/cpython/code.h and unicodeobject.h); 3.13 and later publish most of them in memory, too
 * (_Py_DebugOffsets at _PyRuntime), and are believed rather than the table.
 *
 * Adding a version is one row in python_layout.c.
 */
#ifndef TRACESNAP_SHIM_PYTHON_LAYOUT_H
#define TRACESNAP_SHIM_PYTHON_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the C frames of the interpreter's loop are told from others, and which Python frames each of
 * them runs. */
enum python_anchor {
    PYTHON_BY_FUNCTION, /* 3.9: by the function's name; one Python frame each */
    PYTHON_BY_CFRAME,   /* 3.10: it holds the thread state's CFrame; one Python frame each */
    PYTHON_BY_ENTRY,    /* 3.11: the same; up to the frame whose flags say "entry" */
    PYTHON_BY_FRAME     /* 3.12+: it holds a frame of its own, which ends the run */
};

/* Which of the compiled readers (python_frames.c) fits: those of other offsets are read by a slower
 * one. */
enum python_reader {
    PYTHON_READER_ANY,
    PYTHON_READER_39,
    PYTHON_READER_310,
    PYTHON_READER_311,
    PYTHON_READER_312 /* and later */
};

struct python_layout {
    uint16_t version; /* major << 8 | minor */
    uint8_t anchor;   /* enum python_anchor */
    uint8_t lines;    /* enum ts_line_table */
    uint8_t reader;   /* enum python_reader */

    /* PyThreadState */
    uint16_t state_interpreter, state_thread_id;
    uint16_t state_cframe; /* 0 = there is none */
    uint16_t state_frame; /* of the newest frame, in the state or, if there is one that holds it, in
                             the CFrame */
    bool frame_in_cframe;
    uint16_t cframe_previous;

    /* PyFrameObject, from 3.11 on _PyInterpreterFrame */
    uint16_t frame_previous, frame_code, frame_instruction;
    uint16_t frame_flags;      /* 3.11: is_entry, one byte */
    uint16_t frame_owner;      /* one byte; 0 = there is none */
    uint8_t instruction_units; /* 0 = an address; else an index, of units of so many bytes */
    uint8_t code_tag;          /* bits of frame_code that are no address */

    /* PyCodeObject */
    uint16_t code_first_line, code_file, code_name, code_table;
    uint16_t code_first_traceable; /* 0 = every frame is complete */
    uint16_t code_instructions;

    /* PyASCIIObject, PyCompactUnicodeObject */
    uint16_t ascii_data, wide_data;
};

#define PYTHON_OWNED_BY_GENERATOR 1
#define PYTHON_OWNED_BY_C 3 /* and above: no frame of Python code */

/* PyObject, PyVarObject, PyASCIIObject, PyBytesObject: the same in all versions with a GIL. */
#define PYTHON_OBJECT_TYPE 8
#define PYTHON_VAR_SIZE 16
#define PYTHON_STRING_LENGTH 16
#define PYTHON_STRING_STATE 32
#define PYTHON_BYTES_DATA 32
#define PYTHON_TYPE_FLAGS 168

/* Fills *layout for the version, as PY_VERSION_HEX; false when it is not known. runtime:
 * _PyRuntime, NULL where it has no symbol. */
bool python_layout_of(uint32_t version, const uint8_t *runtime, struct python_layout *layout);

/* What 3.13 and later say of themselves; false for older ones. */
bool python_is_free_threaded(uint32_t version, const uint8_t *runtime);

#endif
