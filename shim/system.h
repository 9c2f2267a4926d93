/*
 * The Linux calls that the shim makes, all of them, raw: no errno, no cancellation point, no libc
 * lock. A sandbox that forbids one returns an error here, which the caller counts. Results:
 * negative errno.
 */
#ifndef TRACESNAP_SHIM_SYSTEM_H
#define TRACESNAP_SHIM_SYSTEM_H

#include "machine.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static inline bool sys_failed(long result)
{
    return result < 0 && result >= -4095;
}

static inline void *sys_mmap(void *address, size_t size, int protection, int flags, int fd, long at)
{
    long result = sys_call6(SYS_mmap, (long)address, (long)size, protection, flags, fd, at);
    return sys_failed(result) ? NULL : (void *)result;
}

static inline long sys_munmap(void *address, size_t size)
{
    return sys_call(SYS_munmap, address, size, 0, 0);
}

static inline long sys_mprotect(void *address, size_t size, int protection)
{
    return sys_call(SYS_mprotect, address, size, protection, 0);
}

static inline long sys_madvise(void *address, size_t size, int advice)
{
    return sys_call(SYS_madvise, address, size, advice, 0);
}

static inline int sys_openat(int directory, const char *path, int flags, int mode)
{
    return (int)sys_call(SYS_openat, directory, path, flags | O_CLOEXEC, mode);
}

static inline int sys_open(const char *path, int flags, int mode)
{
    return sys_openat(AT_FDCWD, path, flags, mode);
}

static inline long sys_read(int fd, void *buffer, size_t size)
{
    return sys_call(SYS_read, fd, buffer, size, 0);
}

static inline long sys_write(int fd, const void *buffer, size_t size)
{
    return sys_call(SYS_write, fd, buffer, size, 0);
}

static inline void sys_close(int fd)
{
    sys_call(SYS_close, fd, 0, 0, 0);
}

static inline long sys_ftruncate(int fd, long size)
{
    return sys_call(SYS_ftruncate, fd, size, 0, 0);
}

static inline long sys_unlink(const char *path)
{
    return sys_call(SYS_unlink, path, 0, 0, 0);
}

static inline long sys_rename(const char *from, const char *to)
{
    return sys_call(SYS_rename, from, to, 0, 0);
}

static inline long sys_mkdir(const char *path, int mode)
{
    return sys_call(SYS_mkdir, path, mode, 0, 0);
}

static inline uint32_t sys_getpid(void)
{
    return (uint32_t)sys_call(SYS_getpid, 0, 0, 0, 0);
}

static inline uint32_t sys_getppid(void)
{
    return (uint32_t)sys_call(SYS_getppid, 0, 0, 0, 0);
}

static inline uint32_t sys_gettid(void)
{
    return (uint32_t)sys_call(SYS_gettid, 0, 0, 0, 0);
}

static inline uint32_t sys_geteuid(void)
{
    return (uint32_t)sys_call(SYS_geteuid, 0, 0, 0, 0);
}

static inline long sys_readlink(const char *path, char *buffer, size_t size)
{
    return sys_call(SYS_readlink, path, buffer, size, 0);
}

/* Whether 8 bytes at `address` can be read: the kernel tries for us, and changes nothing (how =
 * ~0). */
static inline bool sys_readable(uintptr_t address)
{
    return sys_call(SYS_rt_sigprocmask, ~0, address, 0, 8) != -14 /* EFAULT */;
}

/* Private zeroed memory for tables; NULL when refused. Large sparse tables pass reserve = false. */
void *memory_map(size_t size, bool reserve);
/* The same for a table that is about to be filled all over: in huge pages where it is that large. */
void *memory_map_filled(size_t size);
void memory_unmap(void *memory, size_t size);
/* Bytes mapped so far, for the gauge. */
uint64_t memory_mapped(void);

#endif
