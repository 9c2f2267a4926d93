/*
 * Scratch files, demands and input numbers for the fuzz targets.
 */
#include "tests/fuzz/target.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[PATH_MAX - 64];

void fuzz_demand(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static void remove_scratch(void)
{
    nftw(scratch, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_scratch(void)
{
    const char *base = getenv("TMPDIR");
    if (base == NULL || *base == '\0')
        base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(scratch, sizeof(scratch), "%s/tracesnap-fuzz-XXXXXX", base);
    fuzz_demand(mkdtemp(scratch) != NULL, "a scratch directory can be made");
    atexit(remove_scratch);
}

const char *fuzz_path(const char *name, char path[PATH_MAX])
{
    if (scratch[0] == '\0')
        make_scratch();
    snprintf(path, PATH_MAX, "%s/%s", scratch, name);
    return path;
}

uint64_t input_number(struct input *input, size_t bytes)
{
    uint64_t number = 0;
    size_t taken = bytes < input->left ? bytes : input->left;
    memcpy(&number, input->at, taken);
    input->at += taken;
    input->left -= taken;
    return number;
}
