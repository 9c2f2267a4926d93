/*
 * Rows of Python: which frame is charged in a stack of both languages, what the groupings make of
 * it, and the domains of blocks. Stacks that are known, and the rows that they must give.
 */
#include "tests/unit/reader_build.h"
#include "tools/model/model.h"
#include "tools/render/python.h"

struct symbolizer {
    int unused;
};

/* Of native code the module decides what it is called. */
enum { PYTHON, EXTENSION, LIBC };

const struct symbol_result *symbolizer_lookup(struct symbolizer *symbolizer,
                                              const struct capture_module *module, uint64_t offset)
{
    static const struct symbol_frame frames[] = {
        {"PyEval_EvalCode", NULL, 0, false},
        {"decode", "/src/_json.c", 7, false},
        {"malloc", NULL, 0, false},
    };
    static const struct symbol_result results[] = {
        {1, &frames[0]}, {1, &frames[1]}, {1, &frames[2]}};
    (void)symbolizer, (void)offset;
    return &results[module->build_id_size];
}

static struct capture_module modules[] = {
    {.path = (char *)"/usr/bin/python3.11", .build_id_size = PYTHON},
    {.path = (char *)"/usr/lib/python3.11/lib-dynload/_json.so", .build_id_size = EXTENSION},
    {.path = (char *)"/lib/libc.so.6", .build_id_size = LIBC},
};

/* Code objects; each frame is at its first line. */
enum { NOBODY, MAIN, LOAD, STANDARD, INSTALLED, FROZEN, NO_LINE, NO_NAME, COMPILED, DEBIAN, CODES };
static struct capture_code codes[CODES] = {
    [MAIN] = {.file = "/srv/app/main.py", .name = "<module>", .first_line = 3},
    [LOAD] = {.file = "/srv/app/table.py", .name = "Table.load", .first_line = 12},
    [STANDARD] = {.file = "/usr/lib/python3.11/json/decoder.py",
                  .name = "JSONDecoder.decode",
                  .first_line = 353},
    [INSTALLED] = {.file = "/venv/lib/python3.12/site-packages/numpy/core/numeric.py",
                 .name = "ones",
                 .first_line = 5},
    [FROZEN] = {.file = "<frozen importlib._bootstrap>", .name = "_call", .first_line = 241},
    [NO_LINE] = {.file = "/srv/app/main.py", .name = "work", .first_line = 0},
    [NO_NAME] = {.file = "/srv/app/main.py", .first_line = 9},
    [COMPILED] = {.file = "/srv/app/old.pyc", .name = "old", .first_line = 4},
    [DEBIAN] = {.file = "/usr/lib/python3/dist-packages/six.py", .name = "b", .first_line = 8},
};
static struct capture_node nodes[64];
static struct capture_context contexts[16];
static struct capture capture = {.nodes = nodes,
                                 .contexts = contexts,
                                 .modules = modules,
                                 .module_count = 3,
                                 .codes = codes,
                                 .code_count = CODES};

#define P(code) ts_key_python((code), UINT32_MAX)
#define N(module) ts_key(TS_FRAME_NATIVE, (module), 0x1000 * (1u + (module)))

static void begin(void)
{
    capture.node_count = 1;
    capture.context_count = 0;
    capture.process.python = TS_PYTHON_TRACED;
}

/* Adds a context of `size` live bytes; its frames outermost first, ended by 0. */
static void add(uint32_t domain, uint64_t size, const uint64_t *keys)
{
    uint32_t node = 0;
    for (; *keys != 0; keys++) {
        nodes[capture.node_count] = (struct capture_node){*keys, node};
        node = capture.node_count++;
    }
    contexts[capture.context_count++] = (struct capture_context){
        node, domain, {.allocated_count = 1, .allocated_size = size, .peak_size = 1000 - size}};
}
#define ADD(domain, size, ...) \
    add(TS_DOMAIN_##domain, (size), (const uint64_t[]){__VA_ARGS__ __VA_OPT__(, ) 0})

static struct report *build(struct report_options options)
{
    static struct symbolizer symbolizer;
    struct error error = {""};
    struct report *report = report_build(&capture, &symbolizer, NULL, NULL, &options, &error);
    if (report == NULL)
        abort();
    return report;
}

/* The labels of all rows with their sizes and domains, biggest first, must be these. */
static void expect(struct report_options options, const char *expected, const char *name)
{
    char found[4096] = "", domains[32];
    struct report *report = build(options);
    for (size_t i = 0; i < report->row_count; i++) {
        size_t used = strlen(found);
        snprintf(found + used, sizeof(found) - used, "%s%s %llu %s", i > 0 ? ", " : "",
                 report->rows[i].label, (unsigned long long)report->rows[i].size,
                 format_domains(domains, &report->rows[i]));
    }
    tap_text(found, expected, name);
    report_free(report);
}
#define EXPECT(expected, name, ...) expect((struct report_options){__VA_ARGS__}, expected, name)

static void test_attribution(void)
{
    begin();
    ADD(OBJ, 1, N(PYTHON), P(MAIN), P(LOAD), N(PYTHON), N(EXTENSION));
    ADD(LIBC, 2, N(PYTHON), P(MAIN), N(EXTENSION), N(LIBC));
    ADD(LIBC, 4, N(PYTHON), N(EXTENSION), N(LIBC));
    ADD(RAW, 8, N(PYTHON), P(MAIN), N(EXTENSION), P(STANDARD));
    EXPECT("/usr/lib/python3.11/json/decoder.py:353 8 raw, /src/_json.c:7 4 libc,"
           " /srv/app/main.py:3 2 libc, /srv/app/table.py:12 1 obj",
           "the innermost Python line, of the standard library, too; else the user's own", 0);
    EXPECT("/usr/lib/python3.11/json/decoder.py:353 8 raw, <unknown>:0 4 libc,"
           " /srv/app/main.py:3 2 libc, /srv/app/table.py:12 1 obj",
           "python: what has none is unknown, as in tracemalloc", .attribute = ATTRIBUTE_PYTHON);
    EXPECT("/src/_json.c:7 15 raw+libc+obj", "native: Python frames are passed by",
           .attribute = ATTRIBUTE_NATIVE);
    EXPECT("/usr/lib/python3.11/json/decoder.py:353 8 raw, /lib/libc.so.6+0x3000 6 libc,"
           " /src/_json.c:7 1 obj",
           "leaf: the innermost frame as it is", .attribute = ATTRIBUTE_LEAF);
    begin();
    ADD(OBJ, 1, P(MAIN));
    ADD(OBJ, 2, P(MAIN), ts_key_python(NOBODY, 0));
    ADD(OBJ, 4, P(MAIN), ts_key_python(NOBODY, 0));
    ADD(OBJ, 8, 0);
    EXPECT("<unknown>:0 14 obj, /srv/app/main.py:3 1 obj", "code that nobody knows", 0);
    EXPECT("<unknown>:0 15 obj", "no native frame at all", .attribute = ATTRIBUTE_NATIVE);
    begin();
    ADD(OBJ, 1, P(MAIN), P(NO_LINE));
    ADD(OBJ, 2, P(NO_NAME));
    EXPECT("/srv/app/main.py:9 2 obj, /srv/app/main.py:0 1 obj", "code without a line is line 0",
           0);
}

static void test_cumulative(void)
{
    begin();
    ADD(OBJ, 1, N(LIBC), N(PYTHON), P(MAIN), N(PYTHON), P(LOAD), N(PYTHON));
    ADD(LIBC, 2, N(LIBC), N(PYTHON), P(MAIN), N(EXTENSION), P(STANDARD), N(EXTENSION), N(LIBC));
    ADD(RAW, 4, N(LIBC), N(PYTHON));
    ADD(LIBC, 8, N(LIBC), N(EXTENSION), N(LIBC));
    EXPECT("/src/_json.c:7 12 libc, /usr/bin/python3.11+0x1000 4 raw, /srv/app/main.py:3 3 libc+obj,"
           " /usr/lib/python3.11/json/decoder.py:353 2 libc, /srv/app/table.py:12 1 obj",
           "cumulative: not in the interpreter and the C library, unless nothing else is there",
           .cumulative = true);
    EXPECT("<unknown>:0 12 libc+raw, /srv/app/main.py:3 3 libc+obj,"
           " /usr/lib/python3.11/json/decoder.py:353 2 libc, /srv/app/table.py:12 1 obj",
           "cumulative, python: Python frames alone", .cumulative = true,
           .attribute = ATTRIBUTE_PYTHON);
    EXPECT("/lib/libc.so.6+0x3000 25 libc+raw+obj, /src/_json.c:7 12 libc,"
           " /usr/bin/python3.11+0x1000 9 raw+obj+libc",
           "cumulative, native: native frames alone", .cumulative = true,
           .attribute = ATTRIBUTE_NATIVE);
    EXPECT("/lib/libc.so.6+0x3000 25 libc+raw+obj, /src/_json.c:7 12 libc,"
           " /usr/bin/python3.11+0x1000 9 raw+obj+libc, /srv/app/main.py:3 3 libc+obj,"
           " /usr/lib/python3.11/json/decoder.py:353 2 libc, /srv/app/table.py:12 1 obj",
           "cumulative, leaf: every frame", .cumulative = true, .attribute = ATTRIBUTE_LEAF);
    capture.code_count = 1;
    begin();
    ADD(LIBC, 2, N(LIBC), N(PYTHON), N(LIBC));
    EXPECT("/lib/libc.so.6+0x3000 4 libc, /usr/bin/python3.11+0x1000 2 libc",
           "cumulative: every frame where there are none of Python", .cumulative = true);
    capture.code_count = CODES;
}

static void test_groups(void)
{
    begin();
    ADD(OBJ, 1, P(MAIN), P(LOAD));
    ADD(OBJ, 2, P(MAIN));
    ADD(OBJ, 4, P(MAIN), P(STANDARD));
    ADD(OBJ, 8, P(MAIN), P(INSTALLED));
    ADD(OBJ, 16, P(MAIN), P(FROZEN));
    ADD(LIBC, 32, N(PYTHON));
    ADD(OBJ, 64, P(MAIN), P(NO_NAME));
    ADD(OBJ, 128, P(MAIN), P(DEBIAN));
    EXPECT("b 128 obj, /srv/app/main.py:9 64 obj, PyEval_EvalCode 32 libc, _call 16 obj,"
           " ones 8 obj, JSONDecoder.decode 4 obj, <module> 2 obj, Table.load 1 obj",
           "function: by qualified name", .group = GROUP_FUNCTION);
    EXPECT("/usr/lib/python3/dist-packages/six.py:0 128 obj, /srv/app/main.py:0 66 obj,"
           " /usr/bin/python3.11 32 libc, <frozen importlib._bootstrap>:0 16 obj,"
           " /venv/lib/python3.12/site-packages/numpy/core/numeric.py:0 8 obj,"
           " /usr/lib/python3.11/json/decoder.py:0 4 obj, /srv/app/table.py:0 1 obj",
           "file", .group = GROUP_FILE);
    EXPECT("/usr/lib/python3/dist-packages/six.py 128 obj, /srv/app/main.py 66 obj,"
           " /usr/bin/python3.11 32 libc, <frozen importlib._bootstrap> 16 obj,"
           " /venv/lib/python3.12/site-packages/numpy 8 obj, /usr/lib/python3.11 4 obj,"
           " /srv/app/table.py 1 obj",
           "object: a package, the standard library, or the file itself", .group = GROUP_OBJECT);
    EXPECT("obj 223 obj, libc 32 libc", "domain", .group = GROUP_DOMAIN);
    struct report *report = build((struct report_options){.group = GROUP_LINE, .cumulative = true});
    tap_text(report->rows[0].label, "/srv/app/main.py:3", "cumulative: frames further out count");
    tap_number(report->rows[0].size, 223, "each block once here");
    tap(report->rows[0].place.kind == KIND_PYTHON, "a row of Python");
    report_free(report);
}

static void test_stack(void)
{
    begin();
    ADD(OBJ, 1, N(PYTHON), P(MAIN), N(PYTHON), P(LOAD), N(EXTENSION), N(LIBC));
    ADD(MEM, 2, N(PYTHON), P(MAIN), N(PYTHON), P(LOAD), N(EXTENSION), N(LIBC));
    EXPECT("/srv/app/table.py:12 3 mem+obj", "one stack of two domains is one row",
           .group = GROUP_STACK);
    EXPECT("/srv/app/table.py:12 2 mem, /srv/app/table.py:12 1 obj", "or two, for an export",
           .group = GROUP_STACK, .split_domains = true);
    struct report *report = build((struct report_options){.group = GROUP_STACK});
    const struct report_frame *frames = report->rows[0].frames;
    tap_number(report->rows[0].frame_count, 6, "frames of both languages");
    tap(frames[2].kind == KIND_PYTHON && frames[2].line == 12 && frames[1].kind == KIND_NATIVE &&
            frames[3].kind == KIND_NATIVE && frames[4].kind == KIND_PYTHON,
        "in their order");
    report_free(report);
}

static void test_filters(void)
{
    const struct report_filter table = {true, "*/table.py", 12}, source = {true, "*/old.py", 0},
                               native = {false, "*/_json.c", 0};
    begin();
    ADD(OBJ, 1, N(PYTHON), P(MAIN), P(LOAD), N(EXTENSION));
    ADD(MEM, 2, N(PYTHON), P(MAIN), P(LOAD), P(STANDARD));
    ADD(OBJ, 4, N(PYTHON), P(MAIN), P(COMPILED));
    EXPECT("/srv/app/table.py:12 1 obj", "a Python file and line", .filters = &table,
           .filter_count = 1);
    EXPECT("/usr/lib/python3.11/json/decoder.py:353 2 mem, /srv/app/table.py:12 1 obj",
           "in any frame", .filters = &table, .filter_count = 1, .all_frames = true);
    EXPECT("/srv/app/old.pyc:4 4 obj", "a compiled file is its source", .filters = &source,
           .filter_count = 1);
    EXPECT("/srv/app/old.pyc:4 4 obj, /usr/lib/python3.11/json/decoder.py:353 2 mem",
           "native frames are frames, too", .filters = &native, .filter_count = 1,
           .all_frames = true);
    EXPECT("/usr/lib/python3.11/json/decoder.py:353 2 mem", "a domain",
           .domains = 1u << TS_DOMAIN_MEM);
    EXPECT("mem 2 mem", "and a file", .domains = 1u << TS_DOMAIN_MEM | 1u << TS_DOMAIN_RAW,
           .group = GROUP_DOMAIN, .filters = &table, .filter_count = 1, .all_frames = true);
}

/* A row is of the domains that its figures are of. */
static void test_domains(void)
{
    begin();
    ADD(OBJ, 10, P(MAIN));
    ADD(MEM, 20, P(MAIN));
    ADD(RAW, 5, P(MAIN));
    contexts[1].values.freed_count = 1;
    contexts[1].values.freed_size = 20;
    EXPECT("/srv/app/main.py:3 15 obj+raw", "by size: what is live, the most of it first", 0);
    EXPECT("/srv/app/main.py:3 15 mem+obj+raw", "by allocated: all", .sort = SORT_ALLOCATED);
    EXPECT("/srv/app/main.py:3 15 raw+obj+mem", "by peak: what was live then", .sort = SORT_PEAK);
    for (uint32_t i = 0; i < 3; i++) {
        contexts[i].values.freed_count = 1;
        contexts[i].values.freed_size = contexts[i].values.allocated_size;
    }
    EXPECT("/srv/app/main.py:3 0 raw+mem+obj", "nothing is live: all", 0);
    struct report *report = build((struct report_options){.group = GROUP_LINE});
    tap_number(report->rows[0].shares[TS_DOMAIN_MEM].allocated_size, 20, "a domain's share");
    tap(report->has_domains, "they are worth a word");
    report_free(report);
    begin();
    ADD(LIBC, 10, N(LIBC));
    report = build((struct report_options){.group = GROUP_LINE});
    tap(!report->has_domains, "all of libc: they are not");
    report_free(report);
}

static void test_versions(void)
{
    char text[32];
    tap_text(format_python_version(text, 0x030b02f0), "3.11.2", "a version");
    tap_text(format_python_version(text, 0x030f00a3), "3.15.0a3", "an alpha");
    tap_text(format_python_version(text, 0x030e00c1), "3.14.0rc1", "a candidate");
    tap_text(format_python_version(text, 0), "", "none");
    tap_text(format_python_version(text, UINT32_MAX), "255.255.255", "nonsense");
}

int main(void)
{
    test_attribution();
    test_cumulative();
    test_groups();
    test_stack();
    test_filters();
    test_domains();
    test_versions();
    return tap_end();
}
