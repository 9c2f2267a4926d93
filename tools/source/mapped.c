/*
 * Whether a process still runs the program that wrote a region, and which process that is: it may
 * have exec'ed a program that cannot be traced (static, setuid), or have its pid in another
 * namespace than this tool.
 */
#include "tools/source/reader.h"

#include "region/keep.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether a line of `maps` ends with this name, maybe of a file that was removed. */
static bool has_name(const char *maps, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = maps; (at = strstr(at, name)) != NULL; at += length)
        if (at[length] == '\n' || at[length] == ' ' || at[length] == '\0')
            return true;
    return false;
}

bool process_runs_another(const struct ts_process *process, uid_t owner, uint32_t pid)
{
    struct proc_status status;
    char name[64];
    if (!process->locked)
        return false;
    int length = snprintf(name, sizeof(name), "/%u-%llu", process->pid,
                          (unsigned long long)process->start_ticks);
    if (process->sequence > 0)
        snprintf(name + length, sizeof(name) - (size_t)length, "-%u", process->sequence);
    size_t size = 0;
    char *maps = proc_read(pid, "maps", &size);
    if (maps == NULL && (errno == EACCES || errno == EPERM))
        /* A program without rights cannot take another user's, but by exec of a setuid one. */
        return owner != 0 && proc_status_read(&status, pid) && status.effective_uid != owner;
    /* Nothing is mapped by a first thread that ended before the others. */
    bool another = maps != NULL && size != 0 && !has_name(maps, name);
    free(maps);
    return another;
}

uint32_t process_namespace(uint32_t pid)
{
    char link[64] = TS_NAMESPACE_LINK, text[64] = "";
    unsigned number = 0;
    if (pid != 0)
        snprintf(link, sizeof(link), "/proc/%u/ns/pid", pid);
    ssize_t length = readlink(link, text, sizeof(text) - 1);
    return length > 0 && sscanf(text, TS_NAMESPACE_PREFIX "%u", &number) == 1 ? number : 0;
}

static bool is_the_process(const struct ts_process *process, uint32_t pid)
{
    struct proc_status status;
    return proc_status_read(&status, pid) && status.inner_pid == process->pid &&
           status.start_ticks == process->start_ticks &&
           (process_namespace(pid) == 0 || process_namespace(pid) == process->pid_namespace);
}

uint32_t process_pid_here(const struct ts_process *process)
{
    uint32_t own = process_namespace(0), found = 0;
    if (process->pid_namespace == 0 || own == 0 || process->pid_namespace == own)
        return process->pid;
    DIR *listing = opendir("/proc");
    for (struct dirent *entry;
         listing != NULL && found == 0 && (entry = readdir(listing)) != NULL;) {
        uint32_t pid = source_name_pid(entry->d_name);
        if (pid != 0 && is_the_process(process, pid))
            found = pid;
    }
    if (listing != NULL)
        closedir(listing);
    return found;
}
