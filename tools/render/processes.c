/*
 * Lists traced processes. The table's widths are fixed, so that a row can be printed as soon as it
 * is known.
 */
#include "tools/render/processes.h"

#include "tools/base/strpool.h"
#include "tools/model/report.h"
#include "tools/render/json.h"
#include "tools/render/style.h"

#include <stdlib.h>
#include <string.h>

struct processes {
    FILE *out;
    bool color;
    bool estimated; /* some row was */
    json_t *rows;   /* NULL: a table */
};

struct processes *processes_begin(bool json, bool color, FILE *out)
{
    struct processes *processes = memory_resize(NULL, 1, sizeof(*processes));
    *processes = (struct processes){out, color, false, json ? json_array() : NULL};
    if (!json)
        fprintf(out, "%s%8s %10s %10s %10s %14s  %-9s %7s  %s%s\n", style(color, STYLE_BOLD), "PID",
                "SIZE", "COUNT", "PEAK", "AGE", "STATE", "DROPS", "COMMAND",
                style(color, STYLE_PLAIN));
    return processes;
}

static uint64_t all_drops(const struct capture *capture)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < TS_DROP_COUNT; i++)
        sum += capture->drops[i];
    return sum;
}

/* Nanoseconds from the beginning of the trace to its end, or to now. */
static uint64_t age(const struct capture_process *process)
{
    uint64_t end = process->alive || !process->end_time ? process->taken_at : process->end_time;
    return end > process->start_time ? end - process->start_time : 0;
}

/* An estimate has a mark before it; `text` may be `buffer`. */
static const char *marked(char *buffer, bool estimated, const char *text)
{
    size_t length = strlen(text);
    memmove(buffer + estimated, text, length + 1);
    if (estimated)
        buffer[0] = '~';
    return buffer;
}

static void print_row(struct processes *processes, const struct capture *capture)
{
    const struct capture_process *process = &capture->process;
    const struct capture_values *totals = &capture->totals;
    char size[34], count[34], peak[34], time[32], command[COMMAND_TEXT];
    uint64_t drops = all_drops(capture);
    bool estimated = process->sample != 0;
    processes->estimated |= estimated;
    snprintf(count, sizeof(count), "%llu",
             (unsigned long long)(totals->allocated_count - totals->freed_count));
    format_size(size, (int64_t)(totals->allocated_size - totals->freed_size), false);
    format_size(peak, (int64_t)totals->peak_size, false);
    fprintf(processes->out, "%8u %10s %10s %10s %14s  %-9s %s%7llu%s  %s\n", process->pid,
            marked(size, estimated, size), marked(count, estimated, count),
            marked(peak, estimated, peak), format_duration(time, age(process)),
            process->paused && process->alive ? "paused" : process->state,
            style(processes->color && drops, STYLE_YELLOW), (unsigned long long)drops,
            style(processes->color, STYLE_PLAIN), format_command(command, process));
}

void processes_add(struct processes *processes, const struct capture *capture, const char *source)
{
    if (!processes->rows) {
        print_row(processes, capture);
        return;
    }
    json_t *row = json_object();
    json_object_set_new(row, "source", json_text(source));
    json_object_set_new(row, "process", json_process(capture));
    json_object_set_new(row, "taken_at", json_moment(capture->process.taken_at));
    json_object_set_new(row, "age", json_real((double)age(&capture->process) / 1e9));
    json_object_set_new(row, "totals", json_totals(&capture->totals, capture->context_count));
    json_object_set_new(row, "drops", json_drops(capture));
    json_object_set_new(row, "shim", json_gauges(capture));
    json_array_append_new(processes->rows, row);
}

void processes_end(struct processes *processes, size_t dead, size_t unreadable)
{
    if (processes->rows) {
        json_t *document = json_document("tracesnap.ps/1");
        json_object_set_new(document, "processes", processes->rows);
        json_object_set_new(document, "dead", json_count(dead));
        json_object_set_new(document, "unreadable", json_count(unreadable));
        json_print(document, processes->out);
    } else if (processes->estimated)
        fputs("~ estimated from samples\n", processes->out);
    free(processes);
}
