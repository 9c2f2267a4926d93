/*
 * Code objects by address. A few open-addressed tables, each twice as large as the one before, in
 * which an address once filed keeps its slot; nothing moves, so nobody has to wait. A slot's number
 * is 0 while no object that we know is there.
 */
#include "shim/python_codes.h"
#include "region/hash.h"
#include "region/key.h"
#include "shim/python.h"
#include "shim/python_text.h"
#include "shim/region.h"
#include "shim/strings.h"
#include "shim/system.h"
#include "shim/table.h"

#define LEVELS 16
#define FIRST_LOG 9
#define PROBES 8
#define STATE UINT32_MAX /* in place of a number */

struct slot {
    uint64_t address; /* 0 = empty; any thread, by compare-and-swap */
    uint32_t number;  /* by release, after the object was copied; 0 by who frees it */
    uint32_t reserved;
};

uint8_t codes_filter[sizeof codes_filter];

static struct slot *levels[LEVELS]; /* by compare-and-swap from NULL, in order */
static struct table contents;       /* hash of what is copied -> number */
static struct table names;          /* hash of a string -> its place in TS_SLAB_STRINGS, plus 1 */

bool codes_start(void)
{
    region_header->code_count = 1; /* 0 is none */
    return table_start(&contents, 8, 6) && table_start(&names, 9, 6);
}

void codes_forked(void)
{
    table_forked(&contents);
    table_forked(&names);
}

static uint64_t hash_of(uintptr_t address)
{
    return ts_hash_mix(address >> 4);
}

/* The slot of an address on one level; claim: also an empty one, which is its from now on. */
static struct slot *slot_in(struct slot *slots, uint32_t level, uintptr_t address, bool claim)
{
    uint64_t mask = (UINT64_C(1) << (FIRST_LOG + level)) - 1, hash = hash_of(address);
    for (uint32_t i = 0; i < PROBES; i++) {
        struct slot *slot = &slots[(hash + i) & mask];
        uint64_t found = ts_load_acquire(&slot->address);
        if (found == address)
            return slot;
        if (found == 0 && (!claim || ts_cas_acq_rel(&slot->address, &found, address)))
            return claim ? slot : NULL;
        if (found == address)
            return slot;
    }
    return NULL;
}

static struct slot *find(uintptr_t address)
{
    struct slot *slots, *slot;
    for (uint32_t level = 0; level < LEVELS; level++) {
        if ((slots = ts_load_acquire(&levels[level])) == NULL)
            break;
        if ((slot = slot_in(slots, level, address, false)) != NULL)
            return slot;
    }
    return NULL;
}

static struct slot *make_level(uint32_t level)
{
    size_t size = sizeof(struct slot) << (FIRST_LOG + level);
    struct slot *slots = memory_map(size, true), *none = NULL;
    if (slots == NULL || ts_cas_acq_rel(&levels[level], &none, slots))
        return slots;
    memory_unmap(slots, size);
    return none;
}

static struct slot *file(uintptr_t address)
{
    struct slot *slot = find(address);
    for (uint32_t level = 0; slot == NULL && level < LEVELS; level++) {
        struct slot *slots = ts_load_acquire(&levels[level]);
        if (slots == NULL && (slots = make_level(level)) == NULL)
            break;
        slot = slot_in(slots, level, address, true);
    }
    if (slot != NULL) {
        uint32_t bit = codes_filter_bit(address);
        ts_or_acq_rel(&codes_filter[bit / 8], (uint8_t)(1u << bit % 8));
    }
    return slot;
}

void codes_watch_state(uintptr_t address)
{
    struct slot *slot = file(address);
    if (slot != NULL)
        ts_store_release(&slot->number, STATE);
}

bool codes_is_state(uintptr_t address)
{
    const struct slot *slot = find(address);
    return slot != NULL && ts_load_acquire(&slot->number) == STATE;
}

void codes_freed_slowly(uintptr_t address)
{
    struct slot *slot = find(address);
    uint32_t number = slot != NULL ? ts_exchange_acq_rel(&slot->number, 0) : 0;
    if (number == STATE)
        ts_add_acq_rel(&python.states_gone, 1);
    else if (number != 0)
        ts_add_acq_rel(&python.codes_gone, 1);
}

void codes_forget(void)
{
    for (uint32_t level = 0; level < LEVELS; level++) {
        struct slot *slots = ts_load_acquire(&levels[level]);
        for (size_t i = 0; slots != NULL && i < (size_t)1 << (FIRST_LOG + level); i++)
            ts_store_relaxed(&slots[i].number, 0);
    }
    ts_add_acq_rel(&python.states_gone, 1);
    ts_add_acq_rel(&python.codes_gone, 1);
}

/* Where a string lies in the region; equal strings lie there once. */
static bool place_string(const char *text, uint32_t size, uint64_t hash, uint32_t *slab,
                         uint32_t *offset)
{
    uint32_t place = table_find(&names, ts_hash_final(hash));
    if (place == 0) {
        if (!strings_add(text, size, slab, offset))
            return false;
        if (table_has_room(&names))
            table_insert(&names, ts_hash_final(hash), *slab * TS_SLAB_SIZE + *offset + 1);
        return true;
    }
    *slab = (place - 1) / TS_SLAB_SIZE;
    *offset = (place - 1) % TS_SLAB_SIZE;
    return true;
}

/* Copies a line table, which may go on in the next slab. False when there is no room: the code then
 * has no lines. */
static bool place_table(const struct python_bytes *table, uint32_t *at)
{
    *at = ts_load_relaxed(&region_header->table_bytes);
    do {
        if (table->size > TS_TABLE_MAX || *at > TS_TABLES_LIMIT - table->size)
            return false;
    } while (!ts_cas_acq_rel(&region_header->table_bytes, at, *at + table->size));
    for (uint32_t done = 0; done < table->size;) {
        uint32_t to = *at + done, size = TS_SLAB_SIZE - to % TS_SLAB_SIZE;
        uint8_t *slab = region_slab(TS_SLAB_TABLES, to / TS_SLAB_SIZE);
        if (slab == NULL)
            return false;
        if (size > table->size - done)
            size = table->size - done;
        __builtin_memcpy(slab + to % TS_SLAB_SIZE, table->data + done, size);
        done += size;
    }
    return true;
}

/* What is copied of a code object, still where the interpreter has it. */
struct original {
    uintptr_t file, name;
    struct python_bytes table;
    uint32_t first_line;
    uint64_t file_hash, name_hash, hash;
};

static bool fill(struct ts_code *code, const struct original *original, char *text)
{
    uint32_t at;
    code->file_size = python_text(original->file, text, CODES_TEXT_MAX);
    if (!place_string(text, code->file_size, original->file_hash, &code->file_slab,
                      &code->file_offset))
        return false;
    code->name_size = python_text(original->name, text, CODES_TEXT_MAX);
    if (!place_string(text, code->name_size, original->name_hash, &code->name_slab,
                      &code->name_offset))
        return false;
    code->first_line = original->first_line;
    if (place_table(&original->table, &at)) {
        code->table_kind = python.layout.lines;
        code->table_size = original->table.size;
        code->table_at = at;
    } else {
        region_drop(TS_DROP_CODES_FULL);
    }
    return true;
}

static uint32_t copy(const struct original *original, char *text)
{
    uint32_t number = table_take_number(&region_header->code_count, TS_CODES_LIMIT);
    struct ts_code *code = number == 0 || !table_has_room(&contents)
                               ? NULL
                               : region_record(TS_SLAB_CODES, number, TS_CODES_PER_SLAB, 64);
    if (code == NULL || !fill(code, original, text)) {
        region_drop(TS_DROP_CODES_FULL);
        return 0;
    }
    ts_store_release(&code->state, 1);
    return table_insert(&contents, original->hash, number);
}

static bool read_original(uintptr_t code, struct original *original, char *text)
{
    const struct python_layout *layout = &python.layout;
    if (*(const uintptr_t *)(code + PYTHON_OBJECT_TYPE) != python.code_type)
        return false;
    original->file = *(const uintptr_t *)(code + layout->code_file);
    original->name = *(const uintptr_t *)(code + layout->code_name);
    original->first_line = *(const uint32_t *)(code + layout->code_first_line);
    original->table = python_bytes(*(const uintptr_t *)(code + layout->code_table));
    uint32_t size = python_text(original->file, text, CODES_TEXT_MAX);
    original->file_hash = python_hash(text, size);
    size = python_text(original->name, text, CODES_TEXT_MAX);
    original->name_hash = python_hash(text, size);
    uint64_t hash = ts_hash_step(original->file_hash, original->name_hash);
    hash = ts_hash_step(hash, python_hash(original->table.data, original->table.size));
    original->hash = ts_hash_final(ts_hash_step(hash, original->first_line));
    return true;
}

uint32_t codes_number(uintptr_t code, char *text)
{
    struct original original;
    struct slot *slot = find(code);
    uint32_t number = slot != NULL ? ts_load_acquire(&slot->number) : 0;
    if (__builtin_expect(number != 0 && number != STATE, 1))
        return number;
    if (!read_original(code, &original, text))
        return 0;
    slot = file(code);
    if (slot == NULL) { /* nobody would notice that it died */
        region_drop(TS_DROP_CODES_FULL);
        return 0;
    }
    number = table_find(&contents, original.hash);
    if (number == 0)
        number = copy(&original, text);
    ts_store_release(&slot->number, number);
    return number;
}
