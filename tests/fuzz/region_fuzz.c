/*
 * Fuzz target: a region file of any bytes, read, reported in every grouping as text and as JSON,
 * saved and read again.
 */
#include "tests/fuzz/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    source_try(data, size, "4000000-12345");
    return 0;
}
