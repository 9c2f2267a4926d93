/*
 * Mutations that keep an input's pieces apart: most of the time one of them is changed, and the
 * offsets of the others stay what they are. Linked with libFuzzer only.
 */
#include "region/layout.h"
#include "tests/fuzz/sparse.h"

#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t out_size, unsigned seed);

#define PIECE_MAX 0xffffu

static uint64_t state;

static uint32_t below(uint64_t limit)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return limit != 0 ? (uint32_t)((state >> 33) % limit) : 0;
}

static uint64_t telling(void)
{
    static const uint64_t words[] = {
        0,      1,      2,          3,          63,         64,         255,
        4095,   4096,   16383,      16384,      65535,      65536,      0xffffff,
        1 << 23, 1 << 26, 0x7fffffff, 0x80000000, 0xffffffff, UINT64_MAX, (uint64_t)INT64_MAX,
    };
    return words[below(sizeof(words) / sizeof(words[0]))];
}

/* ------------------------------------------------------------------ writing an input */

struct output {
    uint8_t *at;
    size_t left;
};

static void put(struct output *output, const void *bytes, size_t size)
{
    if (size > output->left)
        size = output->left;
    memcpy(output->at, bytes, size);
    output->at += size;
    output->left -= size;
}

static void put_piece(struct output *output, uint32_t offset, const uint8_t *bytes, size_t length)
{
    if (output->left < 6 + length)
        return;
    uint16_t short_length = (uint16_t)length;
    put(output, &offset, 4);
    put(output, &short_length, 2);
    put(output, bytes, length);
}

/* ------------------------------------------------------------------ one change of one piece */

static uint8_t changed[PIECE_MAX];

static void store_word(uint8_t *bytes, size_t length, uint64_t word)
{
    size_t width = below(2) ? 8 : 4;
    if (length >= width)
        memcpy(bytes + below(length / width) * width, &word, width);
}

static size_t change_bytes(const struct sparse *sparse, const struct sparse_piece *piece)
{
    size_t length = piece->length;
    memcpy(changed, piece->bytes, length);
    const struct sparse_piece *other = &sparse->pieces[below(sparse->count)];
    uint64_t word = 0;
    switch (below(6)) {
    case 0:
        store_word(changed, length, telling());
        return length;
    case 1: /* a word from elsewhere */
        if (other->length >= 8)
            memcpy(&word, other->bytes + below(other->length / 8u) * 8, 8);
        store_word(changed, length, word);
        return length;
    case 2: /* a word of its own, one more or less */
        if (length >= 4) {
            uint8_t *at = changed + below(length / 4) * 4;
            uint32_t number;
            memcpy(&number, at, 4);
            number += below(2) ? 1 : -1u;
            memcpy(at, &number, 4);
        }
        return length;
    case 3: /* of the same length: what follows stays in its place */
        if (LLVMFuzzerMutate(changed, length, length != 0 ? length : 1) > length)
            length = 1;
        return piece->length != 0 ? piece->length : length;
    default:
        return LLVMFuzzerMutate(changed, length, PIECE_MAX);
    }
}

/* A word for the slab table, mostly one that a reader believes. */
static void put_slab(struct output *output)
{
    uint32_t ordinal = below(100) ? below(5) : (uint32_t)telling();
    uint32_t word = TS_SLAB_WORD(below(TS_SLAB_KIND_COUNT + 1), ordinal & 0xffffff);
    uint32_t slab = below(16) ? below(24) : below(TS_SLABS_MAX);
    put_piece(output, TS_SLAB_TABLE_OFFSET + 4 * slab, (const uint8_t *)&word, 4);
}

static uint32_t moved(uint32_t offset)
{
    switch (below(5)) {
    case 0: return offset + TS_SLAB_SIZE;
    case 1: return offset - TS_SLAB_SIZE;
    case 2: return offset + 8 * below(512);
    case 3: return TS_SLABS_OFFSET + 64 * below(4096);
    default: return offset + (uint32_t)telling();
    }
}

static void put_changed(struct output *output, const struct sparse *sparse, size_t which)
{
    const struct sparse_piece *piece = &sparse->pieces[which];
    switch (below(16)) {
    case 0: /* leaves it out */
        break;
    case 1:
        put_piece(output, moved(piece->offset), piece->bytes, piece->length);
        break;
    case 2:
        put_piece(output, piece->offset, piece->bytes, piece->length);
        put_piece(output, moved(piece->offset), piece->bytes, piece->length);
        break;
    case 3:
        put_piece(output, piece->offset, piece->bytes, piece->length);
        put_slab(output);
        break;
    default:
        put_piece(output, piece->offset, changed, change_bytes(sparse, piece));
    }
}

static uint32_t changed_size(uint32_t size)
{
    if (below(24) != 0)
        return size;
    switch (below(3)) {
    case 0: return below(size);
    case 1: return size + TS_SLAB_SIZE * below(8);
    default: return size / TS_SLAB_SIZE * TS_SLAB_SIZE;
    }
}

static uint8_t copy[1 << 20];
static struct sparse first, second;

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    state = seed;
    if (size > sizeof(copy) || size < 16 || below(32) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    memcpy(copy, data, size);
    sparse_read(&first, copy, size);
    struct output output = {data, max_size};
    uint32_t file_size = changed_size(first.size);
    put(&output, &file_size, 4);
    size_t which = below(first.count);
    for (size_t i = 0; i < first.count; i++)
        if (i == which)
            put_changed(&output, &first, i);
        else
            put_piece(&output, first.pieces[i].offset, first.pieces[i].bytes,
                      first.pieces[i].length);
    return max_size - output.left;
}

/* The first input with some pieces of the second on top. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t out_size, unsigned seed)
{
    state = seed;
    sparse_read(&first, data1, size1);
    sparse_read(&second, data2, size2);
    struct output output = {out, out_size};
    put(&output, below(2) ? &first.size : &second.size, 4);
    for (size_t i = 0; i < first.count; i++)
        put_piece(&output, first.pieces[i].offset, first.pieces[i].bytes, first.pieces[i].length);
    uint32_t one_of = 1 + below(second.count);
    for (size_t i = 0; i < second.count; i++)
        if (below(one_of) == 0)
            put_piece(&output, second.pieces[i].offset, second.pieces[i].bytes,
                      second.pieces[i].length);
    return out_size - output.left;
}
