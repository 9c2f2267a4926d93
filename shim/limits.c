/*
 * Limits that the program sets itself. The region reserves a gigabyte of addresses, of which little
 * is ever backed. Where a limit begins to count them, most are given back: the program must not
 * fail for our sake. And a forked child that is about to be forbidden descriptors or files, as a
 * sandbox does, gets its region before, since later it could not.
 */
#include "shim/hooks.h"
#include "shim/next.h"
#include "shim/process.h"
#include "shim/region.h"
#include "shim/system.h"

#include <errno.h>

/* Numbers and types of asm-generic/resource.h: libc's header declares the hooks with types of its
 * own. */
#define LIMIT_FILE_SIZE 1
#define LIMIT_DESCRIPTORS 7
#define LIMIT_ADDRESS_SPACE 9
#define DESCRIPTORS_FEW 64               /* fewer: the program means to have no more */
#define FILE_SMALL (UINT64_C(64) << 20) /* smaller: a region would soon be full, if it could be */
#define NO_LIMIT UINT64_MAX
#define ROOM_MOST (UINT64_C(64) << 20)

HOOK_LIST(HOOK_DECLARE)

struct limit {
    uint64_t soft, hard;
};

/* A vfork child sets limits of its own, but the memory is its parent's, which has others. */
static void make_room(uint64_t limit)
{
    if (limit != NO_LIMIT && process_owns_memory())
        region_shrink(limit / 16 < ROOM_MOST ? limit / 16 : ROOM_MOST, process_is_fresh_child());
}

/* limit: as the program gave it; it may be no pointer at all. */
static void before_limit(int resource, const void *limit)
{
    if ((resource != LIMIT_FILE_SIZE && resource != LIMIT_DESCRIPTORS) || limit == NULL ||
        thread_self.busy != THREAD_FREE || !process_is_fresh_child() ||
        !sys_readable((uintptr_t)limit))
        return;
    if (((const struct limit *)limit)->soft <
        (resource == LIMIT_DESCRIPTORS ? DESCRIPTORS_FEW : FILE_SMALL))
        process_begin();
}

static int after_limit(int result, int resource, const void *limit)
{
    if (result == 0 && resource == LIMIT_ADDRESS_SPACE && limit != NULL)
        make_room(((const struct limit *)limit)->soft);
    return result;
}

static bool is_ours(int pid)
{
    return pid == 0 || (sys_may(SYS_LIST_GETPID) && (uint32_t)pid == sys_getpid());
}

static int failed(void)
{
    errno = ENOSYS;
    return -1;
}

int setrlimit(int resource, const void *limit)
{
    if (!have_next() || next.setrlimit == NULL)
        return failed();
    before_limit(resource, limit);
    return after_limit(next.setrlimit(resource, limit), resource, limit);
}

int setrlimit64(int resource, const void *limit)
{
    if (!have_next() || next.setrlimit64 == NULL)
        return failed();
    before_limit(resource, limit);
    return after_limit(next.setrlimit64(resource, limit), resource, limit);
}

int prlimit(int pid, int resource, const void *limit, void *old)
{
    if (!have_next() || next.prlimit == NULL)
        return failed();
    if (pid == 0)
        before_limit(resource, limit);
    return after_limit(next.prlimit(pid, resource, limit, old), resource,
                       is_ours(pid) ? limit : NULL);
}

int prlimit64(int pid, int resource, const void *limit, void *old)
{
    if (!have_next() || next.prlimit64 == NULL)
        return failed();
    if (pid == 0)
        before_limit(resource, limit);
    return after_limit(next.prlimit64(pid, resource, limit, old), resource,
                       is_ours(pid) ? limit : NULL);
}

/* Refused with ENOMEM: RLIMIT_MEMLOCK is smaller than all that is mapped, which may be our doing.
 */
int mlockall(int flags)
{
    if (!have_next() || next.mlockall == NULL)
        return failed();
    int result = next.mlockall(flags), kept = errno;
    if (result == 0 || kept != ENOMEM)
        return result;
    make_room(0);
    errno = kept;
    return next.mlockall(flags);
}
