/*
 * Runs a fuzz target over the files of directories, without a fuzzer: what was found once is tried
 * by every build, whatever its compiler and its sanitizers. Prints how many inputs there were.
 */
#include "tests/fuzz/target.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The target of the command lines renames that of the tool. */
#undef main

static void replay_file(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    fuzz_demand(fd >= 0 && fstat(fd, &status) == 0, "an input can be opened");
    size_t size = (size_t)status.st_size;
    uint8_t *data = malloc(size); /* of just this size, for AddressSanitizer's sake */
    fuzz_demand(size == 0 || read(fd, data, size) == (ssize_t)size, "an input can be read");
    close(fd);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

int main(int argc, char **argv)
{
    char path[PATH_MAX];
    unsigned count = 0;
    for (int i = 1; i < argc; i++) {
        DIR *directory = opendir(argv[i]);
        fuzz_demand(directory != NULL, "a corpus can be opened");
        for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
            if (entry->d_name[0] == '.')
                continue;
            snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
            replay_file(path);
            count++;
        }
        closedir(directory);
    }
    printf("%u inputs\n", count);
    return 0;
}
