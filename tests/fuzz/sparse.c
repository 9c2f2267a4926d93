/*
 * From an input to the file that it stands for.
 */
#include "tests/fuzz/sparse.h"
#include "tests/fuzz/target.h"

#include <fcntl.h>
#include <unistd.h>

void sparse_read(struct sparse *sparse, const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint32_t wanted = (uint32_t)input_number(&input, 4);
    sparse->size = wanted < SPARSE_SIZE_MAX ? wanted : SPARSE_SIZE_MAX;
    sparse->count = 0;
    while (input.left > 6 && sparse->count < SPARSE_PIECES_MAX) {
        struct sparse_piece *piece = &sparse->pieces[sparse->count++];
        piece->offset = (uint32_t)input_number(&input, 4);
        uint16_t length = (uint16_t)input_number(&input, 2);
        piece->length = length < input.left ? length : (uint16_t)input.left;
        piece->bytes = input.at;
        input.at += piece->length;
        input.left -= piece->length;
    }
}

void sparse_store(const struct sparse *sparse, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool stored = fd >= 0 && ftruncate(fd, (off_t)sparse->size) == 0;
    for (size_t i = 0; stored && i < sparse->count; i++) {
        const struct sparse_piece *piece = &sparse->pieces[i];
        if (piece->offset >= sparse->size)
            continue;
        size_t room = sparse->size - piece->offset;
        size_t length = piece->length < room ? piece->length : room;
        stored = pwrite(fd, piece->bytes, length, (off_t)piece->offset) == (ssize_t)length;
    }
    fuzz_demand(stored, "an input's file can be written");
    close(fd);
}
