/*
 * Files that mean harm: thousands of changed and cut regions and snapshots, and regions that change
 * while they are read. Whatever comes out must keep capture.h's promises, and survive reports and a
 * round trip. The seed is printed; HOSTILE_SEED and HOSTILE_ROUNDS choose others.
 */
#include "region/snapshot.h"
#include "tests/unit/reader_build.h"
#include "tests/unit/reader_promises.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint64_t random_below(uint64_t limit)
{
    return random_next() % limit;
}

/* A capture, however it came about, can be saved and read again. */
static bool survives_saving(const struct capture *capture)
{
    struct error error = {""};
    if (snapshot_write(capture, scratch_path("saved.tsnap"), &error) != 0)
        return false;
    struct capture *copy = source_open(scratch_path("saved.tsnap"), &error);
    bool right = copy != NULL && memcmp(&copy->totals, &capture->totals, sizeof(copy->totals)) == 0;
    if (copy == NULL)
        printf("# %s\n", error.text);
    capture_free(copy);
    return right;
}

/* ------------------------------------------------------------------ changed files */

struct image {
    unsigned char *bytes;
    size_t size;
    size_t spans[12][2]; /* where something stands that is worth changing */
    size_t span_count;
};

static void image_load(struct image *image, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &status) != 0)
        abort();
    image->size = (size_t)status.st_size;
    image->bytes = malloc(image->size);
    if (image->bytes == NULL || read(fd, image->bytes, image->size) != (ssize_t)image->size)
        abort();
    close(fd);
}

static void store(const char *path, const unsigned char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort();
    close(fd);
}

/* One change: a bit, a byte, a word of a telling value, or a piece copied from elsewhere. */
static void change(unsigned char *bytes, size_t from, size_t length)
{
    static const uint64_t telling[] = {0,
                                       1,
                                       2,
                                       63,
                                       64,
                                       255,
                                       4096,
                                       16384,
                                       65535,
                                       65536,
                                       0x7fffffff,
                                       0xffffffff,
                                       UINT64_MAX,
                                       (uint64_t)INT64_MAX,
                                       UINT64_C(1) << 63};
    size_t at = from + random_below(length);
    uint64_t word = telling[random_below(sizeof(telling) / sizeof(telling[0]))];
    switch (random_below(4)) {
    case 0:
        bytes[at] ^= (unsigned char)(1u << random_below(8));
        break;
    case 1:
        bytes[at] = (unsigned char)random_next();
        break;
    case 2:
        at = from + (at - from) / 4 * 4;
        memcpy(bytes + at, &word, length - (at - from) >= 8 && random_below(2) ? 8 : 4);
        break;
    default:
        if (length > 64)
            memmove(bytes + from + random_below(length - 32) / 8 * 8,
                    bytes + from + random_below(length - 32) / 8 * 8, 32);
    }
}

static bool round_is_survived(const struct image *image, const char *path, unsigned *read_anyway)
{
    unsigned char *bytes = malloc(image->size);
    if (bytes == NULL)
        abort();
    memcpy(bytes, image->bytes, image->size);
    size_t size = random_below(10) == 0 ? random_below(image->size) : image->size;
    for (uint64_t i = 1 + random_below(8); i > 0; i--) {
        const size_t *span = image->spans[random_below(image->span_count)];
        change(bytes, span[0], span[1]);
    }
    store(path, bytes, size);
    free(bytes);
    struct error error = {""};
    struct capture *capture = source_open(path, &error);
    if (capture == NULL)
        return error.text[0] != '\0' && strchr(error.text, '\n') == NULL;
    ++*read_anyway;
    bool right = keeps_promises(capture) && survives_saving(capture);
    capture_free(capture);
    return right;
}

static void test_changes(const struct image *image, const char *name, unsigned rounds)
{
    unsigned read_anyway = 0, round = 0;
    while (round < rounds && round_is_survived(image, scratch_path("changed"), &read_anyway))
        round++;
    printf("# %s: %u of %u rounds, %u of them were read\n", name, round, rounds, read_anyway);
    tap(round == rounds, name);
    tap(read_anyway > rounds / 20, "enough of them were read all the same");
}

static void test_region_changes(unsigned rounds)
{
    struct built built;
    struct image image = {0};
    built_sample(&built, "sample");
    image_load(&image, built.path);
    size_t spans[][2] = {{8, 320},
                         {TS_SLAB_TABLE_OFFSET, 4 * (built.slabs + 2)},
                         {TS_SLABS_OFFSET, 256},
                         {64, sizeof(struct ts_header) - 64},
                         {0, 0}};
    static const enum ts_slab_kind kinds[] = {TS_SLAB_CELLMAP, TS_SLAB_CELLS,   TS_SLAB_MODULES,
                                              TS_SLAB_CODES,   TS_SLAB_STRINGS, TS_SLAB_TABLES};
    memcpy(image.spans, spans, sizeof(spans));
    for (size_t i = 0; i < 6; i++) {
        image.spans[4 + i][0] =
            (size_t)((unsigned char *)built_slab(&built, kinds[i], 0) - built.map);
        image.spans[4 + i][1] = 512;
    }
    image.span_count = 10;
    test_changes(&image, "changed regions", rounds);
    free(image.bytes);
    built_end(&built);
}

static void test_snapshot_changes(unsigned rounds)
{
    struct built built;
    struct image image = {0};
    struct error error = {""};
    built_sample(&built, "sample");
    struct capture *capture = source_open(built.path, &error);
    snapshot_write(capture, scratch_path("sample.tsnap"), &error);
    capture_free(capture);
    built_end(&built);
    image_load(&image, scratch_path("sample.tsnap"));
    size_t header = sizeof(struct ts_snapshot_header);
    size_t sections = offsetof(struct ts_snapshot_header, sections);
    size_t spans[][2] = {{8, header - 8}, {sections, 8 * 24}, {header, image.size - header}};
    memcpy(image.spans, spans, sizeof(spans));
    image.span_count = 3;
    test_changes(&image, "changed snapshots", rounds);
    free(image.bytes);
}

/* ------------------------------------------------------------------ files that change meanwhile */

struct meddler {
    struct built *built;
    int fd;
    bool cut; /* changes the length instead of the content */
    unsigned stop;
};

static void *meddle(void *argument)
{
    struct meddler *meddler = argument;
    uint64_t state = 88172645463325252u;
    while (!ts_load_acquire(&meddler->stop)) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        if (meddler->cut) {
            size_t keep = state % meddler->built->size;
            if (ftruncate(meddler->fd, (off_t)keep) != 0 ||
                ftruncate(meddler->fd, (off_t)meddler->built->size) != 0 ||
                pwrite(meddler->fd, meddler->built->map, 0, 0) != 0)
                abort();
        } else {
            size_t at = TS_SLAB_TABLE_OFFSET + state % 100;
            if (state % 3 != 0)
                at = TS_SLABS_OFFSET +
                     (state >> 8) % (meddler->built->slabs * TS_SLAB_SIZE) / 64 * 64 + state % 8;
            ((volatile unsigned char *)meddler->built->map)[at] = (unsigned char)(state >> 40);
        }
    }
    return NULL;
}

static void test_meddling(bool cut, const char *name)
{
    struct built built;
    struct meddler meddler = {.built = &built, .cut = cut};
    struct image image = {0};
    pthread_t thread;
    bool right = true;
    built_sample(&built, "meddled");
    image_load(&image, built.path);
    meddler.fd = open(built.path, O_RDWR);
    pthread_create(&thread, NULL, meddle, &meddler);
    for (int i = 0; i < 200 && right; i++) {
        struct error error = {""};
        struct capture *capture = source_open(built.path, &error);
        right = capture != NULL ? keeps_promises(capture) : error.text[0] != '\0';
        capture_free(capture);
        if (pwrite(meddler.fd, image.bytes, image.size, 0) < 0)
            abort();
    }
    ts_store_release(&meddler.stop, 1u);
    pthread_join(thread, NULL);
    tap(right, name);
    close(meddler.fd);
    built_end(&built);
    free(image.bytes);
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text != NULL && *text != '\0' ? strtoull(text, NULL, 0) : otherwise;
}

int main(void)
{
    random_state = number_from("HOSTILE_SEED", 20260711);
    unsigned rounds = (unsigned)number_from("HOSTILE_ROUNDS", 2000);
    printf("# seed %llu\n", (unsigned long long)random_state);
    alarm(500); /* a hang is a failure, not a long test */
    scratch_make();
    test_region_changes(rounds);
    test_snapshot_changes(rounds);
    test_meddling(false, "a region that changes while it is read");
    test_meddling(true, "a region that is cut while it is read");
    scratch_remove();
    return tap_end();
}
