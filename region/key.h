/*
 * Frame keys: one 64-bit word that names a frame without naming an address of this run, so that
 * contexts of different runs, processes and hosts mean the same.
 *
 *     63      60 59            40 39                                   0
 *     +---------+----------------+-------------------------------------+
 *     |  kind   |     module     |               offset                |
 *     +---------+----------------+-------------------------------------+
 *
 * offset of a native frame is the ELF virtual address, within its module, of the instruction to
 * look up: one byte before the return address for a frame that made a call, the exact pc for a
 * frame that a signal interrupted. Nobody further on needs to know which of the two it was.
 *
 * A Python frame has no module. It divides its 60 bits otherwise:
 *
 *     63      60 59                       32 31                      0
 *     +---------+---------------------------+------------------------+
 *     |  kind   |           code            |      instruction       |
 *     +---------+---------------------------+------------------------+
 *
 * code is the number of its struct ts_code (python.h); instruction is the offset, in bytes, into
 * the code's instructions, of the one that the frame is at: what its line table is asked for.
 */
#ifndef TRACESNAP_REGION_KEY_H
#define TRACESNAP_REGION_KEY_H

#include <stdint.h>

#define TS_KEY_OFFSET_BITS 40
#define TS_KEY_MODULE_BITS 20
#define TS_KEY_OFFSET_MAX ((UINT64_C(1) << TS_KEY_OFFSET_BITS) - 1)
#define TS_KEY_MODULE_MAX ((UINT32_C(1) << TS_KEY_MODULE_BITS) - 1)

enum ts_frame_kind {
    TS_FRAME_NATIVE = 1, /* module and offset */
    TS_FRAME_UNKNOWN =
        2, /* code that no module holds (JIT); module 0, offset = page number of the pc */
    TS_FRAME_MARK = 3,   /* no frame: says why the stack ends here; offset = enum ts_mark */
    TS_FRAME_PYTHON = 4, /* code and instruction */
};

#define TS_KEY_INSTRUCTION_BITS 32
#define TS_KEY_CODE_MAX ((UINT32_C(1) << 28) - 1)

/* Why a stack ends before its root. X(name, text shown in place of a function) */
#define TS_MARK_LIST(X)                                                                            \
    X(CUT, "<stack cut at depth>")                                                                 \
    X(NO_UNWIND, "<no unwind information>")                                                        \
    X(CATCH_ALL, "<context table full>")

enum ts_mark {
    TS_MARK_NONE = 0,
#define X(name, text) TS_MARK_##name,
    TS_MARK_LIST(X)
#undef X
        TS_MARK_END
};

static inline uint64_t ts_key(enum ts_frame_kind kind, uint32_t module, uint64_t offset)
{
    return (uint64_t)kind << (TS_KEY_OFFSET_BITS + TS_KEY_MODULE_BITS) |
           (uint64_t)(module & TS_KEY_MODULE_MAX) << TS_KEY_OFFSET_BITS |
           (offset & TS_KEY_OFFSET_MAX);
}

static inline unsigned ts_key_kind(uint64_t key)
{
    return (unsigned)(key >> (TS_KEY_OFFSET_BITS + TS_KEY_MODULE_BITS));
}

static inline uint32_t ts_key_module(uint64_t key)
{
    return (uint32_t)(key >> TS_KEY_OFFSET_BITS) & TS_KEY_MODULE_MAX;
}

static inline uint64_t ts_key_offset(uint64_t key)
{
    return key & TS_KEY_OFFSET_MAX;
}

static inline uint64_t ts_key_python(uint32_t code, uint32_t instruction)
{
    return (uint64_t)TS_FRAME_PYTHON << (TS_KEY_OFFSET_BITS + TS_KEY_MODULE_BITS) |
           (uint64_t)(code & TS_KEY_CODE_MAX) << TS_KEY_INSTRUCTION_BITS | instruction;
}

static inline uint32_t ts_key_code(uint64_t key)
{
    return (uint32_t)(key >> TS_KEY_INSTRUCTION_BITS) & TS_KEY_CODE_MAX;
}

static inline uint32_t ts_key_instruction(uint64_t key)
{
    return (uint32_t)key;
}

#endif
