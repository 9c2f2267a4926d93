/*
 * Limits that the program sets itself. The region reserves a gigabyte of addresses, of which little
 * is ever backed. Where a limit begins to count them, most are given back: the program must not
 * fail for our sake.
 */
#include "shim/hooks.h"
#include "shim/next.h"
#include "shim/process.h"
#include "shim/region.h"
#include "shim/system.h"

#include <errno.h>

/* Numbers and types of asm-generic/resource.h: libc's header declares the hooks with types of its
 * own. */
#define LIMIT_ADDRESS_SPACE 9
#define NO_LIMIT UINT64_MAX
#define ROOM_MOST (UINT64_C(64) << 20)

HOOK_LIST(HOOK_DECLARE)

struct limit {
    uint64_t soft, hard;
};

/* A vfork child sets limits of its own, but the memory is its parent's, which has others. */
static bool is_our_memory(void)
{
    return process_is_fresh_child() || process_is_own();
}

static void make_room(uint64_t limit)
{
    if (limit != NO_LIMIT && is_our_memory())
        region_shrink(limit / 16 < ROOM_MOST ? limit / 16 : ROOM_MOST, process_is_fresh_child());
}

static int after_limit(int result, int resource, const void *limit)
{
    if (result == 0 && resource == LIMIT_ADDRESS_SPACE && limit != NULL)
        make_room(((const struct limit *)limit)->soft);
    return result;
}

static bool is_ours(int pid)
{
    return pid == 0 || (uint32_t)pid == sys_getpid();
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
    return after_limit(next.setrlimit(resource, limit), resource, limit);
}

int setrlimit64(int resource, const void *limit)
{
    if (!have_next() || next.setrlimit64 == NULL)
        return failed();
    return after_limit(next.setrlimit64(resource, limit), resource, limit);
}

int prlimit(int pid, int resource, const void *limit, void *old)
{
    if (!have_next() || next.prlimit == NULL)
        return failed();
    return after_limit(next.prlimit(pid, resource, limit, old), resource,
                       is_ours(pid) ? limit : NULL);
}

int prlimit64(int pid, int resource, const void *limit, void *old)
{
    if (!have_next() || next.prlimit64 == NULL)
        return failed();
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
