/*
 * Prints what the model makes of traces that come in on stdin, as text that Python's tracemalloc
 * prints of the same traces; oracle_tracemalloc.py compares. Fields are separated by tabs:
 *
 *     options GROUP SORT ATTRIBUTE CUMULATIVE ALL_FRAMES
 *     filter  + or -  LINE  GLOB
 *     trace   new or old  SIZE  FREED  FRAME...     innermost first; FRAME is FILE:LINE;
 *         "FILE:LINE|FILE:LINE" is one frame of code with the first inlined; "@FILE:LINE" is a
 *         frame of Python
 *     go      statistics or diff                    prints the rows and "end"
 *     size    NUMBER                                prints it without and with a sign
 */
#include "tools/model/report.h"

#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_ROOM (1 << 20)
#define TABLE 65536

struct symbolizer {
    struct symbol_result results[TABLE];
    size_t count;
};

static struct symbolizer table;
static struct capture_code codes[TABLE]; /* of both sides */
static uint32_t code_count = 1;
static struct capture sides[2]; /* new, old */
static struct report_options options;
static struct report_filter filters[16];

static void *checked(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

/* The fake: an offset is the number of a frame that the input named. */
const struct symbol_result *symbolizer_lookup(struct symbolizer *symbolizer,
                                              const struct capture_module *module, uint64_t offset)
{
    if (module->path == NULL || offset >= symbolizer->count)
        abort();
    return &symbolizer->results[offset];
}

static uint64_t add_code(char *text)
{
    struct symbol_frame *frames = checked(calloc(8, sizeof(*frames)));
    struct symbol_result *result = &table.results[table.count];
    char *next = NULL;
    if (table.count == TABLE)
        abort();
    for (char *part = strtok_r(text, "|", &next); part != NULL; part = strtok_r(NULL, "|", &next)) {
        char *colon = strrchr(part, ':');
        struct symbol_frame *frame = &frames[result->count++];
        *colon = '\0';
        frame->file = checked(strdup(part));
        frame->function = frame->file;
        frame->line = (uint32_t)strtoul(colon + 1, NULL, 10);
        if (result->count > 1)
            frame[-1].inlined = true;
    }
    result->frames = frames;
    return table.count++;
}

/* A code object whose frame is at its first line. */
static uint64_t add_python(char *text)
{
    char *colon = strrchr(text, ':');
    if (code_count == TABLE)
        abort();
    *colon = '\0';
    codes[code_count].file = checked(strdup(text));
    codes[code_count].first_line = (uint32_t)strtoul(colon + 1, NULL, 10);
    return ts_key_python(code_count++, UINT32_MAX);
}

static void add_trace(char *fields)
{
    char *next = NULL, *frame;
    struct capture *side = &sides[strcmp(strtok_r(fields, "\t", &next), "old") == 0];
    uint64_t size = strtoull(strtok_r(NULL, "\t", &next), NULL, 10);
    uint64_t freed = strtoull(strtok_r(NULL, "\t", &next), NULL, 10);
    uint64_t keys[256];
    size_t depth = 0;
    while ((frame = strtok_r(NULL, "\t", &next)) != NULL)
        keys[depth++] = *frame == '@' ? add_python(frame + 1)
                                      : ts_key(TS_FRAME_NATIVE, 0, add_code(frame));
    if (side->node_count == 0) {
        side->nodes = checked(calloc(TABLE, sizeof(*side->nodes)));
        side->contexts = checked(calloc(TABLE, sizeof(*side->contexts)));
        side->node_count = 1;
    }
    uint32_t node = 0;
    while (depth > 0) {
        side->nodes[side->node_count] = (struct capture_node){keys[--depth], node};
        node = side->node_count++;
    }
    side->contexts[side->context_count++] =
        (struct capture_context){node,
                                 TS_DOMAIN_LIBC,
                                 {.allocated_count = 1 + freed,
                                  .allocated_size = size + 3 * freed,
                                  .freed_count = freed,
                                  .freed_size = 3 * freed}};
}

static int number_of(const char *const *names, const char *name)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    abort();
}

static void set_options(char *fields)
{
    static const char *const groups[] = {"line", "function", "file", "object", "stack", NULL};
    static const char *const sorts[] = {"size", "count", "peak", "allocated", "temporary", NULL};
    static const char *const attributes[] = {"user", "native", "leaf", "python", NULL};
    char *next = NULL;
    options.group = (enum report_group)number_of(groups, strtok_r(fields, "\t", &next));
    options.sort = (enum report_sort)number_of(sorts, strtok_r(NULL, "\t", &next));
    options.attribute = (enum report_attribute)number_of(attributes, strtok_r(NULL, "\t", &next));
    options.cumulative = atoi(strtok_r(NULL, "\t", &next)) != 0;
    options.all_frames = atoi(strtok_r(NULL, "\t", &next)) != 0;
    options.filters = filters;
}

static void add_filter(char *fields)
{
    char *next = NULL;
    struct report_filter *filter = &filters[options.filter_count++];
    filter->inclusive = *strtok_r(fields, "\t", &next) == '+';
    filter->line = (uint32_t)strtoul(strtok_r(NULL, "\t", &next), NULL, 10);
    filter->glob = checked(strdup(strtok_r(NULL, "\t", &next)));
}

/* The average is a float in Python: no integer says whether 99.5 rounds up. */
static void print_average(const struct report_row *row)
{
    double average = row->count != 0 ? (double)row->size / (double)row->count : 0;
    printf("%.17g", average);
}

static void print_row(const struct report_row *row, bool is_diff)
{
    char size[32], diff[32];
    if (row->frames == NULL)
        printf("%s", row->label);
    for (size_t i = row->frame_count; i-- > 0;)
        printf("%s:%u%s", row->frames[i].file, row->frames[i].line, i > 0 ? " " : "");
    printf(": size=%s", format_size(size, (int64_t)row->size, false));
    if (is_diff)
        printf(" (%s)", format_size(diff, row->size_diff, true));
    printf(", count=%" PRIu64, row->count);
    if (is_diff)
        printf(" (%+" PRId64 ")", row->count_diff);
    printf(", average=");
    print_average(row);
    putchar('\n');
}

static void forget_side(struct capture *side)
{
    free(side->nodes);
    free(side->contexts);
    side->nodes = NULL;
    side->contexts = NULL;
    side->node_count = side->context_count = 0;
}

static void forget(void)
{
    for (size_t i = 0; i < table.count; i++) {
        for (size_t j = 0; j < table.results[i].count; j++)
            free((char *)table.results[i].frames[j].file);
        free((struct symbol_frame *)table.results[i].frames);
    }
    for (size_t i = 0; i < options.filter_count; i++)
        free((char *)filters[i].glob);
    for (uint32_t i = 1; i < code_count; i++)
        free((char *)codes[i].file);
    memset(codes, 0, code_count * sizeof(*codes));
    code_count = 1;
    memset(&table, 0, sizeof(table));
    options.filter_count = 0;
    forget_side(&sides[0]);
    forget_side(&sides[1]);
}

static void go(const char *what)
{
    static struct capture_node root;
    static struct capture_module module = {.path = (char *)"/usr/bin/program"};
    struct error error = {""};
    for (int i = 0; i < 2; i++) {
        sides[i].modules = &module;
        sides[i].module_count = 1;
        sides[i].codes = codes;
        sides[i].code_count = code_count;
        if (sides[i].node_count == 0) {
            sides[i].nodes = checked(malloc(sizeof(root)));
            *sides[i].nodes = root;
            sides[i].node_count = 1;
        }
    }
    bool is_diff = strcmp(what, "diff") == 0;
    struct report *report =
        report_build(&sides[0], &table, is_diff ? &sides[1] : NULL, &table, &options, &error);
    if (report == NULL)
        printf("error: %s\n", error.text);
    else
        printf("totals: %" PRIu64 " %" PRIu64 "\n",
               report->totals.allocated_size - report->totals.freed_size,
               report->totals.allocated_count - report->totals.freed_count);
    for (size_t i = 0; report != NULL && i < report->row_count; i++)
        print_row(&report->rows[i], is_diff);
    puts("end");
    report_free(report);
    forget();
}

int main(void)
{
    char *line = checked(malloc(LINE_ROOM)), buffer[32];
    setlocale(LC_ALL, "C.UTF-8");
    while (fgets(line, LINE_ROOM, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *tab = strchr(line, '\t');
        if (tab == NULL)
            abort();
        *tab++ = '\0';
        if (strcmp(line, "options") == 0) {
            set_options(tab);
        } else if (strcmp(line, "filter") == 0) {
            add_filter(tab);
        } else if (strcmp(line, "trace") == 0) {
            add_trace(tab);
        } else if (strcmp(line, "go") == 0) {
            go(tab);
        } else if (strcmp(line, "size") == 0) {
            printf("%s\t", format_size(buffer, strtoll(tab, NULL, 10), false));
            printf("%s\n", format_size(buffer, strtoll(tab, NULL, 10), true));
        } else {
            abort();
        }
    }
    free(line);
    return 0;
}
