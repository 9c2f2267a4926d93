/*
 * Files that are no good source, each with its message; and regions whose tables are nonsense, of
 * which the rest must still be read.
 */
#include "region/snapshot.h"
#include "tests/unit/reader_build.h"
#include "tests/unit/reader_promises.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t load(const char *path, unsigned char *bytes, size_t room)
{
    int fd = open(path, O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, bytes, room);
    if (size < 0)
        abort();
    close(fd);
    return (size_t)size;
}

static void store(const char *path, const unsigned char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort();
    close(fd);
}

static void expect_error(const char *path, const char *format, const char *name)
{
    struct error error = {""};
    char expected[PATH_MAX + 256];
    struct capture *capture = source_open(path, &error);
    snprintf(expected, sizeof(expected), format, path);
    tap_text(capture != NULL ? "(it was read)" : error.text, expected, name);
    capture_free(capture);
}

static void test_kinds_of_files(void)
{
    static const char *const neither =
        "'%s' is neither a region nor a snapshot: name a PID or a file that 'tracesnap snap' wrote";
    static const char *const irregular =
        "'%s' is not a regular file: name a PID, a region or a snapshot";
    struct built built;
    store(scratch_path("empty"), (const unsigned char *)"", 0);
    store(scratch_path("text"), (const unsigned char *)"hello, world", 12);
    mkfifo(scratch_path("fifo"), 0600);
    built_sample(&built, "target");
    if (symlink(built.path, scratch_path("link")) != 0)
        abort();
    expect_error(scratch_path("empty"), neither, "an empty file");
    expect_error(scratch_path("text"), neither, "some text");
    expect_error(scratch_path("fifo"), irregular, "a FIFO");
    expect_error(scratch, irregular, "a directory");
    expect_error("/dev/zero", irregular, "a device");
    expect_error(scratch_path("link"), "region '%s' is a symbolic link: name the file itself",
                 "a link");
    expect_error(scratch_path("nothing"), "cannot open '%s': No such file or directory", "no file");
    built_end(&built);
}

static void test_headers(void)
{
    struct built built;
    built_sample(&built, "header");
    struct ts_header *header = built_header(&built);
    header->version = 7;
    expect_error(built.path,
                 "region '%s' has format version 7, this tool reads 1: use the tracesnap that"
                 " belongs to the traced library",
                 "another version");
    header->byte_order = __builtin_bswap32(TS_BYTE_ORDER);
    expect_error(built.path,
                 "region '%s' has another byte order: read it on a machine like the one that"
                 " wrote it",
                 "another byte order");
    header->version = TS_REGION_VERSION;
    header->byte_order = TS_BYTE_ORDER;
    header->ready = 0;
    expect_error(built.path,
                 "region '%s' is not ready: its process is just starting or died while it did,"
                 " try again",
                 "a constructor that died");
    header->ready = 1;
    header->slab_size = 4096;
    expect_error(built.path, "region '%s' is damaged: its header makes no sense",
                 "another slab size");
    header->slab_size = TS_SLAB_SIZE;
    if (truncate(built.path, TS_SLABS_OFFSET + TS_SLAB_SIZE) != 0)
        abort();
    expect_error(built.path, "region '%s' is truncated: slab 4 lies beyond its end",
                 "a cut region");
    if (truncate(built.path, 100) != 0)
        abort();
    expect_error(built.path, "region '%s' is truncated: its header is incomplete", "a cut header");
    built_end(&built);
}

static void test_snapshot_headers(void)
{
    static unsigned char bytes[65536];
    struct built built;
    struct error error = {""};
    struct ts_snapshot_header *header = (struct ts_snapshot_header *)bytes;
    const char *path = scratch_path("broken.tsnap");
    built_sample(&built, "sample");
    struct capture *capture = source_open(built.path, &error);
    if (capture == NULL || snapshot_write(capture, path, &error) != 0)
        abort();
    size_t size = load(path, bytes, sizeof(bytes));
    capture_free(capture);
    built_end(&built);
    store(path, bytes, 20);
    expect_error(path, "snapshot '%s' is truncated: its header is incomplete",
                 "a cut snapshot header");
    store(path, bytes, sizeof(*header) + 8);
    expect_error(path, "snapshot '%s' is truncated: section 6 ends behind the file's end",
                 "a cut snapshot");
    header->sections[0].count = UINT64_MAX / 8;
    store(path, bytes, size);
    expect_error(path, "snapshot '%s' is damaged: section 1 has 2305843009213693951 records",
                 "a huge count");
    header->version = 2;
    store(path, bytes, size);
    expect_error(
        path,
        "snapshot '%s' has format version 2, this tool reads 1: use the tracesnap that wrote"
        " it",
        "another snapshot version");
}

/*
 * Slab tables that name slabs twice, far away or of no kind; chains that lead nowhere; the whole is
 * read.
 */
static void test_slab_nonsense(void)
{
    struct built built;
    struct error error = {""};
    built_sample(&built, "table");
    uint32_t *table = (uint32_t *)(built.map + TS_SLAB_TABLE_OFFSET);
    table[built.slabs] = TS_SLAB_WORD(TS_SLAB_NODES, 0);
    table[built.slabs + 1] = TS_SLAB_WORD(TS_SLAB_CELLS, 0xffffff);
    table[built.slabs + 2] = TS_SLAB_WORD(200, 1);
    table[built.slabs + 3] = TS_SLAB_WORD(TS_SLAB_CONTEXTS, 65535);
    uint64_t *words = built_slab(&built, TS_SLAB_CELLMAP, 0);
    words[built.chunks] = TS_CELLMAP_WORD(0, 0xffffffffu); /* contexts that cannot be */
    words[built.chunks + 1] = TS_CELLMAP_WORD(5000, 0);    /* a shard that cannot be */
    words[2047] = TS_CELLMAP_WORD(1, 1);                   /* cells that no slab holds */
    built_header(&built)->node_count = built_header(&built)->slab_count = UINT32_MAX;
    struct capture *capture = source_open(built.path, &error);
    tap(capture != NULL && keeps_promises(capture), "a nonsensical slab table");
    tap_number(capture != NULL ? live_size(&capture->totals) : 0, 713,
               "and what it does not touch is right");
    capture_free(capture);

    built_node(&built, 3)->parent = 3; /* its own parent */
    built_node(&built, 4)->parent = 5; /* and a circle, if it were followed */
    capture = source_open(built.path, &error);
    tap(capture != NULL && keeps_promises(capture), "parents that are no parents");
    tap_number(capture != NULL ? live_size(&capture->totals) : 0, 713, "and no byte is lost");
    capture_free(capture);
    built_end(&built);
}

/* A stack of a million frames would make every look at it a million steps long. */
static void test_deep_chain(void)
{
    struct built built;
    struct error error = {""};
    built_sample(&built, "deep");
    for (uint32_t i = 6; i < 8 * TS_NODES_PER_SLAB; i++)
        built_add_node(&built, i, ts_key(TS_FRAME_NATIVE, 0, i), i - 1);
    built_add_context(&built, 2, 8 * TS_NODES_PER_SLAB - 1);
    built_add_context(&built, 3, TS_DEPTH_MAX);
    struct capture *capture = source_open(built.path, &error);
    tap(capture != NULL && keeps_promises(capture), "a stack that is too deep");
    tap_number(capture != NULL ? live_size(&capture->totals) : 0, 713, "and no byte is lost");
    capture_free(capture);
    built_end(&built);
}

/* All slabs published, all of them holes: a gibibyte of nothing. */
static void test_holes(void)
{
    struct error error = {""};
    struct built built;
    built_sample(&built, "holes");
    uint32_t *table = (uint32_t *)(built.map + TS_SLAB_TABLE_OFFSET);
    if (truncate(built.path, (off_t)TS_REGION_SIZE_MAX) != 0)
        abort();
    for (uint32_t i = built.slabs; i < TS_SLABS_MAX; i++)
        table[i] = TS_SLAB_WORD(i % 2 != 0 ? TS_SLAB_NODES : TS_SLAB_CONTEXTS, i);
    struct capture *capture = source_open(built.path, &error);
    tap(capture != NULL && keeps_promises(capture), "a file of holes");
    tap_number(capture != NULL ? live_size(&capture->totals) : 0, 713,
               "and what is in it is right");
    capture_free(capture);
    built_end(&built);
}

int main(void)
{
    scratch_make();
    test_kinds_of_files();
    test_headers();
    test_snapshot_headers();
    test_slab_nonsense();
    test_deep_chain();
    test_holes();
    scratch_remove();
    return tap_end();
}
