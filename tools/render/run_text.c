/*
 * The summary that `run` prints when its program has ended.
 */
#include "tools/render/python.h"
#include "tools/render/render.h"
#include "tools/render/style.h"

#include <string.h>

static void print_ending(const struct report *report, const struct run_result *result, bool color,
                         FILE *out)
{
    const struct capture_process *process = &report->capture->process;
    char duration[32], command[COMMAND_TEXT];
    fprintf(out, "\n%stracesnap%s %s%s%s (pid %u) ", style(color, STYLE_DIM),
            style(color, STYLE_PLAIN), style(color, STYLE_BOLD),
            format_command(command, process), style(color, STYLE_PLAIN),
            process->pid);
    if (result->signal)
        fprintf(out, "%swas killed by signal %d (%s)%s", style(color, STYLE_RED), result->signal,
                strsignal(result->signal), style(color, STYLE_PLAIN));
    else
        fprintf(out, "%sended with status %d%s", style(color && result->status, STYLE_RED),
                result->status, style(color, STYLE_PLAIN));
    fprintf(out, " after %s\n", format_duration(duration, result->elapsed));
}

static void print_figures(const struct report *report, bool color, FILE *out)
{
    const struct capture_values *totals = &report->totals;
    char size[32], count[32];
    fprintf(out, "  at the peak %s%10s%s in %s blocks\n", style(color, STYLE_BOLD),
            format_size(size, (int64_t)totals->peak_size, false), style(color, STYLE_PLAIN),
            format_count(count, totals->peak_count));
    fprintf(out, "  at the end  %10s in %s blocks\n",
            format_size(size, (int64_t)(totals->allocated_size - totals->freed_size), false),
            format_count(count, totals->allocated_count - totals->freed_count));
    fprintf(out, "  in all      %10s in %s blocks",
            format_size(size, (int64_t)totals->allocated_size, false),
            format_count(count, totals->allocated_count));
    if (totals->allocated_count)
        fprintf(out, ", %.0f %% of them temporary",
                100.0 * (double)totals->temporary_count / (double)totals->allocated_count);
    fputc('\n', out);
}

static void print_peak_row(const struct report *report, const struct report_row *row, bool color,
                           FILE *out)
{
    char size[32], count[32], domains[32];
    fprintf(out, "  %s%10s%s %10s  %s", style(color, STYLE_BOLD),
            format_size(size, (int64_t)row->values.peak_size, false), style(color, STYLE_PLAIN),
            format_count(count, row->values.peak_count), row->label);
    if (row->place.function && strcmp(row->place.function, row->label) != 0)
        fprintf(out, "  %s[%s]%s", style(color, STYLE_DIM), row->place.function,
                style(color, STYLE_PLAIN));
    else if (row->called_from)
        fprintf(out, "  %s[called from %s]%s", style(color, STYLE_DIM), row->called_from,
                style(color, STYLE_PLAIN));
    if (report->has_domains)
        fprintf(out, "  %s%s%s", style(color, STYLE_DIM), format_domains(domains, row),
                style(color, STYLE_PLAIN));
    fputc('\n', out);
}

static void print_peak(const struct report *report, const struct render_options *options, FILE *out)
{
    uint64_t shown = 0, rest = 0, rows = 0;
    char size[32];
    fprintf(out, "\n  %sheld most at the peak%s\n  %10s %10s\n", style(options->color, STYLE_BOLD),
            style(options->color, STYLE_PLAIN), "size", "blocks");
    for (size_t i = 0; i < report->row_count; i++) {
        if (report->rows[i].values.peak_size == 0)
            continue;
        if (options->top == 0 || shown < options->top) {
            print_peak_row(report, &report->rows[i], options->color, out);
            shown++;
        } else {
            rest += report->rows[i].values.peak_size;
            rows++;
        }
    }
    if (rows)
        fprintf(out, "  %10s             %llu other\n", format_size(size, (int64_t)rest, false),
                (unsigned long long)rows);
}

void render_run_text(const struct report *report, const struct run_result *result,
                     const struct render_options *options, FILE *out)
{
    print_ending(report, result, options->color, out);
    print_figures(report, options->color, out);
    print_estimate(report->capture, "  ", out);
    print_python(report->capture, "  ", out);
    print_drops(report->capture, "  ", options->color, out);
    if (report->totals.peak_size)
        print_peak(report, options, out);
    fprintf(out, "\n  more: %stracesnap stats %s%s\n", style(options->color, STYLE_BOLD),
            result->source, style(options->color, STYLE_PLAIN));
    if (result->children)
        fprintf(out, "  %zu more program%s traced: %s\n", result->children,
                result->children == 1 ? " was" : "s were", result->children_hint);
}
