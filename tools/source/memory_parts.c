/*
 * The parts of a live process's resident memory, from one pass over its smaps: what the kernel
 * counts for each map, added up by what the map is. The process is not stopped; it may wait a
 * moment where it maps memory itself just then.
 *
 * What no name tells is told by marks. A thread's stack lies behind a guard page (pthread_create).
 * The shim's private tables are mapped without reserve and without huge pages (shim/memory.c), or
 * from 2 MiB on with them: few programs do that, and no more is taken for the shim's than it says
 * it has mapped.
 */
#include "tools/source/reader.h"
#include "tools/source/source.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD_MAX (UINT64_C(64) << 10)
#define HUGE_PAGE (UINT64_C(2) << 20)
#define TMPFS_MAX 64

enum kind { KIND_HEAP, KIND_STACK, KIND_MAPPED, KIND_FILE, KIND_SHARED, KIND_REGION };

struct map {
    uint64_t start, end;
    enum kind kind;
    bool unnamed; /* private anonymous memory of which no name says what it is */
    bool closed;  /* nothing may be done there: a guard */
    uint64_t rss, pss, private, anonymous, swap, hugetlb;
    bool no_reserve, no_huge, huge;
};

struct reading {
    const struct capture_process *process;
    unsigned tmpfs[TMPFS_MAX][2]; /* device numbers, major and minor */
    size_t tmpfs_count;
    struct map map;       /* the one whose lines are read */
    uint64_t guard_end;   /* where the guard just before it ended; 0 = there was none */
    uint64_t *memory;
};

/* Shared memory looks like a file; what it is its file system says. */
static void find_tmpfs(struct reading *reading, uint32_t pid)
{
    char *mounts = proc_read(pid, "mountinfo", NULL);
    for (char *line = mounts; line != NULL && *line != '\0';) {
        char *end = strchrnul(line, '\n');
        char *next = *end != '\0' ? end + 1 : end;
        *end = '\0';
        char *type = strstr(line, " - ");
        unsigned *device = reading->tmpfs[reading->tmpfs_count];
        if (type != NULL && strncmp(type + 3, "tmpfs ", 6) == 0 &&
            sscanf(line, "%*u %*u %u:%u", &device[0], &device[1]) == 2 &&
            reading->tmpfs_count < TMPFS_MAX - 1)
            reading->tmpfs_count++;
        line = next;
    }
    free(mounts);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_shared_memory(const struct reading *reading, const char *path, unsigned major,
                             unsigned minor)
{
    for (size_t i = 0; i < reading->tmpfs_count; i++)
        if (reading->tmpfs[i][0] == major && reading->tmpfs[i][1] == minor)
            return true;
    return begins(path, "/memfd:") || begins(path, "/SYSV") || begins(path, "/dev/shm/") ||
           strcmp(path, "/dev/zero (deleted)") == 0;
}

static bool is_region(const struct capture_process *process, const char *path)
{
    char file[64];
    struct region_name name;
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return false;
    size_t length = strcspn(slash + 1, " ");
    if (length >= sizeof(file))
        return false;
    memcpy(file, slash + 1, length);
    file[length] = '\0';
    return region_name_parse(file, &name) && name.pid == process->pid &&
           name.start_ticks == process->start_ticks && name.sequence == process->sequence;
}

/* "7f24a4a20000-7f24a4a4b000 rw-p 00000000 fe:00 332835                    /usr/lib/libc.so.6" */
static void begin_map(struct reading *reading, char *line)
{
    struct map *map = &reading->map;
    char rights[5] = "";
    unsigned major = 0, minor = 0;
    int at = 0;
    *map = (struct map){.kind = KIND_FILE};
    line[strcspn(line, "\n")] = '\0';
    sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %x:%x %*u %n", &map->start, &map->end, rights,
           &major, &minor, &at);
    const char *path = line + at;
    map->closed = begins(rights, "---");
    map->unnamed = *path == '\0' && rights[3] == 'p';
    if (strcmp(path, "[heap]") == 0)
        map->kind = KIND_HEAP;
    else if (strcmp(path, "[stack]") == 0 || begins(path, "[anon: glibc: pthread stack"))
        map->kind = KIND_STACK;
    else if (map->unnamed || begins(path, "[anon:"))
        map->kind = KIND_MAPPED;
    else if (is_region(reading->process, path))
        map->kind = KIND_REGION;
    else if (is_shared_memory(reading, path, major, minor))
        map->kind = KIND_SHARED;
}

static void read_flags(struct map *map, const char *flags)
{
    map->no_reserve = strstr(flags, " nr") != NULL;
    map->no_huge = strstr(flags, " nh") != NULL;
    map->huge = strstr(flags, " hg") != NULL;
}

/* "Private_Dirty:       1160 kB" */
static void read_field(struct map *map, const char *line)
{
    const struct {
        const char *name;
        uint64_t *sum;
    } fields[] = {
        {"Rss:", &map->rss},
        {"Pss:", &map->pss},
        {"Private_Clean:", &map->private},
        {"Private_Dirty:", &map->private},
        {"Anonymous:", &map->anonymous},
        {"Swap:", &map->swap},
        {"Shared_Hugetlb:", &map->hugetlb},
        {"Private_Hugetlb:", &map->hugetlb},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (begins(line, fields[i].name)) {
            *fields[i].sum += strtoull(line + strlen(fields[i].name), NULL, 10) * 1024;
            return;
        }
    if (begins(line, "VmFlags:"))
        read_flags(map, line + strlen("VmFlags:"));
}

static bool is_of_shim(const struct map *map)
{
    return map->unnamed && map->no_reserve &&
           (map->no_huge || (map->huge && (map->end - map->start) % HUGE_PAGE == 0));
}

static enum ts_memory part_of_anonymous(const struct reading *reading, const struct map *map)
{
    switch (map->kind) {
    case KIND_HEAP:
        return TS_MEMORY_HEAP;
    case KIND_STACK:
        return TS_MEMORY_STACKS;
    case KIND_MAPPED:
        if (is_of_shim(map))
            return TS_MEMORY_TRACER_TABLES;
        return map->unnamed && !map->no_reserve && reading->guard_end == map->start
                   ? TS_MEMORY_STACKS
                   : TS_MEMORY_MAPPED;
    default:
        return TS_MEMORY_DATA;
    }
}

static void end_map(struct reading *reading)
{
    const struct map *map = &reading->map;
    uint64_t *memory = reading->memory;
    uint64_t anonymous = map->anonymous < map->rss ? map->anonymous : map->rss;
    memory[TS_MEMORY_RSS] += map->rss;
    memory[TS_MEMORY_PSS] += map->pss;
    memory[TS_MEMORY_USS] += map->private;
    memory[TS_MEMORY_SWAP] += map->swap;
    memory[TS_MEMORY_HUGETLB] += map->hugetlb;
    memory[TS_MEMORY_ANONYMOUS] += anonymous;
    memory[part_of_anonymous(reading, map)] += anonymous;
    enum ts_memory rest = map->kind == KIND_SHARED   ? TS_MEMORY_SHARED
                          : map->kind == KIND_REGION ? TS_MEMORY_TRACER_REGION
                                                     : TS_MEMORY_FILE;
    memory[rest] += map->rss - anonymous;
    bool guard = map->closed && map->unnamed && map->end - map->start <= GUARD_MAX;
    reading->guard_end = guard ? map->end : 0;
}

static bool read_maps(struct reading *reading, FILE *file)
{
    char *line = NULL;
    size_t room = 0;
    bool begun = false;
    while (getline(&line, &room, file) > 0) {
        if (isupper((unsigned char)line[0])) {
            if (begun)
                read_field(&reading->map, line);
            continue;
        }
        if (begun)
            end_map(reading);
        begin_map(reading, line);
        begun = true;
    }
    if (begun)
        end_map(reading);
    free(line);
    return !ferror(file) && reading->memory[TS_MEMORY_RSS] != 0;
}

bool memory_is_sound(const uint64_t memory[TS_MEMORY_COUNT])
{
    for (int i = 0; i < TS_MEMORY_COUNT; i++)
        if (memory[i] > INT64_MAX / TS_MEMORY_COUNT) /* so that no sum can overflow */
            return false;
    return memory[TS_MEMORY_RSS] == memory[TS_MEMORY_ANONYMOUS] + memory[TS_MEMORY_FILE] +
                                        memory[TS_MEMORY_SHARED] +
                                        memory[TS_MEMORY_TRACER_REGION] &&
           memory[TS_MEMORY_ANONYMOUS] == memory[TS_MEMORY_HEAP] + memory[TS_MEMORY_STACKS] +
                                              memory[TS_MEMORY_MAPPED] + memory[TS_MEMORY_DATA] +
                                              memory[TS_MEMORY_TRACER_TABLES];
}

void source_read_memory(struct capture *capture)
{
    char path[64];
    uint64_t memory[TS_MEMORY_COUNT] = {0}, shim = capture->gauges[TS_GAUGE_PRIVATE];
    struct reading reading = {.process = &capture->process, .memory = memory};
    if (capture->process.pid_here == 0)
        return;
    snprintf(path, sizeof(path), "/proc/%u/smaps", capture->process.pid_here);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    setvbuf(file, NULL, _IOFBF, 64 << 10); /* else it is read by the KiB */
    find_tmpfs(&reading, capture->process.pid_here);
    bool complete = read_maps(&reading, file);
    fclose(file);
    if (memory[TS_MEMORY_TRACER_TABLES] > shim) {
        memory[TS_MEMORY_MAPPED] += memory[TS_MEMORY_TRACER_TABLES] - shim;
        memory[TS_MEMORY_TRACER_TABLES] = shim;
    }
    if (complete && memory_is_sound(memory))
        memcpy(capture->memory, memory, sizeof(capture->memory));
}
