/*
 * Statistics and differences as JSON: tracesnap.stats/1, tracesnap.diff/1 and what `run --json`
 * prints. Flat rows and plain numbers, for dashboards.
 */
#include "tools/render/interpreter.h"
#include "tools/render/json.h"
#include "tools/render/memory.h"
#include "tools/render/render.h"

static json_t *row_json(const struct report *report, const struct report_row *row)
{
    json_t *object = json_object();
    const struct report_frame *place = &row->place;
    json_object_set_new(object, "file", json_text(place->file));
    json_object_set_new(object, "line", place->line ? json_integer(place->line) : json_null());
    json_object_set_new(object, "function", json_text(place->function));
    json_object_set_new(object, "object", json_text(place->object));
    if (row->called_from)
        json_object_set_new(object, "called_from", json_text(row->called_from));
    json_object_set_new(object, "label", json_text(row->label));
    json_set_domain(object, row);
    json_object_set_new(object, "size", json_count(row->size));
    json_object_set_new(object, "count", json_count(row->count));
    json_object_set_new(object, "average",
                        row->count ? json_real((double)row->size / (double)row->count)
                                   : json_null());
    if (report->is_diff) {
        json_object_set_new(object, "size_diff", json_integer(row->size_diff));
        json_object_set_new(object, "count_diff", json_integer(row->count_diff));
    }
    json_set_history(object, &row->values);
    if (report->options.group == GROUP_STACK) {
        json_t *frames = json_array();
        for (size_t i = 0; i < row->frame_count; i++)
            json_array_append_new(frames, json_frame(&row->frames[i]));
        json_object_set_new(object, "frames", frames);
    }
    return object;
}

static json_t *side_json(const struct capture *capture, const struct capture_values *totals)
{
    json_t *object = json_object();
    json_object_set_new(object, "process", json_process(capture));
    json_object_set_new(object, "taken_at", json_moment(capture->process.taken_at));
    json_object_set_new(object, "sampled", json_boolean(capture->process.sample != 0));
    json_object_set_new(object, "totals", json_totals(totals, capture->context_count));
    json_object_set_new(object, "memory", json_memory(capture));
    json_object_set_new(object, "interpreter", json_interpreter(capture));
    json_object_set_new(object, "drops", json_drops(capture));
    return object;
}

static void set_report(json_t *object, const struct report *report, uint64_t top)
{
    const struct capture *capture = report->capture;
    size_t count = render_row_count(report);
    json_object_set_new(object, "process", json_process(capture));
    json_object_set_new(object, "taken_at", json_moment(capture->process.taken_at));
    json_object_set_new(object, "sampled", json_boolean(capture->process.sample != 0));
    json_object_set_new(object, "totals", json_totals(&report->totals, report->context_count));
    json_object_set_new(object, "memory", json_memory(capture));
    json_object_set_new(object, "interpreter", json_interpreter(capture));
    json_object_set_new(object, "drops", json_drops(capture));
    json_object_set_new(object, "shim", json_gauges(capture));
    json_object_set_new(object, "timeline", json_timeline(capture));
    if (report->is_diff)
        json_object_set_new(object, "old", side_json(report->old, &report->old_totals));
    json_object_set_new(object, "group_by", json_string(render_groups[report->options.group]));
    json_object_set_new(object, "sort", json_string(render_sorts[report->options.sort]));
    json_object_set_new(object, "cumulative", json_boolean(report->options.cumulative));
    json_object_set_new(object, "row_count", json_count(count));
    json_t *rows = json_array();
    for (size_t i = 0; i < count && (top == 0 || i < top); i++)
        json_array_append_new(rows, row_json(report, &report->rows[i]));
    json_object_set_new(object, "stats", rows);
}

void render_json(const struct report *report, const struct render_options *options, FILE *out)
{
    json_t *document = json_document(report->is_diff ? "tracesnap.diff/1" : "tracesnap.stats/1");
    set_report(document, report, options->top);
    json_print(document, out);
}

void render_run_json(const struct report *report, const struct run_result *result,
                     const struct render_options *options, FILE *out)
{
    json_t *document = json_document("tracesnap.run/1");
    json_object_set_new(document, "exit_status", json_integer(result->status));
    json_object_set_new(document, "signal",
                        result->signal ? json_integer(result->signal) : json_null());
    json_object_set_new(document, "elapsed", json_real((double)result->elapsed / 1e9));
    json_object_set_new(document, "source", json_text(result->source));
    json_object_set_new(document, "children", json_count(result->children));
    set_report(document, report, options->top);
    json_print(document, out);
}
