/*
 * Regions built by hand, for the tests of the readers.
 */
#include "tests/unit/reader_build.h"

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLABS 40u

char scratch[PATH_MAX];
int tap_count, tap_failed;

void scratch_make(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(scratch, sizeof(scratch), "%s/tracesnap-test-XXXXXX",
             base != NULL && *base ? base : "/tmp");
    if (mkdtemp(scratch) == NULL) {
        printf("Bail out! cannot make %s\n", scratch);
        exit(99);
    }
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

void scratch_remove(void)
{
    nftw(scratch, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(const char *name)
{
    static char paths[8][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 8];
    if (snprintf(path, PATH_MAX, "%s/%s", scratch, name) >= PATH_MAX)
        abort();
    return path;
}

struct ts_header *built_header(struct built *built)
{
    return (struct ts_header *)built->map;
}

void built_begin(struct built *built, const char *name)
{
    *built = (struct built){.size = TS_SLABS_OFFSET + SLABS * TS_SLAB_SIZE};
    snprintf(built->path, sizeof(built->path), "%s", scratch_path(name));
    int fd = open(built->path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)built->size) != 0)
        abort();
    built->map = mmap(NULL, built->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (built->map == MAP_FAILED)
        abort();
    struct ts_header *header = built_header(built);
    memcpy(header->magic, TS_REGION_MAGIC, sizeof(header->magic));
    header->version = TS_REGION_VERSION;
    header->byte_order = TS_BYTE_ORDER;
    header->header_size = sizeof(*header);
    header->slab_size = TS_SLAB_SIZE;
    header->slabs_max = TS_SLABS_MAX;
    header->ready = 1;
    header->process.pid = INT32_MAX; /* beyond every pid_max: never alive */
    header->process.start_ticks = 12345;
    strcpy(header->process.exe, "/usr/bin/program");
    built_add_node(built, 1, ts_key(TS_FRAME_MARK, 0, TS_MARK_CATCH_ALL), 0);
    built_add_context(built, 1, 1);
}

void built_end(struct built *built)
{
    munmap(built->map, built->size);
    built->map = NULL;
}

void *built_slab(struct built *built, enum ts_slab_kind kind, uint32_t ordinal)
{
    uint32_t *table = (uint32_t *)(built->map + TS_SLAB_TABLE_OFFSET);
    uint32_t i = 0;
    while (i < built->slabs && table[i] != TS_SLAB_WORD(kind, ordinal))
        i++;
    if (i == SLABS)
        abort();
    if (i == built->slabs) {
        table[i] = TS_SLAB_WORD(kind, ordinal);
        built->slabs = i + 1;
        built_header(built)->slab_count = i + 1;
    }
    return built->map + TS_SLABS_OFFSET + (size_t)i * TS_SLAB_SIZE;
}

struct ts_node *built_node(struct built *built, uint32_t number)
{
    struct ts_node *nodes = built_slab(built, TS_SLAB_NODES, number / TS_NODES_PER_SLAB);
    return &nodes[number % TS_NODES_PER_SLAB];
}

struct ts_context *built_context(struct built *built, uint32_t number)
{
    struct ts_context *contexts =
        built_slab(built, TS_SLAB_CONTEXTS, number / TS_CONTEXTS_PER_SLAB);
    return &contexts[number % TS_CONTEXTS_PER_SLAB];
}

struct ts_module *built_module(struct built *built, uint32_t number)
{
    struct ts_module *modules = built_slab(built, TS_SLAB_MODULES, number / TS_MODULES_PER_SLAB);
    return &modules[number % TS_MODULES_PER_SLAB];
}

struct ts_code *built_code(struct built *built, uint32_t number)
{
    struct ts_code *codes = built_slab(built, TS_SLAB_CODES, number / TS_CODES_PER_SLAB);
    return &codes[number % TS_CODES_PER_SLAB];
}

void built_add_node(struct built *built, uint32_t number, uint64_t key, uint32_t parent)
{
    *built_node(built, number) = (struct ts_node){.key = key, .parent = parent};
}

void built_add_context(struct built *built, uint32_t number, uint32_t node)
{
    built_context(built, number)->node = node;
}

static uint32_t add_string(struct built *built, const char *text)
{
    char *strings = built_slab(built, TS_SLAB_STRINGS, 0);
    uint32_t at = built->string_offset;
    memcpy(strings + at, text, strlen(text));
    built->string_offset += (uint32_t)strlen(text);
    return at;
}

void built_add_module(struct built *built, uint32_t number, const char *path)
{
    struct ts_module *module = built_module(built, number);
    *module = (struct ts_module){.base = 0x10000u * (number + 1),
                                 .size = 0x8000,
                                 .state = 1,
                                 .build_id_size = 4,
                                 .build_id = {1, 2, 3, (uint8_t)number},
                                 .path_offset = add_string(built, path),
                                 .path_size = (uint32_t)strlen(path)};
}

void built_add_code(struct built *built, uint32_t number, const char *file, const char *name,
                    uint32_t first_line, const void *table, uint32_t table_size)
{
    const uint8_t *bytes = table;
    struct ts_code code = {.state = 1,
                           .first_line = first_line,
                           .table_kind = TS_LINES_LOCATIONS,
                           .table_size = table_size,
                           .table_at = built->table_offset,
                           .file_size = (uint32_t)strlen(file),
                           .name_size = (uint32_t)strlen(name)};
    code.file_offset = add_string(built, file);
    code.name_offset = add_string(built, name);
    for (uint32_t i = 0; i < table_size; i++, built->table_offset++) {
        uint32_t ordinal = built->table_offset / TS_SLAB_SIZE;
        uint8_t *tables = built_slab(built, TS_SLAB_TABLES, ordinal);
        tables[built->table_offset % TS_SLAB_SIZE] = bytes[i];
    }
    *built_code(built, number) = code;
}

struct ts_cell *built_cell(struct built *built, uint32_t shard, uint32_t context)
{
    uint64_t *words = built_slab(built, TS_SLAB_CELLMAP, 0);
    uint64_t word = TS_CELLMAP_WORD(shard, context / TS_CHUNK_CELLS);
    uint32_t chunk = 0;
    while (chunk < built->chunks && words[chunk] != word)
        chunk++;
    if (chunk == built->chunks) {
        words[chunk] = word;
        built->chunks = chunk + 1;
    }
    struct ts_cell *cells = built_slab(built, TS_SLAB_CELLS, chunk / TS_CHUNKS_PER_SLAB);
    return &cells[chunk % TS_CHUNKS_PER_SLAB * TS_CHUNK_CELLS + context % TS_CHUNK_CELLS];
}

void built_count(struct built *built, uint32_t shard, uint32_t context, struct ts_pair allocated,
                 struct ts_pair freed)
{
    struct ts_cell *cell = built_cell(built, shard, context);
    cell->allocated = allocated;
    cell->freed = freed;
    cell->stamp = built_header(built)->control & ~TS_CONTROL_PAUSED;
}

static void fill_process(struct ts_process *process)
{
    process->parent_pid = 17;
    process->uid = 1000;
    process->start_time = 1700000000000000000u;
    process->end_time = 1700000009000000000u;
    process->state = TS_STATE_EXITED;
    process->depth = 256;
    process->sample = 524288;
    strcpy(process->boot_id, "11111111-2222-3333-4444-555555555555");
    strcpy(process->session, "session-1");
    strcpy(process->version, "0.1.0");
    strcpy(process->host, "host");
    strcpy(process->cmdline, "program --with\nnewline");
    strcpy(process->options, "depth=256");
}

/* Two functions of one file, called by native code, one after the other. */
static void add_python(struct built *built)
{
    static const uint8_t one[] = {0xd8, 0x00, 0xe1, 0x05}, two[] = {0xeb, 0x02};
    struct ts_process *process = &built_header(built)->process;
    process->python = TS_PYTHON_TRACED;
    process->python_version = 0x030b02f0;
    process->interpreter.time = 1234;
    process->interpreter.generations[2].count = 7;
    built_add_code(built, 1, "/home/me/program.py", "main", 10, one, sizeof(one));
    built_add_code(built, 2, "/home/me/library.py", "Class.method", 20, two, sizeof(two));
    built_add_node(built, 6, ts_key_python(1, 4), 2);
    built_add_node(built, 7, ts_key_python(2, 0), 6);
    built_add_node(built, 8, ts_key(TS_FRAME_NATIVE, 1, 0x4000), 7);
    built_add_context(built, 5, 8);
    built_context(built, 5)->domain = TS_DOMAIN_OBJ;
    built_count(built, 1, 5, (struct ts_pair){3, 63}, (struct ts_pair){0, 0});
}

void built_sample(struct built *built, const char *name)
{
    built_begin(built, name);
    struct ts_header *header = built_header(built);
    fill_process(&header->process);
    built_add_module(built, 0, "/usr/bin/program");
    built_add_module(built, 1, "/usr/lib/libx.so.1");
    built_add_node(built, 2, ts_key(TS_FRAME_NATIVE, 0, 0x1000), 0);
    built_add_node(built, 3, ts_key(TS_FRAME_NATIVE, 0, 0x2000), 2);
    built_add_node(built, 4, ts_key(TS_FRAME_NATIVE, 1, 0x3000), 2);
    built_add_node(built, 5, ts_key(TS_FRAME_UNKNOWN, 0, 0x7f), 4);
    built_add_context(built, 2, 3);
    built_add_context(built, 3, 4);
    built_add_context(built, 4, 5);
    header->control = 1; /* one peak */
    built_count(built, 0, 2, (struct ts_pair){10, 1000}, (struct ts_pair){4, 400});
    built_cell(built, 0, 2)->peak = (struct ts_pair){8, 800};
    built_cell(built, 0, 2)->temporary = 3;
    built_count(built, 1, 3, (struct ts_pair){5, 50}, (struct ts_pair){0, 0});
    built_count(built, 1, 4, (struct ts_pair){2, 64}, (struct ts_pair){2, 64});
    struct ts_shard *shards = built_slab(built, TS_SLAB_SHARDS, 0);
    shards[0] = (struct ts_shard){.owner = 42, .tid = 42, .name = "main", .threads = 1};
    shards[1] = (struct ts_shard){.owner = 0, .tid = 43, .name = "sixteen-letters!", .threads = 2};
    struct ts_moment *moments = built_slab(built, TS_SLAB_TIMELINE, 0);
    for (uint64_t i = 0; i < 4; i++)
        moments[i] = (struct ts_moment){(i + 1) * 1000, i * 100, i, i * 4096};
    moments[4].time = 2500; /* out of order: left over */
    add_python(built);
    header->drops[TS_DROP_NO_UNWIND] = 7;
    header->gauges[TS_GAUGE_RULES] = 9;
}

uint64_t live_size(const struct capture_values *values)
{
    return values->allocated_size - values->freed_size;
}

const struct capture_context *context_of_key(const struct capture *capture, uint64_t key)
{
    for (uint32_t i = 0; i < capture->context_count; i++)
        if (capture->nodes[capture->contexts[i].node].key == key)
            return &capture->contexts[i];
    return NULL;
}

void tap(bool passed, const char *name)
{
    tap_failed += !passed;
    printf("%s %d - %s\n", passed ? "ok" : "not ok", ++tap_count, name);
}

void tap_number(uint64_t found, uint64_t expected, const char *name)
{
    tap(found == expected, name);
    if (found != expected)
        printf("# found %" PRIu64 ", expected %" PRIu64 "\n", found, expected);
}

void tap_text(const char *found, const char *expected, const char *name)
{
    tap(strcmp(found, expected) == 0, name);
    if (strcmp(found, expected) != 0)
        printf("# found    %s\n# expected %s\n", found, expected);
}

int tap_end(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed != 0;
}
