/*
 * A file of any bytes, read as a source. Either it is refused by one line, or what comes out keeps
 * every promise of capture.h, can be reported in every way, and is the same after it was saved.
 * Symbols are those of tests/unit/reader_promises.c: what the files that a region names may hold is
 * the affair of symbol_fuzz.c.
 */
#include "tests/fuzz/source.h"

#include "tests/fuzz/sparse.h"
#include "tests/unit/reader_promises.h"
#include "tools/render/render.h"
#include "tools/source/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *nowhere(void)
{
    static FILE *out;
    if (out == NULL)
        out = fopen("/dev/null", "w");
    fuzz_demand(out != NULL, "/dev/null can be opened");
    return out;
}

static void render(const struct report *report)
{
    const struct render_options few = {.color = true, .top = 3}, all = {.top = 0};
    const struct run_result result = {.status = 1, .source = "any.tsnap"};
    render_text(report, &all, nowhere());
    render_json(report, &few, nowhere());
    if (report->options.sort == SORT_PEAK && !report->is_diff) {
        render_run_text(report, &result, &few, nowhere());
        render_run_json(report, &result, &few, nowhere());
    }
    if (report->options.group == GROUP_STACK && !report->is_diff)
        export_json(report, nowhere());
}

/* Of a capture alone, or what it has more than an old one. */
static void report(const struct capture *capture, const struct capture *old,
                   enum report_group group)
{
    static const struct report_filter filters[] = {{false, "*.h", 0}, {true, "*", 7}};
    struct report_options options = {
        .group = group,
        .sort = old != NULL ? SORT_SIZE : SORT_PEAK,
        .attribute = (enum report_attribute)((unsigned)group % 4),
        .domains = old != NULL && group == GROUP_FILE ? 1u << TS_DOMAIN_LIBC : 0,
        .split_domains = old == NULL,
        .cumulative = old == NULL && (group == GROUP_FUNCTION || group == GROUP_OBJECT),
        .all_frames = group % 2 == 0,
        .filters = filters,
        .filter_count = old != NULL && group == GROUP_FUNCTION ? 2 : 0,
    };
    struct error error = {""};
    struct report *built = report_build(capture, NULL, old, NULL, &options, &error);
    fuzz_demand(built != NULL, "a capture can be reported");
    uint64_t size = 0, whole = built->totals.allocated_size - built->totals.freed_size;
    for (size_t i = 0; i < built->row_count; i++)
        size += built->rows[i].size;
    fuzz_demand(options.cumulative || size == whole, "the rows add up to the totals");
    render(built);
    report_free(built);
}

static void save(const struct capture *capture, enum report_group group)
{
    char path[PATH_MAX];
    struct error error = {""};
    fuzz_demand(snapshot_write(capture, fuzz_path("saved.tsnap", path), &error) == 0,
                "a capture can be saved");
    struct capture *copy = source_open(path, &error);
    fuzz_demand(copy != NULL, "what was saved can be read");
    fuzz_demand(memcmp(&copy->totals, &capture->totals, sizeof(copy->totals)) == 0 &&
                    copy->context_count == capture->context_count &&
                    copy->node_count == capture->node_count,
                "what was saved is the same");
    report(copy, capture, group);
    capture_free(copy);
}

void source_try(const uint8_t *data, size_t size, const char *name)
{
    static struct sparse sparse;
    char path[PATH_MAX];
    struct error error = {""};
    sparse_read(&sparse, data, size);
    sparse_store(&sparse, fuzz_path(name, path));
    struct capture *capture = source_open(path, &error);
    if (capture == NULL) {
        fuzz_demand(error.text[0] != '\0' && strchr(error.text, '\n') == NULL,
                    "a file is refused by one line");
        return;
    }
    fuzz_demand(capture_is_right(capture), "capture.h's promises");
    for (int group = GROUP_LINE; group <= GROUP_DOMAIN; group++)
        report(capture, NULL, (enum report_group)group);
    save(capture, (enum report_group)(size % (GROUP_DOMAIN + 1)));
    capture_free(capture);
}
