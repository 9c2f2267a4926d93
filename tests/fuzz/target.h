/*
 * What the fuzz targets have in common. Each is one file with one LLVMFuzzerTestOneInput, which
 * libFuzzer calls with inputs that it makes, and replay.c with those of the corpus.
 */
#ifndef TRACESNAP_TESTS_FUZZ_TARGET_H
#define TRACESNAP_TESTS_FUZZ_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process, as a crash does, when something that must hold does not. */
void fuzz_demand(bool holds, const char *what);

/* A path in a scratch directory of this process, on a tmpfs where there is one. */
const char *fuzz_path(const char *name, char path[PATH_MAX]);

/* Takes bytes from the front of an input; zeros when they have run out. */
struct input {
    const uint8_t *at;
    size_t left;
};
uint64_t input_number(struct input *input, size_t bytes);

#endif
