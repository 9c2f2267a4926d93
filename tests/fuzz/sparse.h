/*
 * How an input stands for a file: regions and snapshots are tens of kilobytes of zeros with a few
 * words in between, and a fuzzer that works on the words gets deep where one that works on the
 * zeros does not.
 *
 *     size of the file (4 bytes), then pieces: offset (4 bytes), length (2 bytes), bytes
 *
 * Any input stands for some file, and each file up to SPARSE_SIZE_MAX has an input. tests/fuzz/
 * pack.py makes inputs of files.
 */
#ifndef TRACESNAP_TESTS_FUZZ_SPARSE_H
#define TRACESNAP_TESTS_FUZZ_SPARSE_H

#include <stddef.h>
#include <stdint.h>

#define SPARSE_SIZE_MAX (16u << 20)
#define SPARSE_PIECES_MAX 1024u

struct sparse_piece {
    uint32_t offset;
    uint16_t length;
    const uint8_t *bytes;
};

struct sparse {
    uint32_t size;
    size_t count;
    struct sparse_piece pieces[SPARSE_PIECES_MAX];
};

/* The pieces point into the input. */
void sparse_read(struct sparse *sparse, const uint8_t *data, size_t size);

/* Makes `path` the file. */
void sparse_store(const struct sparse *sparse, const char *path);

#endif
