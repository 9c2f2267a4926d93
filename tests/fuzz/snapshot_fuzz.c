/*
 * Fuzz target: a snapshot file of any bytes, read, reported in every grouping as text and as JSON,
 * saved and read again.
 */
#include "tests/fuzz/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    source_try(data, size, "any.tsnap");
    return 0;
}
