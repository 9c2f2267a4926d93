/*
 * The options that reports share, and the opening of their sources.
 */
#include "tools/cmd/report_options.h"

#include "tools/base/strpool.h"
#include "tools/render/output.h"
#include "tools/render/progress.h"
#include "tools/source/source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const attribute_choices[] = {
    [ATTRIBUTE_USER] = "user",
    [ATTRIBUTE_NATIVE] = "native",
    [ATTRIBUTE_LEAF] = "leaf",
    [ATTRIBUTE_PYTHON] = "python",
    NULL,
};

const struct option_spec filter_specs[FILTER_SPEC_COUNT] = {
    {.name = "filter",
     .type = OPTION_LIST,
     .argument = "GLOB[:LINE]",
     .help = "only blocks allocated in files (or objects) like GLOB",
     .offset = offsetof(struct filter_options, filter)},
    {.name = "exclude",
     .type = OPTION_LIST,
     .argument = "GLOB[:LINE]",
     .help = "no blocks allocated in files (or objects) like GLOB",
     .offset = offsetof(struct filter_options, exclude)},
    {.name = "all-frames",
     .type = OPTION_FLAG,
     .help = "filters test every frame of a stack, not only the one charged",
     .offset = offsetof(struct filter_options, all_frames)},
    {.name = "domain",
     .type = OPTION_SET,
     .argument = "DOMAIN[,...]",
     .help = "only blocks of these allocators: libc, Python's raw, mem, obj",
     .offset = offsetof(struct filter_options, domains),
     .choices = report_domains},
    {.name = "attribute",
     .type = OPTION_CHOICE,
     .argument = "FRAME",
     .initial = "user",
     .help = "frame to charge: user (python, else native), native, leaf, python",
     .offset = offsetof(struct filter_options, attribute),
     .choices = attribute_choices},
    {.name = "sysroot",
     .type = OPTION_STRING,
     .argument = "DIR",
     .help = "look for programs, libraries and debug files below DIR",
     .offset = offsetof(struct filter_options, sysroot)},
};

const struct option_spec view_specs[VIEW_SPEC_COUNT] = {
    {.name = "group-by",
     .letter = 'g',
     .type = OPTION_CHOICE,
     .argument = "WHAT",
     .initial = "line",
     .help = "one row per line, function, file, object, stack or domain",
     .offset = offsetof(struct view_options, group),
     .choices = render_groups},
    {.name = "sort",
     .letter = 's',
     .type = OPTION_CHOICE,
     .argument = "KEY",
     .initial = "size",
     .help = "order by size, count, peak, allocated or temporary",
     .offset = offsetof(struct view_options, sort),
     .choices = render_sorts},
    {.name = "cumulative",
     .letter = 'c',
     .type = OPTION_FLAG,
     .help = "count a block in every frame of its stack",
     .offset = offsetof(struct view_options, cumulative)},
    {.name = "top",
     .letter = 'n',
     .type = OPTION_NUMBER,
     .argument = "N",
     .initial = "10",
     .help = "rows to show, 0 for all",
     .offset = offsetof(struct view_options, top),
     .max = 1000000000},
    {.name = "no-pager",
     .type = OPTION_FLAG,
     .help = "print to the terminal without $PAGER",
     .offset = offsetof(struct view_options, no_pager)},
};

static void print_problem(void *context, const char *text)
{
    (void)context;
    progress_clear();
    message_note("%s", text);
}

/* A live process named by its pid may see other files than we do under the same names. */
static const char *find_process_root(struct subject *subject, const char *name)
{
    char path[64], own[64] = "", other[64] = "";
    if (!*name || strspn(name, "0123456789") != strlen(name) || strlen(name) > 10)
        return NULL;
    snprintf(path, sizeof(path), "/proc/%s/ns/mnt", name);
    if (readlink("/proc/self/ns/mnt", own, sizeof(own) - 1) < 0 ||
        readlink(path, other, sizeof(other) - 1) < 0 || strcmp(own, other) == 0)
        return NULL;
    snprintf(subject->process_root, sizeof(subject->process_root), "/proc/%s/root", name);
    return subject->process_root;
}

int subject_open(struct subject *subject, const char *name, const char *sysroot)
{
    struct error error = {""};
    *subject = (struct subject){.capture = source_open(name, &error)};
    if (!subject->capture)
        return message_error("%s", error.text);
    source_read_memory(subject->capture);
    struct symbol_options options = {
        .sysroot = sysroot,
        .debuginfo = true,
        .problem = print_problem,
        .process_root = subject->capture->process.alive ? find_process_root(subject, name) : NULL,
    };
    subject->symbolizer = symbolizer_new(&options);
    return 0;
}

void subject_close(struct subject *subject)
{
    symbolizer_free(subject->symbolizer);
    capture_free(subject->capture);
}

/* Two sources that see the same files share their symbols: each file is read, and complained of,
 * once. */
struct report *subject_report(const struct subject *subject, const struct subject *old,
                              const struct report_options *options)
{
    struct error error = {""};
    bool same_files = old && strcmp(old->process_root, subject->process_root) == 0;
    struct symbolizer *symbolizer = same_files ? old->symbolizer : subject->symbolizer;
    progress_begin("reading symbols");
    struct report *report = report_build(subject->capture, symbolizer, old ? old->capture : NULL,
                                         old ? old->symbolizer : NULL, options, &error);
    progress_end();
    if (!report)
        message_error("%s", error.text);
    return report;
}

/* GLOB:LINE, if what follows the last colon is a number; else all of it is the glob. */
static void read_filter(struct report_filter *filter, const char *text, bool inclusive)
{
    const char *colon = strrchr(text, ':');
    size_t length = strlen(text);
    unsigned long line = 0;
    if (colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1)) {
        line = strtoul(colon + 1, NULL, 10);
        length = (size_t)(colon - text);
    }
    char *glob = memory_resize(NULL, length + 1, 1);
    memcpy(glob, text, length);
    glob[length] = '\0';
    *filter = (struct report_filter){inclusive, glob,
                                     line > UINT32_MAX ? UINT32_MAX : (uint32_t)line};
}

int report_options_read(struct report_options *options, const struct filter_options *filter,
                        const struct view_options *view)
{
    size_t count = filter->filter.count + filter->exclude.count;
    struct report_filter *filters = count ? memory_resize(NULL, count, sizeof(*filters)) : NULL;
    for (size_t i = 0; i < filter->filter.count; i++)
        read_filter(&filters[i], filter->filter.items[i], true);
    for (size_t i = 0; i < filter->exclude.count; i++)
        read_filter(&filters[filter->filter.count + i], filter->exclude.items[i], false);
    *options = (struct report_options){
        .group = view ? view->group : GROUP_STACK,
        .sort = view ? view->sort : SORT_SIZE,
        .attribute = filter->attribute,
        .cumulative = view && view->cumulative,
        .domains = filter->domains,
        .split_domains = view == NULL,
        .all_frames = filter->all_frames,
        .filters = filters,
        .filter_count = count,
    };
    if (options->cumulative && (options->group == GROUP_STACK || options->group == GROUP_DOMAIN)) {
        report_options_release(options);
        return message_error("no cumulative counts for '--group-by %s': leave --cumulative out",
                             render_groups[options->group]);
    }
    return 0;
}

void report_options_release(struct report_options *options)
{
    for (size_t i = 0; i < options->filter_count; i++)
        free((char *)options->filters[i].glob);
    free((struct report_filter *)options->filters);
    options->filters = NULL;
    options->filter_count = 0;
}

struct render_options render_options_read(const struct common_options *common, uint64_t top,
                                          FILE *out)
{
    bool color = output_color(out, common->color == COLOR_ALWAYS, common->color == COLOR_NEVER);
    return (struct render_options){.color = color, .top = top};
}
