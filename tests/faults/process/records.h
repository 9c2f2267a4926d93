/*
 * A file in which each process of a fixture writes down what its region must hold when it has
 * ended: regions_check reads it. Written by many processes at once.
 */
#ifndef TRACESNAP_TESTS_PROCESS_RECORDS_H
#define TRACESNAP_TESTS_PROCESS_RECORDS_H

#include <stdint.h>

#define RECORDS_MAX 65536u

struct record {
    uint32_t pid;
    uint32_t reserved;
    uint64_t live; /* bytes */
};

struct record_file {
    uint32_t count; /* taken, by atomic addition; the records are filled when their writers ended */
    uint32_t reserved[3];
    struct record record[RECORDS_MAX];
};


#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static struct record_file *records;

/* NULL when the file cannot be had. */
static inline struct record_file *records_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *at = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, sizeof(struct record_file)) == 0)
        at = mmap(NULL, sizeof(struct record_file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    return records = at == MAP_FAILED ? NULL : (struct record_file *)at;
}

static inline void record_end(uint64_t live)
{
    uint32_t i = __atomic_fetch_add(&records->count, 1, __ATOMIC_RELAXED);
    if (i < RECORDS_MAX)
        records->record[i] = (struct record){.pid = (uint32_t)getpid(), .live = live};
}

#endif
