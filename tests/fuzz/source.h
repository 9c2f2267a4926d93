/*
 * What the targets of the region reader and of the snapshot reader do with a file.
 */
#ifndef TRACESNAP_TESTS_FUZZ_SOURCE_H
#define TRACESNAP_TESTS_FUZZ_SOURCE_H

#include "tests/fuzz/target.h"

/* Reads the file that the input stands for (sparse.h), under this name. */
void source_try(const uint8_t *data, size_t size, const char *name);

#endif
