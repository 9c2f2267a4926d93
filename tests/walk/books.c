/*
 * The program's own books: how often it allocated, by the stacks that its shadow knows, and what is
 * alive. walk.py compares them with the contexts that the tracer recorded.
 *
 * A line for each context: allocated count, allocated size, count, size, innermost function, its
 * callers' addresses (in the program: hexadecimal offset; FILE+offset in a plug-in; "generated"; a
 * question mark before what only tells where all knowledge ends), and the function that is the
 * root, after '='.
 */
#include "worker.h"
#include "include/tracesnap.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ENTRIES (1u << 17)
#define FRAMES (1u << 24)
#define PEAK (1u << 18) /* bytes; more than all blocks have */

enum { IN_PROGRAM, IN_LIBRARY, IN_GENERATED };
#define PLACE_SHIFT 56
#define OFFSET_MASK ((UINT64_C(1) << PLACE_SHIFT) - 1)

extern char __executable_start[], _end[];
extern char __start_bare_code[], __stop_bare_code[];
#define DECLARE(name) node name;
BARE_NODES(DECLARE)
#define BARE_NODE_SIZE 48 /* asm.S aligns them so */

static void *reserve(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED)
        abort();
    return p;
}

void books_start(struct worker *worker)
{
    worker->entries = reserve(ENTRIES * sizeof *worker->entries);
    worker->frames = reserve(FRAMES * sizeof *worker->frames);
}

/* What is recorded of an address; 0: not the tree's own. Libraries lie elsewhere in each run. */
static uint64_t frame_of(const struct worker *worker, uintptr_t address)
{
    if (address - (uintptr_t)__executable_start < (uintptr_t)(_end - __executable_start))
        return address - (uintptr_t)__executable_start;
    if (address - worker->library_low < worker->library_high - worker->library_low)
        return (uint64_t)IN_LIBRARY << PLACE_SHIFT | (uint64_t)worker->library_which << 48 |
               (address - worker->library_low);
    if (address - (uintptr_t)worker->code < GENERATED * CODE_STEP)
        return (uint64_t)IN_GENERATED << PLACE_SHIFT;
    return 0;
}

static bool same(const struct worker *worker, const struct entry *entry, const char *where,
                 const uint64_t *frames, uint32_t count)
{
    return entry->where == where && entry->count == count &&
           memcmp(worker->frames + entry->first, frames, count * sizeof *frames) == 0;
}

struct entry *books_allocated(struct strand *s, const char *where, size_t size)
{
    struct worker *worker = s->worker;
    uint64_t *frames = worker->frames + worker->frame_count, hash = (uintptr_t)where;
    uint32_t count = 0;
    for (long i = s->depth - 1; i >= 0; i--) {
        uint64_t frame = frame_of(worker, s->shadow[i]);
        if (frame == 0)
            continue;
        frames[count++] = frame;
        hash += frame;
        hash = random_next(&hash);
    }
    uint32_t at = (uint32_t)(hash % ENTRIES);
    struct entry *entry = &worker->entries[at];
    while (entry->hash != 0 &&
           !(entry->hash == (hash | 1) && same(worker, entry, where, frames, count)))
        entry = &worker->entries[++at % ENTRIES];
    if (entry->hash == 0) {
        *entry = (struct entry){hash | 1, where, s->root, worker->frame_count, count, 0, 0, 0, 0};
        worker->frame_count += count;
        if (worker->frame_count + SHADOW_MAX > FRAMES)
            abort();
    }
    entry->allocated_count++;
    entry->allocated_size += size;
    entry->live_count++;
    entry->live_size += size;
    return entry;
}

/* What comes then is no new peak, which would make all slow for a while. Libc's, not the tree's. */
static void make_peak(void)
{
    static char text[PEAK];
    memset(text, 'x', sizeof text - 1);
    free(strdup(text));
}

/* For a program of one worker. */
void books_clear(struct worker *worker)
{
    if (tracesnap_clear_traces() != 0)
        return; /* not traced */
    for (uint32_t at = 0; at < ENTRIES; at++) {
        struct entry *entry = &worker->entries[at];
        if (entry->hash != 0)
            entry->allocated_count = entry->allocated_size = entry->live_count = entry->live_size =
                0;
    }
    for (int i = 0; i < BLOCKS; i++)
        worker->blocks[i].entry = NULL;
    make_peak();
}

static bool is_bare(uint64_t frame)
{
#define START(name) (uintptr_t) name,
    static const uintptr_t starts[] = {BARE_NODES(START)};
    uintptr_t address = (uintptr_t)__executable_start + frame;
    if (frame >> PLACE_SHIFT != IN_PROGRAM)
        return false;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (address - starts[i] < BARE_NODE_SIZE)
            return true;
    return address >= (uintptr_t)__start_bare_code && address < (uintptr_t)__stop_bare_code;
}

static void write_frame(FILE *file, const struct worker *worker, uint64_t frame)
{
    uint64_t offset = frame & OFFSET_MASK;
    if (frame >> PLACE_SHIFT == IN_LIBRARY)
        fprintf(file, " plugin-%d-%d.so+%lx", worker->number, (int)(offset >> 48 & 1),
                offset & 0xffffffff);
    else if (frame >> PLACE_SHIFT == IN_GENERATED)
        fputs(" generated", file);
    else
        fprintf(file, " %s%lx", is_bare(frame) ? "?" : "", offset);
}

void books_write(int fd, const struct worker *worker)
{
    FILE *file = fdopen(dup(fd), "w");
    for (uint32_t at = 0; file != NULL && at < ENTRIES; at++) {
        const struct entry *entry = &worker->entries[at];
        if (entry->allocated_count == 0)
            continue;
        fprintf(file, "%lu %lu %lu %lu %s", entry->allocated_count, entry->allocated_size,
                entry->live_count, entry->live_size, entry->where);
        for (uint32_t i = 0; i < entry->count; i++)
            write_frame(file, worker, worker->frames[entry->first + i]);
        fprintf(file, " =%s\n", entry->root);
    }
    if (file == NULL || fclose(file) != 0)
        abort();
}
