/*
 * Code objects of Python, from a region's or a snapshot's records to a capture.
 *
 * Many code objects share the name of their file, so that texts are kept once; but no text is a
 * part of another, and no byte is of two line tables. What a capture takes is therefore bounded by
 * the file's size, whatever its records say.
 */
#include "tools/source/reader.h"

#include "region/snapshot.h"
#include "tools/base/hash_map.h"
#include "tools/base/strpool.h"

#include <stdlib.h>
#include <string.h>

/* All that texts are in, and those that were taken from there so far. */
struct texts {
    const char *bytes;
    uint32_t size;
    uint32_t left; /* bytes that no text has taken */
    struct hash_map known;
};

/* A text of the capture's pool; NULL = there is none. */
static const char *take_text(struct capture *capture, struct texts *texts, uint64_t at,
                             uint32_t size)
{
    uint64_t key = at << 16 | size;
    if (size > TS_STRING_MAX || at > texts->size || size > texts->size - at)
        return NULL;
    if (size == 0)
        return strpool_intern(capture->texts, "");
    const char *text = hash_map_get(&texts->known, key);
    if (text != NULL || size > texts->left)
        return text;
    char *clean = text_copy(texts->bytes + at, size);
    if (clean == NULL || clean[0] == '\0') { /* a hole: its writer was killed */
        free(clean);
        return NULL;
    }
    texts->left -= size;
    text = strpool_intern(capture->texts, clean);
    free(clean);
    hash_map_put(&texts->known, key, (char *)text);
    return text;
}

/* Makes room for `count` codes, all of them empty. */
static int codes_begin(struct capture *capture, uint32_t count)
{
    capture->codes = calloc((size_t)count + 1, sizeof(*capture->codes));
    if (capture->codes == NULL)
        return -1;
    capture->code_count = count != 0 ? count : 1;
    capture->texts = strpool_new();
    return 0;
}

uint64_t python_key_checked(const struct capture *capture, uint64_t key)
{
    uint32_t code = ts_key_code(key);
    bool exists = code < capture->code_count && capture->codes[code].file != NULL;
    return exists ? key : ts_key_python(0, 0);
}

/* ------------------------------------------------------------------ regions */

/* Where a text of a region stands in all its string slabs; UINT64_MAX = nowhere. */
static uint64_t place_of(uint32_t slab, uint32_t offset, uint32_t size)
{
    if (size > TS_SLAB_SIZE || offset > TS_SLAB_SIZE - size)
        return UINT64_MAX;
    return (uint64_t)slab * TS_SLAB_SIZE + offset;
}

/* Fills the codes from the region's records; *tables_left counts down. */
static void copy_code(struct capture *capture, struct texts *texts, uint32_t number,
                      const struct ts_code *from, uint32_t *tables_left)
{
    struct capture_code *to = &capture->codes[number];
    if (from->state != 1)
        return;
    to->file = take_text(capture, texts,
                         place_of(from->file_slab, from->file_offset, from->file_size),
                         from->file_size);
    if (to->file == NULL)
        return;
    if (from->name_size != 0)
        to->name = take_text(capture, texts,
                             place_of(from->name_slab, from->name_offset, from->name_size),
                             from->name_size);
    to->first_line = from->first_line;
    if (from->table_size > TS_TABLE_MAX || from->table_size > *tables_left ||
        from->table_at > capture->tables_size ||
        from->table_size > capture->tables_size - from->table_at)
        return;
    *tables_left -= from->table_size;
    to->table_kind = from->table_kind;
    to->table_at = (uint32_t)from->table_at;
    to->table_size = from->table_size;
}

static int copy_codes(struct capture *capture, const struct records *codes,
                      const struct records *strings)
{
    const struct ts_code *from = codes->at;
    uint32_t count = codes->count, tables_left = capture->tables_size;
    struct texts texts = {.bytes = strings->at, .size = strings->count, .left = strings->count};
    while (count > 0 && from[count - 1].state == 0)
        count--;
    if (codes_begin(capture, count) != 0)
        return -1;
    for (uint32_t i = 1; i < count; i++)
        copy_code(capture, &texts, i, &from[i], &tables_left);
    hash_map_clear(&texts.known);
    return 0;
}

int region_codes_read(struct capture *capture, const struct source_file *file, struct error *error)
{
    struct records codes = {0}, strings = {0}, tables = {0};
    int result = records_read(&codes, file, TS_SLAB_CODES, sizeof(struct ts_code), TS_CODES_LIMIT,
                              error);
    bool some = codes.count != 0; /* most processes have none: no look for more */
    if (result == 0 && some)
        result =
            records_read(&strings, file, TS_SLAB_STRINGS, 1, TS_SLABS_MAX * TS_SLAB_SIZE, error);
    if (result == 0 && some)
        result = records_read(&tables, file, TS_SLAB_TABLES, 1, TS_TABLES_LIMIT, error);
    capture->tables = tables.at;
    capture->tables_size = tables.count;
    if (result == 0 && copy_codes(capture, &codes, &strings) != 0)
        result = error_set(error, "out of memory for the code objects of '%s'", file->path);
    free(codes.at);
    free(strings.at);
    return result;
}

/* ------------------------------------------------------------------ snapshots */

/* false: the record makes no sense. */
static bool take_code(struct capture *capture, struct texts *texts, uint32_t number,
                      const struct ts_snapshot_code *from, uint32_t *tables_left)
{
    struct capture_code *to = &capture->codes[number];
    if (from->state == 0)
        return true;
    if (number == 0 || from->table_size > TS_TABLE_MAX || from->table_size > *tables_left ||
        from->table_at > capture->tables_size ||
        from->table_size > capture->tables_size - from->table_at)
        return false;
    to->file = take_text(capture, texts, from->file_offset, from->file_size);
    if (from->name_size != 0)
        to->name = take_text(capture, texts, from->name_offset, from->name_size);
    *tables_left -= from->table_size;
    to->first_line = from->first_line;
    to->table_kind = from->table_kind;
    to->table_at = from->table_at;
    to->table_size = from->table_size;
    return to->file != NULL && (from->name_size == 0 || to->name != NULL);
}

int snapshot_codes_copy(struct capture *capture, const struct section *codes,
                        struct section *tables, const struct section *strings, const char *path,
                        struct error *error)
{
    const struct ts_snapshot_code *from = codes->at;
    struct texts texts = {.bytes = strings->at, .size = strings->count, .left = strings->count};
    uint32_t tables_left = tables->count, i = 0;
    if (codes_begin(capture, codes->count) != 0)
        return error_set(error, "out of memory for the snapshot '%s'", path);
    capture->tables = tables->at;
    capture->tables_size = tables->count;
    tables->at = NULL;
    while (i < codes->count && take_code(capture, &texts, i, &from[i], &tables_left))
        i++;
    hash_map_clear(&texts.known);
    if (i < codes->count)
        return error_set(error, "snapshot '%s' is damaged: code %u makes no sense", path, i);
    return 0;
}
