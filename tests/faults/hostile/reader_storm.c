/*
 * Regions of a writer that means harm, read while it writes: another process changes words, cuts
 * and extends the file, takes memory out of it and puts the region back, as fast as it can.
 * Whatever comes out is an error of one line or a capture that keeps capture.h's promises.
 *
 * Before that, what can be had without a race: a file that was cut to nothing between two looks at
 * it, and a gigabyte of published holes, whose reading must not cost memory.
 *
 * STORM_READS and STORM_SEED choose others.
 */
#include "region/snapshot.h"
#include "tests/unit/reader_build.h"
#include "tests/unit/reader_promises.h"
#include "tools/source/reader.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY_MOST (UINT64_C(256) << 20) /* bytes, for a file that holds some hundred KiB */

static uint64_t random_state;

static uint64_t random_below(uint64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 5) % limit;
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text != NULL && *text != '\0' ? strtoull(text, NULL, 0) : otherwise;
}

static uint64_t peak_rss(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss << 10;
}

/* ------------------------------------------------------------------ without a race */

static void cut(const char *path, uint64_t size)
{
    if (truncate(path, (off_t)size) != 0)
        abort();
}

static void test_cut_between(void)
{
    static const uint64_t sizes[] = {0, 1, 4096, TS_HEADER_SIZE, TS_SLABS_OFFSET - 1};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct built built;
        struct source_file file;
        struct counters counters;
        struct error error = {""};
        char expected[PATH_MAX + 128];
        built_sample(&built, "cut");
        if (source_file_open(&file, built.path, false, &error) != 0)
            abort();
        cut(built.path, sizes[i]);
        int result = counters_read(&counters, &file, &error);
        snprintf(expected, sizeof(expected),
                 "region '%s' is truncated: it became shorter while it was read", built.path);
        tap_text(result != 0 ? error.text : "(it was read)", expected,
                 "a region that was cut after it was opened");
        if (result == 0)
            free(counters.values);
        source_file_close(&file);
        built_end(&built);
    }
}

static uint64_t space_of(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        abort();
    return (uint64_t)status.st_blocks * 512;
}

/* All slabs but the first are cells, every chunk is published, for contexts far apart; all holes. */
static void publish_holes(struct built *built)
{
    uint32_t *table = (uint32_t *)(built->map + TS_SLAB_TABLE_OFFSET);
    uint64_t *words = built_slab(built, TS_SLAB_CELLMAP, 0);
    for (uint32_t i = built->slabs; i < TS_SLABS_MAX; i++)
        table[i] = TS_SLAB_WORD(TS_SLAB_CELLS, i);
    for (uint32_t i = built->slabs * TS_CHUNKS_PER_SLAB; i < TS_CELLMAP_PER_SLAB; i++)
        words[i] = TS_CELLMAP_WORD(i % 2, TS_CONTEXTS_LIMIT / TS_CHUNK_CELLS - 1 - i);
}

static void test_cells_of_holes(void)
{
    struct built built;
    struct error error = {""};
    built_sample(&built, "holes");
    cut(built.path, TS_REGION_SIZE_MAX);
    publish_holes(&built);
    uint64_t before = space_of(built.path), memory = peak_rss();
    struct capture *capture = source_open(built.path, &error);
    tap(capture != NULL && keeps_promises(capture), "a gigabyte of cells that are holes");
    tap_number(capture != NULL ? live_size(&capture->totals) : 0, 713, "what is in it is right");
    tap_number(space_of(built.path) - before, 0, "its reading filled no hole");
    printf("# memory: %llu KiB more\n", (unsigned long long)(peak_rss() - memory) >> 10);
    tap(peak_rss() < MEMORY_MOST, "and took little memory");
    capture_free(capture);
    built_end(&built);
}

static uint64_t path_bytes(const struct capture *capture)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; capture != NULL && i < capture->module_count; i++)
        bytes += strlen(capture->modules[i].path);
    return bytes;
}

/* Thousands of modules that all have the same long path. */
static void test_shared_paths(void)
{
    struct built built;
    struct error error = {""};
    built_sample(&built, "paths");
    memset(built_slab(&built, TS_SLAB_STRINGS, 0), 'a', TS_SLAB_SIZE);
    for (uint32_t i = 0; i < 10 * TS_MODULES_PER_SLAB; i++) {
        struct ts_module *module = built_module(&built, i);
        module->state = 1;
        module->path_size = TS_STRING_MAX;
    }
    struct capture *capture = source_open(built.path, &error);
    tap(capture != NULL && keeps_promises(capture), "modules that share a path");
    tap_number(path_bytes(capture), TS_SLAB_SIZE, "no more paths than there are bytes of them");
    capture_free(capture);
    built_end(&built);
}

/* The same in a snapshot, which nobody wrote so. */
static void test_shared_paths_saved(void)
{
    static unsigned char bytes[65536];
    struct ts_snapshot_header *header = (struct ts_snapshot_header *)bytes;
    struct built built;
    struct error error = {""};
    const char *path = scratch_path("paths.tsnap");
    built_sample(&built, "paths");
    struct capture *capture = source_open(built.path, &error);
    if (capture == NULL || snapshot_write(capture, path, &error) != 0)
        abort();
    capture_free(capture);
    int fd = open(path, O_RDWR);
    if (fd < 0 || read(fd, bytes, sizeof(bytes)) < (ssize_t)sizeof(*header))
        abort();
    uint64_t modules = 0, strings = 0;
    for (uint32_t i = 0; i < header->section_count; i++) {
        if (header->sections[i].id == TS_SECTION_MODULES)
            modules = header->sections[i].offset;
        if (header->sections[i].id == TS_SECTION_STRINGS)
            strings = header->sections[i].count;
    }
    for (int i = 0; i < 2; i++) {
        struct ts_snapshot_module *module = (struct ts_snapshot_module *)(bytes + modules) + i;
        module->path_offset = 0;
        module->path_size = (uint32_t)strings;
    }
    if (pwrite(fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        abort();
    close(fd);
    capture = source_open(path, &error);
    tap(capture == NULL && strstr(error.text, "is damaged: module 1 makes no sense") != NULL,
        "modules of a snapshot that share a path");
    capture_free(capture);
    built_end(&built);
}

/* ------------------------------------------------------------------ the writer */

struct storm {
    struct built built;
    unsigned char *image;
    int fd;
};

static void change_word(struct storm *storm)
{
    static const uint64_t telling[] = {0,          1,          63,         64,
                                       4096,       16384,      0xffffffff, 0x01000001,
                                       0x03000000, 0x04000001, UINT64_MAX, UINT64_C(1) << 63};
    const uint64_t spans[][2] = {{8, 56},
                                 {64, 256},
                                 {sizeof(struct ts_header) - 4096, 4096},
                                 {TS_SLAB_TABLE_OFFSET, 4 * (storm->built.slabs + 4)},
                                 {TS_SLABS_OFFSET, storm->built.slabs * TS_SLAB_SIZE}};
    /* Hardly ever what every reader asks first: it would see nothing else. */
    const uint64_t *span = spans[random_below(2048) == 0 ? 0 : 1 + random_below(4)];
    uint64_t word = telling[random_below(12)], at = span[0] + random_below(span[1]) / 4 * 4;
    if (random_below(3) == 0)
        word = random_state;
    if (pwrite(storm->fd, &word, random_below(2) ? 8 : 4, (off_t)at) < 0)
        abort();
}

static void change_length(struct storm *storm)
{
    static const uint64_t sizes[] = {0, 1, 4096, TS_HEADER_SIZE, TS_SLABS_OFFSET,
                                     TS_SLABS_OFFSET + TS_SLAB_SIZE, TS_REGION_SIZE_MAX};
    uint64_t size = sizes[random_below(7)];
    if (ftruncate(storm->fd, (off_t)(random_below(2) ? size : random_below(storm->built.size))))
        abort();
}

/* In one piece where the length is right: a reader may find it whole. */
static void put_back(struct storm *storm)
{
    if (ftruncate(storm->fd, (off_t)storm->built.size) != 0 ||
        pwrite(storm->fd, storm->image, storm->built.size, 0) != (ssize_t)storm->built.size)
        abort();
}

static void write_for_ever(struct storm *storm)
{
    for (;;) {
        put_back(storm);
        for (uint64_t i = random_below(256); i > 0; i--)
            change_word(storm);
        if (random_below(4) == 0)
            fallocate(storm->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                      (off_t)random_below(storm->built.size) & ~4095L, 16384);
        if (random_below(8) == 0)
            change_length(storm);
    }
}

static pid_t start_writer(struct storm *storm)
{
    pid_t parent = getpid(), writer = fork();
    if (writer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            write_for_ever(storm);
        _exit(0);
    }
    return writer;
}

/* ------------------------------------------------------------------ the reader */

static bool one_line(const char *text)
{
    return text[0] != '\0' && strchr(text, '\n') == NULL;
}

static bool read_once(const char *path, uint64_t *read)
{
    struct error error = {""};
    struct capture *capture = source_open(path, &error);
    bool right = capture != NULL ? keeps_promises(capture) : one_line(error.text);
    *read += capture != NULL;
    capture_free(capture);
    return right;
}

/* The region says that it is the writer's own, which lives: so that it is written to as well. */
static void begin_storm(struct storm *storm, const char *name)
{
    struct proc_status status;
    built_sample(&storm->built, name);
    struct ts_header *header = built_header(&storm->built);
    if (!proc_status_read(&status, (uint32_t)getpid()))
        abort();
    header->process.pid = (uint32_t)getpid();
    header->process.start_ticks = status.start_ticks;
    memset(header->process.boot_id, 0, sizeof(header->process.boot_id));
    storm->fd = open(storm->built.path, O_RDWR | O_CLOEXEC);
    storm->image = malloc(storm->built.size);
    if (storm->fd < 0 || storm->image == NULL)
        abort();
    memcpy(storm->image, storm->built.map, storm->built.size);
}

static void test_storm(uint64_t reads)
{
    struct storm storm;
    uint64_t read = 0, controlled = 0, done = 0;
    bool right = true;
    int status = -1;
    begin_storm(&storm, "storm");
    pid_t writer = start_writer(&storm);
    /* On until enough was read for all that: the writer may be off its processor half-way. */
    uint64_t enough = reads / 50;
    for (; right && (done < reads || read < enough || controlled < enough); done++) {
        struct error error = {""};
        right = read_once(storm.built.path, &read);
        int result = region_control(storm.built.path, (enum region_control)(done % 4), &error);
        controlled += result == 0;
        right = right && (result == 0 || one_line(error.text));
    }
    kill(writer, SIGKILL);
    waitpid(writer, &status, 0);
    printf("# %llu of %llu were read, %llu written to\n", (unsigned long long)read,
           (unsigned long long)done, (unsigned long long)controlled);
    tap(right, "every reading kept its promises");
    tap(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the writer wrote to the end");
    tap(peak_rss() < MEMORY_MOST, "and took little memory");
    printf("# FIGURE: readings of a region under hostile change %llu\n", (unsigned long long)done);
    close(storm.fd);
    free(storm.image);
    built_end(&storm.built);
}

int main(void)
{
    random_state = number_from("STORM_SEED", 20261127);
    printf("# seed %llu\n", (unsigned long long)random_state);
    alarm((unsigned)number_from("STORM_ALARM", 500)); /* a hang is a failure */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* only there does the touch of a hole cost memory */
    scratch_make();
    test_cut_between();
    test_cells_of_holes();
    test_shared_paths();
    test_shared_paths_saved();
    test_storm(number_from("STORM_READS", 4000));
    scratch_remove();
    return tap_end();
}
