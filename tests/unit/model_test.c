/*
 * Whose line is charged, what rows are called and what they merge: stacks that are known, and the
 * rows that they must give.
 */
#include "tests/unit/reader_build.h"
#include "tools/model/model.h"

struct symbolizer {
    int unused;
};

/* What the program under test consists of: one entry per offset, frames innermost first. */
static const struct symbol_frame main_frames[] = {{"main", "/home/me/main.cc", 10, false}};
static const struct symbol_frame push_frames[] = {
    {"std::__new_allocator<int>::allocate(unsigned long)",
     "/usr/include/c++/12/bits/new_allocator.h", 137, true},
    {"std::vector<int>::push_back(int const&)", "/usr/include/c++/12/bits/stl_vector.h", 1281,
     true},
    {"void fill<int>(std::vector<int>&)", "/home/me/fill.h", 20, false},
};
static const struct symbol_frame bare_frames[] = {{"parse", NULL, 0, false}};
static const struct symbol_frame no_frames[] = {{NULL, NULL, 0, false}};
static const struct symbol_frame rust_frames[] = {
    {"alloc::raw_vec::finish_grow",
     "/rustc/897e37553bba8b42751c67658967889d11ecd120/library/alloc/src/raw_vec.rs", 465, false}};
static const struct symbol_frame twice_frames[] = {
    {"void fill<long>(std::vector<long>&)", "/home/me/fill.h", 20, false}};
static const struct symbol_frame zero_frames[] = {{"made_up", "/home/me/fill.h", 0, false}};

static const struct symbol_result code[] = {
#define CODE(frames)                                 \
    {                                                \
        sizeof(frames) / sizeof((frames)[0]), frames \
    }
    CODE(no_frames),   CODE(main_frames),  CODE(push_frames), CODE(bare_frames),
    CODE(rust_frames), CODE(twice_frames), CODE(zero_frames),
};
enum { NO_NAME, MAIN, PUSH, BARE, RUST, TWICE, ZERO };
enum { PROGRAM, LIBRARY, LIBC };

const struct symbol_result *symbolizer_lookup(struct symbolizer *symbolizer,
                                              const struct capture_module *module, uint64_t offset)
{
    (void)symbolizer, (void)module;
    return &code[offset & 15]; /* 0x10, 0x20, ...: the same at another place */
}

static struct capture_module modules[] = {
    {.path = (char *)"/home/me/program"},
    {.path = (char *)"/usr/lib/libthing.so.1"},
    {.path = (char *)"/lib/x86_64-linux-gnu/libc.so.6"},
};
static struct capture_node nodes[64];
static struct capture_context contexts[16];
static struct capture capture = {
    .nodes = nodes, .node_count = 1, .contexts = contexts, .modules = modules, .module_count = 3};

static void begin(void)
{
    capture.node_count = 1;
    capture.context_count = 0;
}

#define NATIVE(module, offset) ts_key(TS_FRAME_NATIVE, (module), (offset))
#define MARK(mark) ts_key(TS_FRAME_MARK, 0, (mark))
#define UNKNOWN ts_key(TS_FRAME_UNKNOWN, 0, 0x7f12)

/* Adds a context of `size` live bytes; its frames outermost first, ended by 0. */
static void add(uint64_t size, const uint64_t *keys)
{
    uint32_t node = 0;
    for (; *keys != 0; keys++) {
        nodes[capture.node_count] = (struct capture_node){*keys, node};
        node = capture.node_count++;
    }
    contexts[capture.context_count++] = (struct capture_context){
        node,
        TS_DOMAIN_LIBC,
        {.allocated_count = 1, .allocated_size = size, .peak_size = 1000 - size}};
}
#define ADD(size, ...) add((size), (const uint64_t[]){__VA_ARGS__ __VA_OPT__(, ) 0})

static struct report *build(struct report_options options)
{
    static struct symbolizer symbolizer;
    struct error error = {""};
    struct report *report = report_build(&capture, &symbolizer, NULL, NULL, &options, &error);
    if (report == NULL)
        abort();
    return report;
}

/* The labels of all rows with their sizes, biggest first, must be these. */
static void expect(struct report_options options, const char *expected, const char *name)
{
    char found[4096] = "";
    struct report *report = build(options);
    for (size_t i = 0; i < report->row_count; i++) {
        size_t used = strlen(found);
        snprintf(found + used, sizeof(found) - used, "%s%s %llu", i > 0 ? ", " : "",
                 report->rows[i].label, (unsigned long long)report->rows[i].size);
    }
    tap_text(found, expected, name);
    report_free(report);
}
#define EXPECT(expected, name, ...) expect((struct report_options){__VA_ARGS__}, expected, name)

static void test_merit(void)
{
    static const struct {
        enum merit merit;
        struct report_frame frame;
    } cases[] = {
#define P "/home/me/program"
#define REST 0, false, KIND_NATIVE
        {MERIT_USER, {"main", "/home/me/main.c", 3, P, REST}},
        {MERIT_USER, {"std_like::f()", "src/f.cc", 3, P, REST}},
        {MERIT_USER, {"std::vector<int> make<int>(int)", "/home/me/make.cc", 3, P, REST}},
        {MERIT_USER, {"core::Engine::load(char const*)", "/home/me/engine.cpp", 3, P, REST}},
        {MERIT_USER, {"<app::Tree as core::fmt::Display>::fmt", "src/tree.rs", 3, P, REST}},
        {MERIT_USER, {"(anonymous namespace)::work(std::string)", "work.cc", 3, P, REST}},
        {MERIT_USER,
         {"run(std::function<void (int)>)::{lambda(int)#1}::operator()(int) const", "run.cc", 3, P,
          REST}},
        {MERIT_USER, {"decltype(auto) visit<int>(int)", "visit.cc", 3, P, REST}},
        {MERIT_USER, {"Pool::operator new(unsigned long)", "pool.cc", 3, P, REST}},
        {MERIT_USER, {"f", "/usr/local/include/f.h", 3, P, REST}},
        {MERIT_USER_NO_LINE, {"parse", NULL, 0, P, REST}},
        {MERIT_USER_NO_LINE, {NULL, NULL, 0, P, REST}},
        {MERIT_USER_NO_LINE, {NULL, NULL, 0, "/usr/lib/libc-client.so.2007e", REST}},
        {MERIT_LIBRARY, {"void std::sort<int*>(int*, int*)", "algo.h", 3, P, REST}},
        {MERIT_LIBRARY, {"g_list_new", "/usr/include/glib-2.0/glib/glist.h", 3, P, REST}},
        {MERIT_LIBRARY, {"x", "/opt/gcc-13/include/c++/13.2.0/bits/x.h", 3, P, REST}},
        {MERIT_LIBRARY, {"x", "/usr/lib/llvm-14/include/c++/v1/vector", 3, P, REST}},
        {MERIT_LIBRARY,
         {"x", "/usr/lib/gcc/x86_64-linux-gnu/12/include/immintrin.h", 3, P, REST}},
        {MERIT_LIBRARY, {"x", "../../../../src/libstdc++-v3/src/c++11/string.cc", 3, P, REST}},
        {MERIT_LIBRARY,
         {"<alloc::string::String as core::fmt::Write>::write_str", "src/string.rs", 3, P, REST}},
        {MERIT_LIBRARY,
         {"core::ops::function::FnOnce::call_once", "/rustc/abc/library/core/src/ops.rs", 3, P, REST}},
        {MERIT_OTHER, {"std::string::append(char const*)", NULL, 0, P, REST}},
        {MERIT_OTHER, {"alloc::raw_vec::finish_grow", NULL, 0, P, REST}},
        {MERIT_OTHER, {"<unknown code>", NULL, 0, NULL, REST}},
        {MERIT_ALLOCATOR, {"operator new(unsigned long)", "new_op.cc", 3, P, REST}},
        {MERIT_ALLOCATOR, {"malloc", "/home/me/malloc.c", 3, P, REST}},
        {MERIT_WRAPPER, {"xmalloc", "/home/me/util.c", 3, P, REST}},
        {MERIT_WRAPPER, {"Perl_safesysrealloc", NULL, 0, P, REST}},
        {MERIT_WRAPPER, {"sqlite3Malloc64", "sqlite3.c", 9, P, REST}},
        {MERIT_WRAPPER, {"util::zcalloc(unsigned long) [clone .part.0]", "u.cc", 9, P, REST}},
        {MERIT_WRAPPER, {"zmalloc_usable", NULL, 0, P, REST}},
        {MERIT_USER, {"malloc_table", "/home/me/table.c", 3, P, REST}},
        {MERIT_ALLOCATOR, {"__libc_malloc", "./malloc/malloc.c", 3, "/x/libc.so.6", REST}},
        {MERIT_ALLOCATOR, {NULL, NULL, 0, "/usr/lib/libstdc++.so.6.0.30", REST}},
        {MERIT_ALLOCATOR, {NULL, NULL, 0, "/usr/lib/libtracesnap.so", REST}},
        {MERIT_ALLOCATOR, {NULL, NULL, 0, "/usr/lib/libjemalloc.so.2", REST}},
        {MERIT_ALLOCATOR, {"_start", "../sysdeps/x86_64/start.S", 115, P, REST}},
        {MERIT_ALLOCATOR, {"__rust_alloc", NULL, 0, P, REST}},
#undef P
#undef REST
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct report_frame *frame = &cases[i].frame;
        char name[256];
        snprintf(
            name, sizeof(name), "whose: %s %s %s", frame->function != NULL ? frame->function : "-",
            frame->file != NULL ? frame->file : "-", frame->object != NULL ? frame->object : "-");
        for (char *c = name; *c != '\0'; c++)
            if (*c == '#')
                *c = '.'; /* TAP reads directives behind it */
        tap_number(user_code_merit(frame), cases[i].merit, name);
    }
}

static void test_attribution(void)
{
    begin();
    ADD(1, NATIVE(PROGRAM, MAIN), NATIVE(PROGRAM, PUSH), NATIVE(LIBC, NO_NAME));
    EXPECT("/home/me/fill.h:20 1", "the innermost line of the user's, through headers and libc", 0);
    EXPECT("/lib/x86_64-linux-gnu/libc.so.6+0x0 1", "leaf: the innermost frame as it is",
           .attribute = ATTRIBUTE_LEAF);
    begin();
    ADD(1, NATIVE(PROGRAM, MAIN), NATIVE(LIBRARY, BARE));
    EXPECT("/home/me/main.cc:10 1", "a user's line further out before code without a line", 0);
    begin();
    ADD(1, NATIVE(PROGRAM, BARE), NATIVE(PROGRAM, RUST));
    EXPECT("/home/me/program+0x3 1", "the user's code without a line before a library's line", 0);
    begin();
    ADD(1, NATIVE(LIBC, NO_NAME), NATIVE(PROGRAM, RUST));
    EXPECT("/rustc/897e37553bba8b42751c67658967889d11ecd120/library/alloc/src/raw_vec.rs:465 1",
           "a library's line before the run-time", 0);
    begin();
    ADD(1, NATIVE(LIBC, NO_NAME), NATIVE(LIBC, 0x10));
    EXPECT("/lib/x86_64-linux-gnu/libc.so.6+0x10 1",
           "nothing but the run-time: the innermost frame", 0);
    begin();
    ADD(1, MARK(TS_MARK_CUT), NATIVE(LIBC, NO_NAME));
    ADD(2, MARK(TS_MARK_CATCH_ALL));
    ADD(4, UNKNOWN);
    ADD(8, MARK(TS_MARK_NO_UNWIND), UNKNOWN);
    ADD(16, 0);
    EXPECT(
        "<unknown>:0 16, <unknown code> 12, <context table full> 2,"
         " /lib/x86_64-linux-gnu/libc.so.6+0x0 1",
        "a mark is charged only where there is no frame", 0);
    EXPECT(
        "<unknown>:0 16, <unknown code> 12, <context table full> 2,"
         " /lib/x86_64-linux-gnu/libc.so.6+0x0 1",
        "by leaf, too", .attribute = ATTRIBUTE_LEAF);
}

static void test_groups(void)
{
    begin();
    ADD(1, NATIVE(PROGRAM, MAIN), NATIVE(PROGRAM, PUSH));
    ADD(2, NATIVE(PROGRAM, MAIN),
        NATIVE(LIBRARY, 0x10 | PUSH));                     /* the same line in another object */
    ADD(4, NATIVE(PROGRAM, MAIN), NATIVE(PROGRAM, TWICE)); /* the same line of another function */
    ADD(8, NATIVE(PROGRAM, NO_NAME));
    ADD(16, NATIVE(PROGRAM, 0x20 | NO_NAME));
    ADD(32, NATIVE(PROGRAM, BARE));
    ADD(64, NATIVE(PROGRAM, 0x10 | BARE));
    ADD(128, NATIVE(PROGRAM, MAIN), NATIVE(PROGRAM, MAIN));
    ADD(256, NATIVE(LIBRARY, ZERO));
    EXPECT(
        "/usr/lib/libthing.so.1+0x6 256, /home/me/main.cc:10 128, /home/me/program+0x13 64,"
        " /home/me/program+0x3 32, /home/me/program+0x20 16, /home/me/program+0x0 8,"
           " /home/me/fill.h:20 7",
        "line: merged over objects and functions; without lines each call site",
        .group = GROUP_LINE);
    EXPECT("made_up 256, main 128, parse 96, /home/me/program+0x20 16, /home/me/program+0x0 8,"
           " void fill<long>(std::vector<long>&) 4, void fill<int>(std::vector<int>&) 2,"
           " void fill<int>(std::vector<int>&) 1",
           "function", .group = GROUP_FUNCTION);
    EXPECT("/home/me/fill.h:0 263, /home/me/main.cc:0 128, /home/me/program 120", "file",
           .group = GROUP_FILE);
    EXPECT("/usr/lib/libthing.so.1 258, /home/me/program 253", "object", .group = GROUP_OBJECT);
    EXPECT(
        "/home/me/main.cc:10 263, /usr/lib/libthing.so.1+0x6 256, /home/me/program+0x13 64,"
        " /home/me/program+0x3 32, /home/me/program+0x20 16, /home/me/program+0x0 8,"
           " /home/me/fill.h:20 7,"
        " /usr/include/c++/12/bits/stl_vector.h:1281 3,"
           " /usr/include/c++/12/bits/new_allocator.h:137 3",
        "cumulative: every frame, as often as it recurs", .group = GROUP_LINE, .cumulative = true);
    EXPECT("/home/me/fill.h:20 3, /home/me/fill.h:20 4, /home/me/program+0x0 8,"
           " /home/me/program+0x20 16, /home/me/program+0x3 32, /home/me/program+0x13 64,"
           " /home/me/main.cc:10 128, /usr/lib/libthing.so.1+0x6 256",
           "other keys go first", .group = GROUP_STACK, .sort = SORT_PEAK);
}

static void test_row(void)
{
    begin();
    ADD(1, NATIVE(PROGRAM, MAIN), NATIVE(PROGRAM, PUSH));
    ADD(4, NATIVE(PROGRAM, MAIN), NATIVE(LIBRARY, TWICE));
    ADD(2, NATIVE(PROGRAM, MAIN), NATIVE(PROGRAM, PUSH));
    struct report *report = build((struct report_options){.group = GROUP_LINE});
    tap_text(report->rows[0].place.function, "void fill<long>(std::vector<long>&)",
             "a line's function is its biggest contributor's");
    tap_text(report->rows[0].place.object, "/usr/lib/libthing.so.1", "so is its object");
    report_free(report);

    report = build((struct report_options){.group = GROUP_STACK});
    tap_number(report->row_count, 2, "equal stacks are one row");
    const struct report_row *row = &report->rows[1];
    tap_number(row->frame_count, 4, "inlined frames are frames of the stack");
    tap(row->frames[0].inlined && row->frames[0].line == 137 && row->frames[3].line == 10,
        "innermost first");
    report_free(report);

    report = build((struct report_options){.group = GROUP_STACK, .frames_top = 1});
    tap(report->rows[0].frame_count == 2 && report->rows[1].frame_count == 0 &&
            report->rows[1].size == 3,
        "frames only for as many rows as were asked for");
    report_free(report);
}

static void test_filters(void)
{
    const struct report_filter object = {true, "*/libthing.so*", 0}, line = {false, "*fill.h", 20};
    begin();
    ADD(1, NATIVE(LIBRARY, NO_NAME));
    ADD(2, NATIVE(PROGRAM, MAIN), NATIVE(LIBRARY, NO_NAME));
    ADD(4, NATIVE(PROGRAM, MAIN), NATIVE(PROGRAM, PUSH));
    EXPECT("/usr/lib/libthing.so.1+0x0 1", "a frame without a file is matched by its object",
           .filters = &object, .filter_count = 1);
    EXPECT("/home/me/main.cc:10 2, /usr/lib/libthing.so.1+0x0 1", "all frames are asked",
           .filters = &object, .filter_count = 1, .all_frames = true);
    EXPECT("/home/me/main.cc:10 2, /usr/lib/libthing.so.1+0x0 1", "a line is left out",
           .filters = &line, .filter_count = 1);
}

int main(void)
{
    test_merit();
    test_attribution();
    test_groups();
    test_row();
    test_filters();
    return tap_end();
}
