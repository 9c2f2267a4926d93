/*
 * The Linux calls that the shim makes, all of them, raw: no errno, no cancellation point, no libc
 * lock. A system call filter may refuse any of them: an error here, which the caller counts. It may
 * also kill the process for one: what a filter that the program puts on itself would do is found
 * out before (sandbox.c), and such a call is not made: it returns -EPERM as if it were refused.
 * Results: negative errno.
 */
#ifndef TRACESNAP_SHIM_SYSTEM_H
#define TRACESNAP_SHIM_SYSTEM_H

#include "machine.h"
#include "region/atomic.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

/* When a call is made; several are possible. */
#define SYS_AT_START 1 /* from the first allocation of a program to the end of the constructor */
#define SYS_GROWING 2  /* at any time later, when something has to grow or a stack is new */
#define SYS_IN_CHILD 4 /* at the first allocation of a forked child */
#define SYS_ON_DEMAND 8 /* when the program asks: limits, a snapshot, a library that it closes */
#define SYS_OLD_KERNEL 16 /* Linux before 5.14 or without a vDSO only */
#define SYS_PRUNING 64 /* with a start or a child's first allocation, now and then: prune.c */
#define SYS_RELATIVE 256 /* at the start, where TRACESNAP_DIR is no absolute path */
#define SYS_RARELY_IN_CHILD 128 /* of a signal handler that forked in the midst of a record */
#define SYS_BY_LIBUNWIND 32 /* at the start, by libunwind when it is loaded (option libunwind=0) */

/*
 * The list: one line for each call and each way of it that a filter may tell from others.
 * tests/faults/limits/calls_test.py compares it with what strace sees, and sandbox.c asks a filter
 * about each line. X(name, call, when, first argument, second, third, fourth)
 */
#define SYS_LIST(X)                                                                                \
    X(MAP, mmap, SYS_AT_START | SYS_GROWING | SYS_IN_CHILD, 0, 4096, PROT_READ | PROT_WRITE,       \
      MAP_PRIVATE | MAP_ANONYMOUS)                                                                 \
    X(MAP_SPARSE, mmap, SYS_AT_START | SYS_GROWING | SYS_IN_CHILD, 0, 4096,                        \
      PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)                         \
    X(MAP_REGION, mmap, SYS_AT_START | SYS_IN_CHILD, 0, 4096, PROT_NONE,                           \
      MAP_SHARED | MAP_NORESERVE)                                                                  \
    X(MAP_INSTEAD, mmap, SYS_IN_CHILD, 4096, 4096, PROT_NONE,                                      \
      MAP_SHARED | MAP_NORESERVE | MAP_FIXED)                                                      \
    X(MAP_OVER, mmap, SYS_IN_CHILD, 4096, 4096, PROT_READ | PROT_WRITE,                            \
      MAP_SHARED | MAP_NORESERVE | MAP_FIXED)                                                      \
    X(MAP_PRIVATE_OVER, mmap, SYS_RARELY_IN_CHILD, 4096, 4096, PROT_READ | PROT_WRITE,             \
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE)                                     \
    X(MAP_HEADER, mmap, SYS_AT_START, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED)                 \
    X(UNMAP, munmap, SYS_AT_START | SYS_GROWING | SYS_IN_CHILD, 4096, 4096, 0, 0)                  \
    X(OPEN_PIECE, mprotect, SYS_AT_START | SYS_GROWING | SYS_IN_CHILD, 4096, 4096,                 \
      PROT_READ | PROT_WRITE, 0)                                                                   \
    X(POPULATE, madvise, SYS_AT_START | SYS_GROWING | SYS_IN_CHILD, 4096, 4096,                    \
      MADV_POPULATE_WRITE, 0)                                                                      \
    X(PLAIN_PAGES, madvise, SYS_AT_START | SYS_GROWING | SYS_IN_CHILD, 4096, 4096,                 \
      MADV_NOHUGEPAGE, 0)                                                                          \
    X(HUGE_PAGES, madvise, SYS_GROWING, 4096, 4096, MADV_HUGEPAGE, 0)                              \
    X(GIVE_BACK, madvise, SYS_GROWING, 4096, 4096, MADV_DONTNEED, 0)                               \
    X(NO_DUMP, madvise, SYS_AT_START | SYS_IN_CHILD, 4096, 4096, MADV_DONTDUMP, 0)                 \
    X(WIPE_ON_FORK, madvise, SYS_AT_START, 4096, 4096, MADV_WIPEONFORK, 0)                         \
    X(TRY, rt_sigprocmask, SYS_AT_START | SYS_GROWING | SYS_IN_CHILD, -1, 4096, 0, 8)              \
    X(OPEN, openat, SYS_AT_START | SYS_IN_CHILD, AT_FDCWD, 4096, O_RDONLY | O_CLOEXEC, 0)          \
    X(OPEN_DIRECTORY, openat, SYS_AT_START | SYS_IN_CHILD, AT_FDCWD, 4096,                         \
      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)                                            \
    X(OPEN_REGION, openat, SYS_AT_START | SYS_GROWING | SYS_OLD_KERNEL, AT_FDCWD, 4096,            \
      O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0)                                  \
    X(OPEN_PREDECESSOR, openat, SYS_AT_START, 3, 4096,                                             \
      O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0)                                  \
    X(CREATE, openat, SYS_AT_START | SYS_IN_CHILD, 3, 4096,                                        \
      O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)                                    \
    X(READ, read, SYS_AT_START | SYS_IN_CHILD, 3, 4096, 4096, 0)                                   \
    X(CLOSE, close, SYS_AT_START | SYS_IN_CHILD | SYS_ON_DEMAND, 3, 0, 0, 0)                       \
    X(FSTAT, fstat, SYS_AT_START | SYS_IN_CHILD, 3, 4096, 0, 0)                                    \
    X(FTRUNCATE, ftruncate, SYS_AT_START | SYS_IN_CHILD, 3, 4096, 0, 0)                            \
    X(FALLOCATE, fallocate, SYS_AT_START | SYS_GROWING | SYS_OLD_KERNEL, 3, 0, 0, 4096)            \
    X(MKDIR, mkdir, SYS_AT_START | SYS_IN_CHILD, 4096, 0700, 0, 0)                                 \
    X(UNLINK, unlink, SYS_AT_START | SYS_IN_CHILD | SYS_ON_DEMAND, 4096, 0, 0, 0)                  \
    X(READLINK, readlink, SYS_AT_START | SYS_IN_CHILD, 4096, 4096, 4095, 0)                        \
    X(PRLIMIT, prlimit64, SYS_AT_START | SYS_IN_CHILD, 0, 9, 0, 4096)                              \
    X(GETPID, getpid, SYS_AT_START | SYS_IN_CHILD | SYS_ON_DEMAND, 0, 0, 0, 0)                     \
    X(GETPPID, getppid, SYS_AT_START | SYS_IN_CHILD, 0, 0, 0, 0)                                   \
    X(GETTID, gettid, SYS_AT_START | SYS_GROWING | SYS_IN_CHILD | SYS_ON_DEMAND, 0, 0, 0, 0)       \
    X(GETEUID, geteuid, SYS_AT_START | SYS_IN_CHILD, 0, 0, 0, 0)                                   \
    X(GETCWD, getcwd, SYS_GROWING | SYS_RELATIVE, 4096, 4094, 0, 0)                                \
    X(CLOCK, clock_gettime, SYS_AT_START | SYS_GROWING | SYS_OLD_KERNEL, CLOCK_MONOTONIC, 4096, 0, \
      0)                                                                                           \
    X(CREATE_SNAPSHOT, openat, SYS_ON_DEMAND, AT_FDCWD, 4096,                                      \
      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)                                  \
    X(STAT, newfstatat, SYS_ON_DEMAND, AT_FDCWD, 4096, 4096, 0)                                    \
    X(WRITE, write, SYS_ON_DEMAND, 3, 4096, 4096, 0)                                               \
    X(RENAME, rename, SYS_ON_DEMAND, 4096, 4096, 0, 0)                                             \
    X(CHMOD, fchmodat, SYS_AT_START | SYS_IN_CHILD, AT_FDCWD, 4096, 0700, 0)                       \
    X(FLOCK, flock, SYS_AT_START | SYS_IN_CHILD | SYS_PRUNING, 3, 5, 0, 0)                         \
    X(OPEN_LISTING, openat, SYS_PRUNING, AT_FDCWD, 4096,                                           \
      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)                                          \
    X(OPEN_AT, openat, SYS_PRUNING, 3, 4096, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0)    \
    X(PREAD, pread64, SYS_PRUNING, 3, 4096, 8, 4096)                                               \
    X(FCHMOD, fchmod, SYS_PRUNING, 3, 0400, 0, 0)                                                  \
    X(UNLINK_AT, unlinkat, SYS_AT_START | SYS_PRUNING, 3, 4096, 0, 0)                              \
    X(LSEEK, lseek, SYS_PRUNING, 3, 0, 0, 0)                                                       \
    X(GETDENTS, getdents64, SYS_PRUNING, 3, 4096, 32768, 0)                                        \
    X(STAT_AT, newfstatat, SYS_AT_START | SYS_PRUNING, 3, 4096, 4096, 0x100)                       \
    X(FSTATFS, fstatfs, SYS_AT_START | SYS_IN_CHILD | SYS_PRUNING, 3, 4096, 0, 0)                  \
    X(PIPE, pipe2, SYS_BY_LIBUNWIND, 4096, O_CLOEXEC | O_NONBLOCK, 0, 0)                           \
    X(MINCORE, mincore, SYS_BY_LIBUNWIND, 4096, 4096, 4096, 0)

enum sys_name {
#define X(name, call, when, a, b, c, d) SYS_LIST_##name,
    SYS_LIST(X)
#undef X
        SYS_LIST_COUNT
};
_Static_assert(SYS_LIST_COUNT <= 64, "a bit for each");

/*
 * Bits of the calls that are not made any more, since a filter would kill for them. Written by
 * sandbox.c, by any thread; a forked child inherits it with the filter.
 */
extern uint64_t sys_forbidden;

static inline bool sys_may(enum sys_name name)
{
    return (ts_load_relaxed(&sys_forbidden) >> name & 1) == 0;
}

static inline bool sys_failed(long result)
{
    return result < 0 && result >= -4095;
}

#define SYS_REFUSED (-1L) /* EPERM */
#define sys_checked(name, number, a, b, c, d)                                                      \
    (sys_may(SYS_LIST_##name) ? sys_call(number, a, b, c, d) : SYS_REFUSED)

static inline enum sys_name sys_name_of_map(int protection, int flags)
{
    if (flags & MAP_FIXED && flags & MAP_ANONYMOUS)
        return SYS_LIST_MAP_PRIVATE_OVER;
    if (flags & MAP_ANONYMOUS)
        return flags & MAP_NORESERVE ? SYS_LIST_MAP_SPARSE : SYS_LIST_MAP;
    if (flags & MAP_FIXED)
        return protection == PROT_NONE ? SYS_LIST_MAP_INSTEAD : SYS_LIST_MAP_OVER;
    return flags & MAP_NORESERVE ? SYS_LIST_MAP_REGION : SYS_LIST_MAP_HEADER;
}

static inline void *sys_mmap(void *address, size_t size, int protection, int flags, int fd, long at)
{
    if (!sys_may(sys_name_of_map(protection, flags)))
        return NULL;
    long result = sys_call6(SYS_mmap, (long)address, (long)size, protection, flags, fd, at);
    return sys_failed(result) ? NULL : (void *)result;
}

static inline long sys_munmap(void *address, size_t size)
{
    return sys_checked(UNMAP, SYS_munmap, address, size, 0, 0);
}

/* To read and write. */
static inline long sys_mprotect(void *address, size_t size)
{
    return sys_checked(OPEN_PIECE, SYS_mprotect, address, size, PROT_READ | PROT_WRITE, 0);
}

static inline enum sys_name sys_name_of_advice(int advice)
{
    switch (advice) {
    case MADV_NOHUGEPAGE: return SYS_LIST_PLAIN_PAGES;
    case MADV_HUGEPAGE: return SYS_LIST_HUGE_PAGES;
    case MADV_DONTNEED: return SYS_LIST_GIVE_BACK;
    case MADV_DONTDUMP: return SYS_LIST_NO_DUMP;
    case MADV_WIPEONFORK: return SYS_LIST_WIPE_ON_FORK;
    default: return SYS_LIST_POPULATE;
    }
}

static inline long sys_madvise(void *address, size_t size, int advice)
{
    return sys_may(sys_name_of_advice(advice)) ? sys_call(SYS_madvise, address, size, advice, 0)
                                               : SYS_REFUSED;
}

static inline enum sys_name sys_name_of_open(int directory, int flags)
{
    if (flags & O_DIRECTORY)
        return flags & O_PATH ? SYS_LIST_OPEN_DIRECTORY : SYS_LIST_OPEN_LISTING;
    if (flags & O_WRONLY)
        return SYS_LIST_CREATE_SNAPSHOT;
    if (flags & O_CREAT)
        return SYS_LIST_CREATE;
    if (flags & O_RDWR)
        return directory == AT_FDCWD ? SYS_LIST_OPEN_REGION : SYS_LIST_OPEN_PREDECESSOR;
    return directory == AT_FDCWD ? SYS_LIST_OPEN : SYS_LIST_OPEN_AT;
}

static inline int sys_openat(int directory, const char *path, int flags, int mode)
{
    if (!sys_may(sys_name_of_open(directory, flags)))
        return (int)SYS_REFUSED;
    return (int)sys_call(SYS_openat, directory, path, flags | O_CLOEXEC, mode);
}

static inline int sys_open(const char *path, int flags, int mode)
{
    return sys_openat(AT_FDCWD, path, flags, mode);
}

static inline long sys_read(int fd, void *buffer, size_t size)
{
    return sys_checked(READ, SYS_read, fd, buffer, size, 0);
}

static inline long sys_write(int fd, const void *buffer, size_t size)
{
    return sys_checked(WRITE, SYS_write, fd, buffer, size, 0);
}

static inline void sys_close(int fd)
{
    sys_checked(CLOSE, SYS_close, fd, 0, 0, 0);
}

static inline long sys_fstat(int fd, struct stat *st)
{
    return sys_checked(FSTAT, SYS_fstat, fd, st, 0, 0);
}

static inline long sys_stat(const char *path, struct stat *st)
{
    return sys_checked(STAT, SYS_newfstatat, AT_FDCWD, path, st, 0);
}

static inline long sys_flock(int fd, int operation)
{
    return sys_checked(FLOCK, SYS_flock, fd, operation, 0, 0);
}

static inline long sys_pread(int fd, void *buffer, size_t size, size_t offset)
{
    return sys_checked(PREAD, SYS_pread64, fd, buffer, size, offset);
}

static inline long sys_fchmod(int fd, int mode)
{
    return sys_checked(FCHMOD, SYS_fchmod, fd, mode, 0, 0);
}

static inline long sys_chmod(const char *path, int mode)
{
    return sys_checked(CHMOD, SYS_fchmodat, AT_FDCWD, path, mode, 0);
}

static inline long sys_unlink_at(int directory, const char *name)
{
    return sys_checked(UNLINK_AT, SYS_unlinkat, directory, name, 0, 0);
}

/* To the start. */
static inline long sys_rewind(int fd)
{
    return sys_checked(LSEEK, SYS_lseek, fd, 0, 0, 0);
}

static inline long sys_getdents(int fd, void *buffer, size_t size)
{
    return sys_checked(GETDENTS, SYS_getdents64, fd, buffer, size, 0);
}

/* Follows no link. */
static inline long sys_stat_at(int directory, const char *name, struct stat *st)
{
    return sys_checked(STAT_AT, SYS_newfstatat, directory, name, st, AT_SYMLINK_NOFOLLOW);
}

static inline long sys_fstatfs(int fd, void *fs)
{
    return sys_checked(FSTATFS, SYS_fstatfs, fd, fs, 0, 0);
}

static inline long sys_ftruncate(int fd, long size)
{
    return sys_checked(FTRUNCATE, SYS_ftruncate, fd, size, 0, 0);
}

static inline long sys_fallocate(int fd, uint64_t from, uint64_t size)
{
    return sys_checked(FALLOCATE, SYS_fallocate, fd, 0, from, size);
}

static inline long sys_unlink(const char *path)
{
    return sys_checked(UNLINK, SYS_unlink, path, 0, 0, 0);
}

static inline long sys_rename(const char *from, const char *to)
{
    return sys_checked(RENAME, SYS_rename, from, to, 0, 0);
}

static inline long sys_mkdir(const char *path, int mode)
{
    return sys_checked(MKDIR, SYS_mkdir, path, mode, 0, 0);
}

/* limit: struct rlimit. */
static inline long sys_getrlimit(int resource, void *limit)
{
    return sys_checked(PRLIMIT, SYS_prlimit64, 0, resource, 0, limit);
}

/* A number above INT32_MAX: not to be had. The same of the others below. */
static inline uint32_t sys_getpid(void)
{
    return (uint32_t)sys_checked(GETPID, SYS_getpid, 0, 0, 0, 0);
}

static inline uint32_t sys_getppid(void)
{
    return (uint32_t)sys_checked(GETPPID, SYS_getppid, 0, 0, 0, 0);
}

static inline uint32_t sys_gettid(void)
{
    return (uint32_t)sys_checked(GETTID, SYS_gettid, 0, 0, 0, 0);
}

static inline uint32_t sys_geteuid(void)
{
    return (uint32_t)sys_checked(GETEUID, SYS_geteuid, 0, 0, 0, 0);
}

static inline long sys_readlink(const char *path, char *buffer, size_t size)
{
    return sys_checked(READLINK, SYS_readlink, path, buffer, size, 0);
}

static inline long sys_getcwd(char *buffer, size_t size)
{
    return sys_checked(GETCWD, SYS_getcwd, buffer, size, 0, 0);
}

/* Whether 8 bytes at `address` can be read: the kernel tries for us, and changes nothing (how =
 * ~0). Where a filter refuses to say, nothing can be. */
static inline bool sys_readable(uintptr_t address)
{
    return sys_checked(TRY, SYS_rt_sigprocmask, ~0, address, 0, 8) == -22 /* EINVAL: of `how` */;
}

/*
 * A clock in ns: libc's vDSO reads it from memory. Without one it is a call, and some hardware has
 * fine clocks that need one, too: where that is forbidden the coarse clock serves, or 0.
 */
static inline uint64_t sys_clock(clockid_t fine, clockid_t coarse)
{
    struct timespec now = {0, 0};
    if (sys_may(SYS_LIST_CLOCK))
        clock_gettime(fine, &now);
    else if (getauxval(AT_SYSINFO_EHDR) != 0)
        clock_gettime(coarse, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Private zeroed memory for tables; NULL when refused. Large sparse tables pass reserve = false. */
void *memory_map(size_t size, bool reserve);
/* The same for a table that is about to be filled all over: in huge pages where it is that large. */
void *memory_map_filled(size_t size);
void memory_unmap(void *memory, size_t size);
/* Bytes mapped so far, for the gauge. */
uint64_t memory_mapped(void);

#endif
