/*
 * What capture.h promises of every capture, checked, and reports with a symbolizer that knows two
 * frames.
 */
#include "tests/unit/reader_promises.h"

#include "tests/unit/reader_build.h"
#include "tools/model/report.h"
#include "tools/source/reader.h"

#include <stdlib.h>
#include <string.h>

struct symbolizer {
    int unused;
};

const struct symbol_result *symbolizer_lookup(struct symbolizer *symbolizer,
                                              const struct capture_module *module, uint64_t offset)
{
    static const struct symbol_frame frames[2] = {
        {"std::vector<int>::push_back(int)", "/usr/include/c++/12/bits/stl_vector.h", 3, true},
        {"main", "main.cc", 7, false},
    };
    static const struct symbol_frame unknown = {NULL, NULL, 0, false};
    static const struct symbol_result lines = {2, frames}, nothing = {1, &unknown};
    (void)symbolizer;
    return module->path[0] != '\0' && offset % 2 == 0 ? &lines : &nothing;
}

static bool text_is_clean(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return true;
}

static bool texts_are_clean(const struct capture *capture)
{
    const struct capture_process *process = &capture->process;
    const char *texts[] = {process->exe,     process->cmdline, process->host,    process->options,
                           process->session, process->version, process->boot_id, process->state};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!text_is_clean(texts[i]))
            return false;
    return true;
}

static bool is_code(const struct capture *capture, uint32_t number)
{
    return number == 0 ||
           (number < capture->code_count && capture->codes[number].file != NULL);
}

/* Texts that are clean, and tables that lie in the capture and not in one another. */
static bool codes_are_right(const struct capture *capture)
{
    uint64_t tables = 0;
    bool right = capture->code_count >= 1 && capture->codes[0].file == NULL;
    for (uint32_t i = 0; i < capture->code_count && right; i++) {
        const struct capture_code *code = &capture->codes[i];
        right = text_is_clean(code->file != NULL ? code->file : "") &&
                text_is_clean(code->name != NULL ? code->name : "") &&
                code->table_at <= capture->tables_size &&
                code->table_size <= capture->tables_size - code->table_at;
        tables += code->table_size;
    }
    return right && tables <= capture->tables_size;
}

static bool nodes_are_right(const struct capture *capture)
{
    uint32_t *depth = calloc(capture->node_count, sizeof(*depth));
    bool right = capture->node_count > 0 && capture->nodes[0].key == 0;
    for (uint32_t i = 1; i < capture->node_count && right; i++) {
        const struct capture_node *node = &capture->nodes[i];
        right = node->parent < i && (depth[i] = depth[node->parent] + 1) <= TS_DEPTH_MAX + 8 &&
                ts_key_kind(node->key) >= TS_FRAME_NATIVE &&
                ts_key_kind(node->key) <= TS_FRAME_PYTHON &&
                (ts_key_kind(node->key) != TS_FRAME_PYTHON ||
                 is_code(capture, ts_key_code(node->key))) &&
                (ts_key_kind(node->key) != TS_FRAME_NATIVE ||
                 (ts_key_module(node->key) < capture->module_count &&
                  capture->modules[ts_key_module(node->key)].path[0] != '\0'));
    }
    free(depth);
    return right;
}

static bool contexts_are_right(const struct capture *capture)
{
    struct capture_values sum = {0};
    for (uint32_t i = 0; i < capture->context_count; i++) {
        const struct capture_values *values = &capture->contexts[i].values;
        if (capture->contexts[i].node >= capture->node_count ||
            capture->contexts[i].domain >= TS_DOMAIN_COUNT ||
            values->freed_count > values->allocated_count ||
            values->freed_size > values->allocated_size)
            return false;
        sum.allocated_count += values->allocated_count;
        sum.allocated_size += values->allocated_size;
        sum.freed_size += values->freed_size;
        sum.peak_size += values->peak_size;
    }
    return sum.allocated_size == capture->totals.allocated_size &&
           sum.allocated_size <= INT64_MAX &&
           sum.allocated_count == capture->totals.allocated_count &&
           sum.freed_size == capture->totals.freed_size &&
           sum.peak_size == capture->totals.peak_size &&
           sum.peak_size >= sum.allocated_size - sum.freed_size;
}

static bool rest_is_right(const struct capture *capture)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i < capture->timeline_count; last = capture->timeline[i++].time)
        if (capture->timeline[i].time <= last)
            return false;
    for (uint32_t i = 0; i < capture->module_count; i++)
        if (capture->modules[i].path == NULL || capture->modules[i].build_id_size > TS_BUILD_ID_MAX)
            return false;
    for (uint32_t i = 0; i < capture->thread_count; i++)
        if (memchr(capture->threads[i].name, '\0', sizeof(capture->threads[i].name)) == NULL)
            return false;
    return true;
}

static bool reports_are_right(const struct capture *capture)
{
    struct symbolizer symbolizer = {0};
    for (int group = GROUP_LINE; group <= GROUP_DOMAIN; group++) {
        struct report_options options = {.group = (enum report_group)group,
                                         .attribute = (enum report_attribute)(group % 4),
                                         .cumulative = group < GROUP_STACK && group % 2 != 0};
        struct report *report =
            report_build(capture, &symbolizer, capture, &symbolizer, &options, NULL);
        uint64_t size = 0;
        for (size_t i = 0; i < report->row_count; i++)
            size += report->rows[i].size;
        bool right = report->totals.allocated_size == capture->totals.allocated_size &&
                     (options.cumulative || size == live_size(&capture->totals));
        report_free(report);
        if (!right)
            return false;
    }
    return true;
}

static bool promise(bool kept, const char *what)
{
    if (!kept)
        printf("# broken promise: %s\n", what);
    return kept;
}

bool capture_is_right(const struct capture *capture)
{
    return promise(texts_are_clean(capture), "texts") &&
           promise(nodes_are_right(capture), "nodes") &&
           promise(codes_are_right(capture) && capture->process.python < TS_PYTHON_COUNT,
                   "codes") &&
           promise(contexts_are_right(capture), "contexts and totals") &&
           promise(memory_is_sound(capture->memory), "memory") &&
           promise(rest_is_right(capture), "timeline, modules, threads");
}

bool keeps_promises(const struct capture *capture)
{
    return capture_is_right(capture) && promise(reports_are_right(capture), "reports");
}
