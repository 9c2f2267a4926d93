/*
 * Counters: handing shards to threads and cells to contexts.
 */
#include "shim/counters.h"
#include "shim/region.h"
#include "shim/system.h"
#include "shim/text.h"

#define CHUNKS_MAX (TS_SLABS_MAX * TS_CHUNKS_PER_SLAB)

static struct shard *shards[TS_SHARDS_LIMIT]; /* by number; published by release */
static uint32_t active;
static char first_name[16]; /* of the program: a new thread inherits it from its creator */

/* Where struct pthread keeps the thread's id in glibc 2.11 to 2.41; believed if it is right for the
 * first thread. */
#define PTHREAD_TID_OFFSET 720

static uint32_t own_tid(void)
{
    static uint32_t where; /* 0 = not asked, 1 = in struct pthread, 2 = ask the kernel */
    const uint32_t *inside = (const uint32_t *)(machine_thread_pointer() + PTHREAD_TID_OFFSET);
    if (ts_load_relaxed(&where) == 0)
        ts_store_relaxed(&where, *inside == sys_gettid() ? 1u : 2u);
    return ts_load_relaxed(&where) == 1 ? *inside : sys_gettid();
}

void shard_set_name(struct shard *shard, const char *name)
{
    struct text text = text_in(shard->record->name, sizeof shard->record->name);
    text_add(&text, name);
}

static const char *program_name(void)
{
    if (first_name[0] == '\0') {
        const char *exe = region_header->process.exe, *name = exe;
        for (; *exe != '\0'; exe++)
            if (*exe == '/')
                name = exe + 1;
        struct text text = text_in(first_name, sizeof first_name);
        text_add(&text, name);
    }
    return first_name;
}

void shard_distrust(struct shard *shard)
{
    shard->frames.reusable = false;
    if (ts_load_relaxed(&python.on) == 0)
        return; /* leaves pages alone that nobody needs */
    outer_forget(&shard->python.outer);
    shard->python.found = NULL;
    shard->python.hashed = false;
    shard->python.frames.newest = NULL;
    shard->python.frames.count = 0;
    shard->python.path.before = 0;
}

/* It comes to another thread: nothing of what the last one knew of its stack holds. */
static void begin_use(struct shard *shard, struct thread *thread, uint32_t tid)
{
    shard->user = thread;
    ts_store_relaxed(&shard->inserting, 0);
    shard_distrust(shard);
    memo_forget(&shard->memo);
    ts_store_relaxed(&shard->record->owner, tid);
    shard->record->tid = tid;
    shard->record->threads += !thread->ended;
    shard_set_name(shard, program_name());
}

static bool claim(struct shard *shard, struct thread *thread, uint32_t tid)
{
    uint32_t nobody = 0;
    if (ts_load_relaxed(&shard->record->owner) != 0 ||
        !ts_cas_acq_rel(&shard->record->owner, &nobody, tid))
        return false;
    ts_store_relaxed(&shard->holder, thread);
    if (shard->user != thread || !thread->ended)
        begin_use(shard, thread, tid);
    ts_add_relaxed(&active, 1);
    return true;
}

/*
 * Whether the shard's owner is dead though it did not give it back: it lay where this thread lies,
 * which has none yet. Its end came when no key's destructor was called any more.
 */
static bool is_left_over(const struct shard *shard, const struct thread *thread)
{
    return ts_load_relaxed(&shard->holder) == thread && !thread->ended;
}

static struct shard *new_shard(struct thread *thread, uint32_t tid)
{
    uint32_t number = ts_load_relaxed(&region_header->shard_count);
    do {
        if (number >= TS_SHARDS_LIMIT)
            return NULL;
    } while (!ts_cas_acq_rel(&region_header->shard_count, &number, number + 1));
    struct ts_shard *record =
        region_record(TS_SLAB_SHARDS, number, TS_SHARDS_PER_SLAB, sizeof(struct ts_shard));
    struct shard *shard = record == NULL ? NULL : memory_map(sizeof *shard, false);
    if (shard == NULL)
        return NULL;
    shard->number = number;
    shard->record = record;
    shard->parts[0] = &shard->first;
    bool mine = claim(shard, thread, tid);
    ts_store_release(&shards[number], shard);
    return mine ? shard : NULL;
}

struct shard *shard_take(struct thread *thread)
{
    uint32_t tid = own_tid(), count = shards_count();
    if (thread->former != NULL && claim(thread->former, thread, tid))
        return thread->former;
    for (uint32_t i = 0; i < count; i++) {
        struct shard *shard = ts_load_acquire(&shards[i]);
        if (shard == NULL)
            continue;
        if (is_left_over(shard, thread)) {
            begin_use(shard, thread, tid);
            return shard;
        }
        if (claim(shard, thread, tid))
            return shard;
    }
    struct shard *shard = new_shard(thread, tid);
    if (shard == NULL)
        region_drop(TS_DROP_NO_SHARD);
    return shard;
}

void shard_give(struct shard *shard)
{
    ts_add_relaxed(&active, -1u);
    ts_store_relaxed(&shard->holder, NULL);
    ts_store_release(&shard->record->owner, 0); /* the next owner sees all that was written */
}

uint32_t shards_active(void)
{
    return ts_load_relaxed(&active);
}

uint32_t shards_count(void)
{
    uint32_t count = ts_load_acquire(&region_header->shard_count);
    return count < TS_SHARDS_LIMIT ? count : TS_SHARDS_LIMIT;
}

uint32_t shards_blocks(void)
{
    return (ts_load_acquire(&region_header->context_count) + TS_CHUNK_CELLS - 1) / TS_CHUNK_CELLS;
}

struct ts_cell *shard_chunk(uint32_t number, uint32_t block)
{
    const struct shard *shard = ts_load_acquire(&shards[number]);
    const struct shard_part *part =
        shard ? ts_load_acquire(&shard->parts[block >> SHARD_PART_BITS]) : NULL;
    return part ? ts_load_acquire(&part->chunks[block & ((1 << SHARD_PART_BITS) - 1)]) : NULL;
}

static void forget_chunk(struct ts_cell *chunk)
{
    for (uint32_t i = 0; i < TS_CHUNK_CELLS; i++) {
        uint64_t stamp = ts_load_relaxed(&chunk[i].stamp);
        if (!region_is_long_past(TS_CONTROL_GENERATION(stamp)) ||
            (ts_pair_load(&chunk[i].allocated).count | ts_pair_load(&chunk[i].freed).count) == 0)
            continue;
        uint32_t now = TS_CONTROL_GENERATION(ts_load_acquire(&region_header->control));
        uint64_t past = (now - REGION_GENERATIONS_KEPT) & 0x7fff;
        ts_cas_acq_rel(&chunk[i].stamp, &stamp, (stamp & ~(UINT64_C(0x7fff) << 48)) | past << 48);
    }
}

void shards_forget(void)
{
    uint32_t count = shards_count(), blocks = shards_blocks();
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t block = 0; block < blocks; block++) {
            struct ts_cell *chunk = shard_chunk(i, block);
            if (chunk != NULL)
                forget_chunk(chunk);
        }
    }
}

bool shards_any_inserting(void)
{
    uint32_t count = shards_count();
    for (uint32_t i = 0; i < count; i++) {
        const struct shard *shard = ts_load_acquire(&shards[i]);
        if (shard != NULL && ts_load_acquire(&shard->inserting))
            return true;
    }
    return false;
}

static void unmap_shard(struct shard *shard)
{
    for (uint32_t i = 0; i < SHARD_PARTS; i++)
        if (shard->parts[i] != NULL && shard->parts[i] != &shard->first)
            memory_unmap(shard->parts[i], sizeof *shard->parts[i]);
    memory_unmap(shard, sizeof *shard);
}

/* Forgotten before it is unmapped: another thread may fork in between, and its child begins again.
 */
void shards_forked(void)
{
    for (uint32_t i = 0; i < TS_SHARDS_LIMIT;
         i++) { /* one that was just being made may leave a hole */
        struct shard *shard = shards[i];
        ts_store_release(&shards[i], NULL);
        if (shard != NULL)
            unmap_shard(shard);
    }
    active = 0;
}

struct ts_cell *shard_add_chunk(struct shard *shard, uint32_t context)
{
    uint32_t block = context / TS_CHUNK_CELLS;
    struct shard_part **part = &shard->parts[block >> SHARD_PART_BITS];
    if (*part == NULL)
        ts_store_release(part, memory_map(sizeof **part, false));
    bool full = *part == NULL || ts_load_relaxed(&region_header->chunk_count) >= CHUNKS_MAX;
    uint32_t number = full ? 0 : ts_add_acq_rel(&region_header->chunk_count, 1);
    uint8_t *slab = full ? NULL : region_slab(TS_SLAB_CELLS, number / TS_CHUNKS_PER_SLAB);
    uint64_t *word = slab == NULL ? NULL
                                  : region_record(TS_SLAB_CELLMAP, number, TS_CELLMAP_PER_SLAB,
                                                  sizeof(uint64_t));
    if (word == NULL)
        return NULL;
    struct ts_cell *chunk = (struct ts_cell *)slab + number % TS_CHUNKS_PER_SLAB * TS_CHUNK_CELLS;
    ts_store_release(word, TS_CELLMAP_WORD(shard->number, block));
    ts_store_release(&(*part)->chunks[block & ((1 << SHARD_PART_BITS) - 1)], chunk);
    return chunk + context % TS_CHUNK_CELLS;
}

__attribute__((noinline)) void cell_refresh(struct ts_cell *cell, uint64_t control)
{
    struct ts_pair peak = {cell->allocated.count - cell->freed.count,
                           cell->allocated.size - cell->freed.size};
    if (TS_CONTROL_GENERATION(ts_load_relaxed(&cell->stamp)) != TS_CONTROL_GENERATION(control)) {
        const struct ts_pair zero = {0, 0};
        peak = zero;
        ts_pair_store(&cell->allocated, zero);
        ts_pair_store(&cell->freed, zero);
        ts_store_relaxed(&cell->temporary, 0);
    }
    ts_pair_store(&cell->peak, peak);
    ts_store_release(&cell->stamp, control);
}

/* Stored so that a signal handler that takes a longjmp out of here leaves nothing half made. */
const struct class_cell *shard_find_class(struct shard *shard, uint32_t class)
{
    struct class_cell *known = &shard->class_cells[class % CLASS_CELLS];
    struct block block = shadow_unpack(classes_get(class));
    struct ts_cell *cell = shard_cell(shard, block.context);
    if (cell == NULL)
        return NULL;
    ts_store_release(&known->class, 0);
    ts_store_release(&known->cell, cell);
    ts_store_release(&known->size, (uint32_t)block.size);
    ts_store_release(&known->class, class);
    return known;
}
