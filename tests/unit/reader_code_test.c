/*
 * Code objects of Python, frames that name them and domains: what a region and a snapshot say of
 * them, whole, half written and wrong.
 */
#include "region/snapshot.h"
#include "tests/unit/reader_build.h"
#include "tests/unit/reader_promises.h"

#include <fcntl.h>
#include <unistd.h>

#define PAIR(count, size) ((struct ts_pair){(count), (size)})
#define NOBODY ts_key_python(0, 0)

static const uint8_t table[] = {0xd8, 0x00, 0xe1, 0x05};

static struct capture *must_open(const char *path)
{
    struct error error = {""};
    struct capture *capture = source_open(path, &error);
    if (capture == NULL) {
        printf("Bail out! %s\n", error.text);
        exit(99);
    }
    return capture;
}

/* A region with two code objects, and a context whose innermost frame is of number `code`. */
static void begin(struct built *built, uint32_t code)
{
    built_begin(built, "region");
    built_add_code(built, 1, "/home/me/one.py", "One", 1, table, sizeof(table));
    built_add_code(built, 2, "/home/me/two.py", "Two", 2, table, sizeof(table));
    built_add_node(built, 2, ts_key_python(code, 6), 0);
    built_add_context(built, 2, 2);
    built_count(built, 0, 2, PAIR(1, 100), PAIR(0, 0));
}

static struct capture *end(struct built *built)
{
    struct capture *capture = must_open(built->path);
    built_end(built);
    return capture;
}

static void test_whole(void)
{
    struct built built;
    begin(&built, 2);
    struct capture *capture = end(&built);
    const struct capture_code *code = &capture->codes[2];
    tap(keeps_promises(capture), "a region with code objects");
    tap_text(code->file, "/home/me/two.py", "its file");
    tap_text(code->name, "Two", "its name");
    tap_number(code->first_line, 2, "its first line");
    tap(code->table_kind == TS_LINES_LOCATIONS && code->table_size == sizeof(table) &&
            memcmp(capture->tables + code->table_at, table, sizeof(table)) == 0,
        "its line table");
    tap(context_of_key(capture, ts_key_python(2, 6)) != NULL, "a frame of it");
    capture_free(capture);
}

/* One after the other, changed by `change`; what cannot be had costs its own frames their names. */
static void expect(const char *name, uint32_t code, void (*change)(struct built *built),
                   const char *file, const char *function, uint32_t table_size)
{
    struct built built;
    struct error error = {""};
    begin(&built, code);
    if (change != NULL)
        change(&built);
    struct capture *capture = end(&built);
    const struct capture_context *context =
        context_of_key(capture, file != NULL ? ts_key_python(code, 6) : NOBODY);
    tap(keeps_promises(capture) && context != NULL && live_size(&context->values) == 100, name);
    if (file != NULL && context != NULL) {
        const struct capture_code *found = &capture->codes[code];
        tap_text(found->file, file, "the file");
        tap_text(found->name != NULL ? found->name : "(none)", function, "the name");
        tap_number(found->table_size, table_size, "the table");
    }
    tap_number((uint64_t)snapshot_write(capture, scratch_path("saved.tsnap"), &error), 0,
               "it can be saved");
    struct capture *copy = must_open(scratch_path("saved.tsnap"));
    tap(keeps_promises(copy) && copy->nodes[2].key == capture->nodes[2].key, "and read again");
    capture_free(copy);
    capture_free(capture);
}

static void unpublish(struct built *built)
{
    built_code(built, 2)->state = 0;
}

static void claim(struct built *built)
{
    built_code(built, 2)->state = 7;
}

static void lose_strings(struct built *built)
{
    built_code(built, 2)->file_slab = 77;
}

static void lose_name(struct built *built)
{
    built_code(built, 2)->name_slab = UINT32_MAX;
}

static void blank_file(struct built *built)
{
    built_code(built, 2)->file_offset = 8000;
}

static void cross_slab(struct built *built)
{
    built_code(built, 2)->file_offset = TS_SLAB_SIZE - 4;
}

static void enlarge_file(struct built *built)
{
    built_code(built, 2)->file_size = TS_STRING_MAX + 1;
}

static void empty_file(struct built *built)
{
    built_code(built, 2)->file_size = 0;
}

static void share_file(struct built *built)
{
    built_code(built, 2)->file_offset = built_code(built, 1)->file_offset;
}

static void enlarge_table(struct built *built)
{
    built_code(built, 2)->table_size = TS_SLAB_SIZE;
}

static void share_table(struct built *built)
{
    built_code(built, 1)->table_size = TS_SLAB_SIZE - 1;
}

static void move_table(struct built *built)
{
    built_code(built, 2)->table_at = UINT64_MAX - 2;
}

static void order_terminal(struct built *built)
{
    char *strings = built_slab(built, TS_SLAB_STRINGS, 0);
    strings[built_code(built, 2)->name_offset] = '\033';
}

static void test_damage(void)
{
    expect("a code object that is not there", 3, NULL, NULL, NULL, 0);
    expect("far behind the table", TS_KEY_CODE_MAX, NULL, NULL, NULL, 0);
    expect("number 0", 0, NULL, NULL, NULL, 0);
    expect("not published: its writer was killed", 2, unpublish, NULL, NULL, 0);
    expect("of a state that is none", 2, claim, NULL, NULL, 0);
    expect("a file's name in no slab", 2, lose_strings, NULL, NULL, 0);
    expect("a name in no slab", 2, lose_name, "/home/me/two.py", "(none)", sizeof(table));
    expect("a file's name that was never written", 2, blank_file, NULL, NULL, 0);
    expect("a file's name that crosses slabs", 2, cross_slab, NULL, NULL, 0);
    expect("a file's name that is too long", 2, enlarge_file, NULL, NULL, 0);
    expect("a file without a name, as compile() may make", 2, empty_file, "", "Two", sizeof(table));
    expect("two of one file", 2, share_file, "/home/me/one.py", "Two", sizeof(table));
    expect("a table in others' bytes", 2, enlarge_table, "/home/me/two.py", "Two", 0);
    expect("a table in others' bytes, which are all", 2, share_table, "/home/me/two.py", "Two", 0);
    expect("a table at the end of the world", 2, move_table, "/home/me/two.py", "Two", 0);
    expect("orders to the terminal", 2, order_terminal, "/home/me/two.py", "?wo", sizeof(table));
}

/* A table may go on in the next slab; the next one begins behind it. */
static void test_long_table(void)
{
    static uint8_t longer[TS_SLAB_SIZE + 100];
    struct built built;
    for (size_t i = 0; i < sizeof(longer); i++)
        longer[i] = (uint8_t)(i * 7);
    begin(&built, 2);
    built_add_code(&built, 3, "/home/me/three.py", "Three", 3, longer, sizeof(longer));
    built_add_code(&built, 4, "/home/me/four.py", "Four", 4, table, sizeof(table));
    struct capture *capture = end(&built);
    const struct capture_code *codes = capture->codes;
    tap(codes[3].table_size == sizeof(longer) &&
            memcmp(capture->tables + codes[3].table_at, longer, sizeof(longer)) == 0,
        "a table in two slabs");
    tap(codes[4].table_size == sizeof(table) &&
            memcmp(capture->tables + codes[4].table_at, table, sizeof(table)) == 0,
        "and the one behind it");
    capture_free(capture);
}

static void test_domains(void)
{
    struct built built;
    begin(&built, 2);
    for (uint32_t i = 3; i < 8; i++) {
        built_add_context(&built, i, 2);
        built_context(&built, i)->domain = i - 3;
        built_count(&built, 0, i, PAIR(1, 1u << i), PAIR(0, 0));
    }
    built_context(&built, 7)->domain = UINT32_MAX;
    struct capture *capture = end(&built);
    uint64_t sizes[TS_DOMAIN_COUNT] = {0};
    tap(keeps_promises(capture), "one stack of several domains");
    tap_number(capture->context_count, 6, "stays several contexts");
    for (uint32_t i = 0; i < capture->context_count; i++)
        sizes[capture->contexts[i].domain] += live_size(&capture->contexts[i].values);
    tap_number(sizes[TS_DOMAIN_LIBC], 100 + (1 << 3) + (1 << 7), "no domain is libc");
    tap_number(sizes[TS_DOMAIN_OBJ], 1 << 6, "obj");
    capture_free(capture);
}

static void test_process(void)
{
    struct built built;
    begin(&built, 1);
    built_header(&built)->process.python = 999;
    built_header(&built)->process.python_version = 0x030d00f0;
    struct capture *capture = end(&built);
    tap_number(capture->process.python, TS_PYTHON_NONE, "a state that is none");
    tap_number(capture->process.python_version, 0x030d00f0, "the version");
    capture_free(capture);
}

/* ------------------------------------------------------------------ snapshots */

struct snapshot {
    unsigned char bytes[65536];
    size_t size;
};

static void *section_of(struct snapshot *snapshot, uint32_t id)
{
    struct ts_snapshot_header *header = (struct ts_snapshot_header *)snapshot->bytes;
    for (uint32_t i = 0; i < header->section_count; i++)
        if (header->sections[i].id == id)
            return snapshot->bytes + header->sections[i].offset;
    abort();
}

static void read_whole(struct snapshot *snapshot, const char *path)
{
    int fd = open(path, O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, snapshot->bytes, sizeof(snapshot->bytes));
    if (size < 0)
        abort();
    snapshot->size = (size_t)size;
    close(fd);
}

static void expect_damage(const struct snapshot *snapshot, const char *what)
{
    const char *path = scratch_path("damaged.tsnap");
    struct error error = {""};
    char expected[PATH_MAX + 64];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, snapshot->bytes, snapshot->size) != (ssize_t)snapshot->size)
        abort();
    close(fd);
    struct capture *capture = source_open(path, &error);
    snprintf(expected, sizeof(expected), "snapshot '%s' is damaged: %s makes no sense", path, what);
    tap_text(capture != NULL ? "(it was read)" : error.text, expected, what);
    capture_free(capture);
}

static void test_snapshot_damage(void)
{
    static struct snapshot whole, changed;
    struct built built;
    struct error error = {""};
    begin(&built, 2);
    struct capture *capture = end(&built);
    if (snapshot_write(capture, scratch_path("whole.tsnap"), &error) != 0)
        abort();
    capture_free(capture);
    read_whole(&whole, scratch_path("whole.tsnap"));
#define DAMAGE(section, record, change, what)                       \
    do {                                                            \
        changed = whole;                                            \
        record *records = section_of(&changed, (section));          \
        change;                                                     \
        expect_damage(&changed, what);                              \
    } while (0)
#define DAMAGE_CODES(change, what) \
    DAMAGE(TS_SECTION_CODES, struct ts_snapshot_code, change, what)
    DAMAGE_CODES(records[1].table_size = 9999, "code 1");
    DAMAGE_CODES(records[1].table_size = 2 * sizeof(table), "code 2");
    DAMAGE_CODES(records[2].table_at = UINT32_MAX, "code 2");
    DAMAGE_CODES(records[2].table_size = sizeof(table) + 1, "code 2");
    DAMAGE_CODES(records[2].file_offset = 1 << 20, "code 2");
    DAMAGE_CODES(records[2].name_size = TS_STRING_MAX + 1, "code 2");
    DAMAGE_CODES((records[2].file_offset = 1, records[2].file_size = 32), "code 2");
    DAMAGE_CODES(records[0].state = 1, "code 0");
    DAMAGE_CODES(records[2].state = 0, "node 2");
    DAMAGE(TS_SECTION_NODES, struct ts_node, records[2].key = ts_key_python(3, 0), "node 2");
    DAMAGE(TS_SECTION_CONTEXTS, struct ts_snapshot_context,
           records[0].domain = TS_DOMAIN_COUNT, "context 0");
#undef DAMAGE_CODES
#undef DAMAGE
}

int main(void)
{
    scratch_make();
    test_whole();
    test_damage();
    test_long_table();
    test_domains();
    test_process();
    test_snapshot_damage();
    scratch_remove();
    return tap_end();
}
