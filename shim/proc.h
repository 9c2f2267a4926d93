/*
 * What /proc tells of this process and of others.
 */
#ifndef TRACESNAP_SHIM_PROC_H
#define TRACESNAP_SHIM_PROC_H

#include <stddef.h>
#include <stdint.h>

/* The beginning of a small file, terminated; returns its length, 0 when it cannot be read. */
size_t proc_read(const char *path, char *buffer, size_t size);

struct proc_stat {
    uint64_t parent, start_ticks; /* 0 = there is no such process, or no /proc */
};

/*
 * Fields 4 and 22 of /proc/PID/stat (proc(5)); pid 0 = this process. The command in field 2 may
 * hold anything: they are counted from its last ')'.
 */
struct proc_stat proc_stat(uint64_t pid);

/* The inode of this process's pid namespace; 0 where /proc does not tell. */
uint32_t proc_namespace(void);

#endif
