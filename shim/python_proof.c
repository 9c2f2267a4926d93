/*
 * Reading the interpreter's structures with care. See python_proof.h.
 */
#include "shim/python_proof.h"
#include "shim/options.h"
#include "shim/python_frames.h"
#include "shim/region.h"
#include "shim/system.h"

#define INSTRUCTIONS_MAX (1 << 28) /* bytes of a code object's instructions, which we believe */

/* The word at base + offset; false where there is none. */
static bool word_at(uintptr_t base, uint32_t offset, uintptr_t *word)
{
    uintptr_t at = base + offset;
    if (at < 4096 || (at & 7) != 0 || !sys_readable(at))
        return false;
    *word = *(const uintptr_t *)at;
    return true;
}

static bool is_a(uintptr_t object, uintptr_t type)
{
    uintptr_t found;
    return (object & 7) == 0 && word_at(object, PYTHON_OBJECT_TYPE, &found) && found == type;
}

static bool is_code(uintptr_t code)
{
    const struct python_layout *layout = &python.layout;
    uintptr_t file, name, table, ignored;
    return is_a(code, python.code_type) && word_at(code, layout->code_file, &file) &&
           is_a(file, python.string_type) && word_at(code, layout->code_name, &name) &&
           is_a(name, python.string_type) && word_at(code, layout->code_table, &table) &&
           is_a(table, python.bytes_type) &&
           word_at(code, layout->code_first_line & ~7u, &ignored) &&
           word_at(code, layout->code_first_traceable & ~7u, &ignored) &&
           word_at(code, layout->code_instructions, &ignored);
}

static bool is_frame(uintptr_t address, uintptr_t *previous)
{
    const struct python_layout *layout = &python.layout;
    uintptr_t code, flags, instruction;
    if (!word_at(address, layout->frame_previous, previous) ||
        !word_at(address, layout->frame_code, &code) ||
        !word_at(address, layout->frame_instruction, &instruction) ||
        !word_at(address, layout->frame_flags & ~7u, &flags))
        return false;
    if (layout->anchor == PYTHON_BY_FRAME && python_owner(address) >= PYTHON_OWNED_BY_C)
        return true;
    if (code >> 48 != 0 || !is_code(python_code(address)))
        return false;
    int64_t offset = python_instruction(address);
    return offset >= -16 && offset < INSTRUCTIONS_MAX;
}

static bool newest(uintptr_t state, uintptr_t *frame)
{
    const struct python_layout *layout = &python.layout;
    uintptr_t cframe;
    if (layout->state_cframe != 0 && !word_at(state, layout->state_cframe, &cframe))
        return false;
    if (layout->state_cframe != 0 && cframe != 0 &&
        !word_at(cframe, layout->cframe_previous, frame))
        return false;
    if (!layout->frame_in_cframe)
        return word_at(state, layout->state_frame, frame);
    *frame = 0;
    return cframe == 0 || word_at(cframe, layout->state_frame, frame);
}

bool python_prove(uintptr_t state)
{
    uintptr_t frame, previous;
    uint32_t count = 0;
    bool good = newest(state, &frame);
    for (; good && frame != 0 && count < PYTHON_DEPTH_MAX; frame = previous, count++)
        good = is_frame(frame, &previous);
    if (!good) {
        ts_store_release(&region_header->process.python, TS_PYTHON_LAYOUT);
        ts_store_release(&python.reading, PYTHON_READING_NOT);
    } else if (count > 0 && ts_add_relaxed(&python.proven, 1) == PYTHON_PROOFS && !options.verify) {
        uint32_t carefully = PYTHON_READING_CAREFULLY;
        ts_cas_acq_rel(&python.reading, &carefully, PYTHON_READING);
    }
    return good;
}
