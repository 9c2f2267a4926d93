/*
 * CPython's layouts, by version. See python_layout.h.
 */
#include "shim/python_layout.h"
#include "region/python.h"

static const struct python_layout layouts[] = {
    {
        .version = 0x0309,
        .reader = PYTHON_READER_39,
        .anchor = PYTHON_BY_FUNCTION,
        .lines = TS_LINES_LNOTAB,
        .state_interpreter = 16,
        .state_thread_id = 176,
        .state_frame = 24,
        .frame_previous = 24,
        .frame_code = 32,
        .frame_instruction = 104,
        .instruction_units = 1,
        .code_first_line = 40,
        .code_file = 104,
        .code_name = 112,
        .code_table = 120,
        .ascii_data = 48,
        .wide_data = 72,
    },
    {
        .version = 0x030a,
        .reader = PYTHON_READER_310,
        .anchor = PYTHON_BY_CFRAME,
        .lines = TS_LINES_LINETABLE,
        .state_interpreter = 16,
        .state_thread_id = 176,
        .state_cframe = 48,
        .state_frame = 24,
        .cframe_previous = 8,
        .frame_previous = 24,
        .frame_code = 32,
        .frame_instruction = 96,
        .instruction_units = 2,
        .code_first_line = 40,
        .code_file = 104,
        .code_name = 112,
        .code_table = 120,
        .ascii_data = 48,
        .wide_data = 72,
    },
    {
        .version = 0x030b,
        .reader = PYTHON_READER_311,
        .anchor = PYTHON_BY_ENTRY,
        .lines = TS_LINES_LOCATIONS,
        .state_interpreter = 16,
        .state_thread_id = 152,
        .state_cframe = 56,
        .state_frame = 8,
        .frame_in_cframe = true,
        .cframe_previous = 16,
        .frame_previous = 48,
        .frame_code = 32,
        .frame_instruction = 56,
        .frame_flags = 68,
        .frame_owner = 69,
        .code_first_line = 72,
        .code_file = 112,
        .code_name = 128,
        .code_table = 136,
        .code_first_traceable = 168,
        .code_instructions = 184,
        .ascii_data = 48,
        .wide_data = 72,
    },
    {
        .version = 0x030c,
        .reader = PYTHON_READER_312,
        .anchor = PYTHON_BY_FRAME,
        .lines = TS_LINES_LOCATIONS,
        .state_interpreter = 16,
        .state_thread_id = 136,
        .state_cframe = 56,
        .state_frame = 0,
        .frame_in_cframe = true,
        .cframe_previous = 8,
        .frame_previous = 8,
        .frame_code = 0,
        .frame_instruction = 56,
        .frame_owner = 70,
        .code_first_line = 68,
        .code_file = 112,
        .code_name = 128,
        .code_table = 136,
        .code_first_traceable = 176,
        .code_instructions = 192,
        .ascii_data = 40,
        .wide_data = 56,
    },
    {
        .version = 0x030d,
        .reader = PYTHON_READER_312,
        .anchor = PYTHON_BY_FRAME,
        .lines = TS_LINES_LOCATIONS,
        .state_interpreter = 16,
        .state_thread_id = 152,
        .state_frame = 72,
        .frame_previous = 8,
        .frame_code = 0,
        .frame_instruction = 56,
        .frame_owner = 70,
        .code_first_line = 68,
        .code_file = 112,
        .code_name = 128,
        .code_table = 136,
        .code_first_traceable = 184,
        .code_instructions = 200,
        .ascii_data = 40,
        .wide_data = 56,
    },
    {
        .version = 0x030e,
        .reader = PYTHON_READER_312,
        .anchor = PYTHON_BY_FRAME,
        .lines = TS_LINES_LOCATIONS,
        .state_interpreter = 16,
        .state_thread_id = 152,
        .state_frame = 72,
        .frame_previous = 8,
        .frame_code = 0,
        .code_tag = 3,
        .frame_instruction = 56,
        .frame_owner = 74,
        .code_first_line = 68,
        .code_file = 112,
        .code_name = 128,
        .code_table = 136,
        .code_first_traceable = 192,
        .code_instructions = 208,
        .ascii_data = 40,
        .wide_data = 56,
    },
};

#define PUBLISHED_FROM 0x030d0000u
#define COOKIE "xdebugpy"

/*
 * The beginning of _Py_DebugOffsets (Include/internal/pycore_runtime.h in 3.13,
 * pycore_debug_offsets.h in 3.14): words of 64 bits, in groups that begin with a size.
 */
struct published {
    char cookie[8];
    uint64_t version;
    uint64_t free_threaded;
    uint64_t words[];
};

/* Which word each group begins with. */
static const struct {
    uint16_t version;
    uint8_t thread_state, frame, code;
} groups[] = {
    {0x030d, 16, 25, 31},
    {0x030e, 19, 28, 36},
};

static const struct published *published_by(uint32_t version, const uint8_t *runtime)
{
    const struct published *published = (const void *)runtime;
    if (version < PUBLISHED_FROM || runtime == NULL ||
        __builtin_memcmp(published->cookie, COOKIE, sizeof published->cookie) != 0 ||
        (uint32_t)published->version != version)
        return NULL;
    return published;
}

bool python_is_free_threaded(uint32_t version, const uint8_t *runtime)
{
    const struct published *published = published_by(version, runtime);
    return published != NULL && published->free_threaded != 0;
}

/* _co_firsttraceable and what depends on the version alone stay as the table has them. */
static void take_published(const struct published *published, struct python_layout *layout)
{
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        const uint64_t *thread = published->words + groups[i].thread_state;
        const uint64_t *frame = published->words + groups[i].frame;
        const uint64_t *code = published->words + groups[i].code;
        if (groups[i].version != layout->version || thread[3] != layout->state_interpreter)
            continue;
        layout->state_frame = (uint16_t)thread[4];
        layout->state_thread_id = (uint16_t)thread[5];
        layout->frame_previous = (uint16_t)frame[1];
        layout->frame_code = (uint16_t)frame[2];
        layout->frame_instruction = (uint16_t)frame[3];
        layout->frame_owner = (uint16_t)frame[5];
        layout->code_file = (uint16_t)code[1];
        layout->code_name = (uint16_t)code[3];
        layout->code_table = (uint16_t)code[4];
        layout->code_first_line = (uint16_t)code[5];
        layout->code_instructions = (uint16_t)code[9];
    }
}

bool python_layout_of(uint32_t version, const uint8_t *runtime, struct python_layout *layout)
{
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        if (layouts[i].version != version >> 16)
            continue;
        *layout = layouts[i];
        const struct published *published = published_by(version, runtime);
        if (published != NULL)
            take_published(published, layout);
        if (layout->frame_previous != layouts[i].frame_previous ||
            layout->frame_instruction != layouts[i].frame_instruction)
            layout->reader = PYTHON_READER_ANY;
        /* Who should publish offsets and does not is not what it says that it is. */
        return version < PUBLISHED_FROM || published != NULL;
    }
    return false;
}
