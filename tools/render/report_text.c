/*
 * Statistics and differences as text: tracemalloc's lines, one per row, with the function after
 * them.
 */
#include "tools/render/python.h"
#include "tools/render/render.h"
#include "tools/render/interpreter.h"
#include "tools/render/memory.h"
#include "tools/render/source_line.h"
#include "tools/render/style.h"

#include <stdlib.h>
#include <string.h>

const char *const render_groups[] = {
    [GROUP_LINE] = "line",     [GROUP_FUNCTION] = "function", [GROUP_FILE] = "file",
    [GROUP_OBJECT] = "object", [GROUP_STACK] = "stack",       [GROUP_DOMAIN] = "domain", NULL,
};

const char *const render_sorts[] = {
    [SORT_SIZE] = "size",           [SORT_COUNT] = "count",         [SORT_PEAK] = "peak",
    [SORT_ALLOCATED] = "allocated", [SORT_TEMPORARY] = "temporary", NULL,
};

static void print_process(const struct capture *capture, const char *side, bool color, FILE *out)
{
    const struct capture_process *process = &capture->process;
    char when[32], command[COMMAND_TEXT];
    fprintf(out, "%s%s%s%s (pid %u), %s%s, at %s\n", side, style(color, STYLE_BOLD),
            format_command(command, process), style(color, STYLE_PLAIN),
            process->pid, process->state, process->paused ? ", paused" : "",
            format_time(when, process->taken_at));
}

static void print_totals(const struct capture_values *totals, bool color, FILE *out)
{
    char live[32], blocks[32], peak[32], ever[32], calls[32];
    fprintf(out, "%slive %s%s in %s blocks, peak %s, allocated %s in %s blocks",
            style(color, STYLE_BOLD),
            format_size(live, (int64_t)(totals->allocated_size - totals->freed_size), false),
            style(color, STYLE_PLAIN),
            format_count(blocks, totals->allocated_count - totals->freed_count),
            format_size(peak, (int64_t)totals->peak_size, false),
            format_size(ever, (int64_t)totals->allocated_size, false),
            format_count(calls, totals->allocated_count));
    if (totals->allocated_count)
        fprintf(out, ", %.0f %% temporary",
                100.0 * (double)totals->temporary_count / (double)totals->allocated_count);
    fputc('\n', out);
}

static void print_side(const struct capture *capture, const struct capture_values *totals,
                       const char *side, bool color, FILE *out)
{
    print_process(capture, side, color, out);
    print_totals(totals, color, out);
    print_memory(capture, *side == '\0', out);
    print_interpreter(capture, out);
    print_estimate(capture, "", out);
    print_python(capture, "", out);
    print_drops(capture, "", color, out);
}

/* Sides that were recorded in different ways look alike, and a row may differ by chance alone. */
static void print_unlike(const struct report *report, FILE *out)
{
    bool old = report->old->process.sample != 0, new = report->capture->process.sample != 0;
    if (report->old->process.sample == report->capture->process.sample)
        return;
    fprintf(out, "old is %s, new is %s: the differences are estimates\n",
            old ? "estimated" : "exact", new ? "estimated" : "exact");
}

/* The difference of a size in brackets, red where it grew. */
static void print_size_diff(int64_t diff, bool color, FILE *out)
{
    char text[32];
    enum style sign = diff > 0 ? STYLE_RED : STYLE_GREEN;
    fprintf(out, " (%s%s%s)", style(color && diff, sign), format_size(text, diff, true),
            style(color && diff, STYLE_PLAIN));
}

/* What the rows are sorted by, unless it stands in every row. */
static void print_sort_key(const struct report *report, const struct report_row *row, FILE *out)
{
    char text[32];
    const struct capture_values *values = &row->values;
    if (report->options.sort == SORT_PEAK)
        fprintf(out, ", peak=%s", format_size(text, (int64_t)values->peak_size, false));
    if (report->options.sort == SORT_ALLOCATED)
        fprintf(out, ", allocated=%s", format_size(text, (int64_t)values->allocated_size, false));
    if (report->options.sort == SORT_TEMPORARY)
        fprintf(out, ", temporary=%llu", (unsigned long long)values->temporary_count);
}

/* "size=S, count=N, average=A", with the differences in brackets, as tracemalloc prints both. */
static void print_values(const struct report *report, const struct report_row *row, bool color,
                         FILE *out)
{
    char size[32], average[32];
    fprintf(out, "size=%s", format_size(size, (int64_t)row->size, false));
    if (report->is_diff)
        print_size_diff(row->size_diff, color, out);
    fprintf(out, ", count=%llu", (unsigned long long)row->count);
    if (report->is_diff)
        fprintf(out, " (%+lld)", (long long)row->count_diff);
    if (row->count)
        fprintf(out, ", average=%s", format_average(average, row->size, row->count));
    print_sort_key(report, row, out);
}

/* Whose allocators the blocks are of, in a process where that is a question. */
static void print_domains(const struct report *report, const struct report_row *row, bool color,
                          FILE *out)
{
    char text[32];
    if (report->has_domains && report->options.group != GROUP_DOMAIN)
        fprintf(out, "  %s%s%s", style(color, STYLE_DIM), format_domains(text, row),
                style(color, STYLE_PLAIN));
}

static void print_row(const struct report *report, const struct report_row *row, bool color,
                      FILE *out)
{
    fprintf(out, "%s%s%s: ", style(color, STYLE_BOLD), row->label, style(color, STYLE_PLAIN));
    print_values(report, row, color, out);
    const char *more = NULL;
    if (report->options.group == GROUP_LINE)
        more = row->place.function;
    else if (report->options.group == GROUP_FUNCTION)
        more = row->place.file ? row->place.file : row->place.object;
    if (more && strncmp(row->label, more, strlen(more)) != 0)
        fprintf(out, "  %s[%s]%s", style(color, STYLE_DIM), more, style(color, STYLE_PLAIN));
    else if (row->called_from)
        fprintf(out, "  %s[called from %s]%s", style(color, STYLE_DIM), row->called_from,
                style(color, STYLE_PLAIN));
    print_domains(report, row, color, out);
    fputc('\n', out);
}

/* Among frames of Python, native ones recede: they are mostly the interpreter's own. */
static void print_frame(const struct report_frame *frame, bool recedes, bool color, FILE *out)
{
    char text[SOURCE_LINE_MAX];
    fputs(style(color && recedes, STYLE_DIM), out);
    if (frame->file)
        fprintf(out, "  File \"%s\", line %u", frame->file, frame->line);
    else if (frame->object)
        fprintf(out, "  Object \"%s\", offset %#llx", frame->object,
                (unsigned long long)frame->offset);
    else
        fputs("  Unknown code", out);
    if (frame->function)
        fprintf(out, ", in %s", frame->function);
    fprintf(out, "%s%s\n", frame->inlined ? " (inlined)" : "",
            style(color && recedes, STYLE_PLAIN));
    if (frame->file && source_line(text, frame->file, frame->line))
        fprintf(out, "    %s%s%s\n", style(color, STYLE_DIM), text, style(color, STYLE_PLAIN));
}

/* A stack: its blocks, then its frames as Python prints a traceback, the most recent call last. */
static void print_stack(const struct report *report, const struct report_row *row, bool color,
                        FILE *out)
{
    char size[32], count[32];
    fprintf(out, "%s%s block%s", style(color, STYLE_BOLD), format_count(count, row->count),
            row->count == 1 ? "" : "s");
    if (report->is_diff)
        fprintf(out, " (%+lld)", (long long)row->count_diff);
    fprintf(out, ": %s%s", format_size(size, (int64_t)row->size, false), style(color, STYLE_PLAIN));
    if (report->is_diff)
        print_size_diff(row->size_diff, color, out);
    print_sort_key(report, row, out);
    print_domains(report, row, color, out);
    fputc('\n', out);
    bool mixed = false;
    for (size_t i = 0; i < row->frame_count; i++)
        mixed |= row->frames[i].kind == KIND_PYTHON;
    for (size_t i = row->frame_count; i-- > 0;)
        print_frame(&row->frames[i], mixed && row->frames[i].kind == KIND_NATIVE, color, out);
    fputc('\n', out);
}

static void print_rest(const struct report *report, uint64_t shown, uint64_t count, FILE *out)
{
    uint64_t size = 0;
    char text[32];
    for (uint64_t i = shown; i < count; i++)
        size += report->rows[i].size;
    if (shown < count) {
        fprintf(out, "%llu other", (unsigned long long)(count - shown));
        /* Under --cumulative a block counts in many rows: a sum of rows would mean nothing. */
        if (!report->options.cumulative)
            fprintf(out, ": %s", format_size(text, (int64_t)size, false));
        fputc('\n', out);
    }
    const struct capture_values *totals = &report->totals;
    size = totals->allocated_size - totals->freed_size;
    fprintf(out, "Total allocated size: %s", format_size(text, (int64_t)size, false));
    if (report->is_diff) {
        uint64_t old = report->old_totals.allocated_size - report->old_totals.freed_size;
        fprintf(out, " (%s)", format_size(text, (int64_t)(size - old), true));
    }
    fputc('\n', out);
}

static bool says_something(const struct report *report, const struct report_row *row)
{
    const struct capture_values *values = &row->values;
    switch (report->options.sort) {
    case SORT_PEAK:
        return values->peak_size || values->peak_count;
    case SORT_ALLOCATED:
        return values->allocated_size || values->allocated_count;
    case SORT_TEMPORARY:
        return values->temporary_count;
    default:
        return row->size || row->count || row->size_diff || row->count_diff;
    }
}

size_t render_row_count(const struct report *report)
{
    size_t count = report->row_count;
    while (count > 0 && !says_something(report, &report->rows[count - 1]))
        count--;
    return count;
}

void render_text(const struct report *report, const struct render_options *options, FILE *out)
{
    uint64_t count = render_row_count(report);
    uint64_t shown = options->top && options->top < count ? options->top : count;
    bool by_difference = report->is_diff && report->options.sort == SORT_SIZE;
    if (report->is_diff)
        print_side(report->old, &report->old_totals, "old: ", options->color, out);
    print_side(report->capture, &report->totals, report->is_diff ? "new: " : "", options->color,
               out);
    if (report->is_diff)
        print_unlike(report, out);
    fprintf(out, "\n%s%s%llu %s%s by %s%s\n", style(options->color, STYLE_BOLD),
            shown < count ? "Top " : "", (unsigned long long)shown,
            render_groups[report->options.group], shown == 1 ? "" : "s",
            by_difference ? "size difference" : render_sorts[report->options.sort],
            style(options->color, STYLE_PLAIN));
    for (uint64_t i = 0; i < shown; i++) {
        if (report->options.group == GROUP_STACK)
            print_stack(report, &report->rows[i], options->color, out);
        else
            print_row(report, &report->rows[i], options->color, out);
    }
    print_rest(report, shown, count, out);
}
