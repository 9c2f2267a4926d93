/*
 * doctor's checks of what the system allows a process: resource limits, memory, system calls, and
 * whether it sees other processes as they are. None of this keeps a program from running; it costs
 * records, and these are counted.
 */
#include "tools/cmd/doctor.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1024ull * 1024)
#define MEMORY_ENOUGH (128 * MIB) /* for the region and tables of a big program */
#define ADDRESS_SPACE_ENOUGH (2048 * MIB)
#define DATA_ENOUGH (256 * MIB)
#define DESCRIPTORS_ENOUGH 16
#define INITIAL_PID_NAMESPACE 0xeffffffcu /* linux/proc_ns.h: PROC_PID_INIT_INO */

static const struct {
    int resource;
    const char *name, *unit;
    unsigned long long divisor, enough;
    const char *fix;
} limits[] = {
    {RLIMIT_FSIZE, "the greatest size of a file (ulimit -f)", " KiB", 1024, MEMORY_ENOUGH,
     "raise it, or expect drops (region_full)"},
    {RLIMIT_AS, "the address space (ulimit -v)", " KiB", 1024, ADDRESS_SPACE_ENOUGH,
     "raise it, or expect drops (region_full)"},
    {RLIMIT_DATA, "the data of a process (ulimit -d)", " KiB", 1024, DATA_ENOUGH,
     "raise it: the tables of the library count, too, some 5 MiB and an eighth of the heap"},
    {RLIMIT_NOFILE, "the number of open files (ulimit -n)", "", 1, DESCRIPTORS_ENOUGH,
     "raise it: a program that has them all open when it first allocates cannot be traced"},
};

static void check_resources(struct findings *findings)
{
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rlimit limit;
        if (getrlimit((__rlimit_resource_t)limits[i].resource, &limit) == 0 &&
            limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < limits[i].enough)
            findings_add(findings, LEVEL_NOTE, "limits", limits[i].fix, "%s is %llu%s",
                         limits[i].name, (unsigned long long)limit.rlim_cur / limits[i].divisor,
                         limits[i].unit);
    }
}

/* The first number in a file; false when there is none ("max"). */
static bool read_number(const char *path, unsigned long long *number)
{
    FILE *file = fopen(path, "re");
    bool found = file && fscanf(file, "%llu", number) == 1;
    if (file)
        fclose(file);
    return found;
}

/* The number behind a word at the start of a line; false when it is not there. */
static bool read_field(const char *path, const char *word, unsigned long long *number)
{
    char line[256];
    bool found = false;
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof(line), file))
        found = strncmp(line, word, strlen(word)) == 0 &&
                sscanf(line + strlen(word), "%llu", number) == 1;
    if (file)
        fclose(file);
    return found;
}

static void check_overcommit(struct findings *findings)
{
    unsigned long long mode, limit, used;
    if (!read_number("/proc/sys/vm/overcommit_memory", &mode) || mode != 2 ||
        !read_field("/proc/meminfo", "CommitLimit:", &limit) ||
        !read_field("/proc/meminfo", "Committed_AS:", &used))
        return;
    findings_add(findings, LEVEL_NOTE, "overcommit",
                 "raise vm.overcommit_ratio if memory is refused (drops no_index, contexts_full)",
                 "vm.overcommit_memory is 2: tables count in full before they are used; %llu MiB are "
                 "left for all processes",
                 limit > used ? (limit - used) / 1024 : 0);
}

struct memory_group {
    const char *root, *most, *now;
};

static const struct memory_group unified = {"/sys/fs/cgroup", "memory.max", "memory.current"};
static const struct memory_group legacy = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
                                           "memory.usage_in_bytes"};

/*
 * What a group and those above it leave, the least of them. In a container the group's own path may
 * be the host's, which is not there: then what is mounted is the group.
 */
static bool read_group(const struct memory_group *group, const char *path, unsigned long long *left)
{
    char directory[PATH_MAX], file[PATH_MAX + 32];
    bool found = false;
    if (snprintf(directory, sizeof(directory), "%s%s", group->root, path) >= PATH_MAX)
        return false;
    for (;;) {
        unsigned long long most, now;
        snprintf(file, sizeof(file), "%s/%s", directory, group->most);
        bool limited = read_number(file, &most);
        snprintf(file, sizeof(file), "%s/%s", directory, group->now);
        if (limited && read_number(file, &now)) {
            unsigned long long rest = most > now ? most - now : 0;
            if (!found || rest < *left)
                *left = rest;
            found = true;
        }
        char *slash = strrchr(directory, '/');
        if (strlen(directory) <= strlen(group->root) || slash == NULL)
            return found;
        *slash = '\0';
    }
}

/* A line of /proc/self/cgroup: "NUMBER:CONTROLLERS:PATH"; version 2 has number 0 and none. */
static void check_groups(struct findings *findings)
{
    char line[PATH_MAX];
    unsigned long long left = 0;
    bool found = false;
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && !found && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (path == NULL)
            continue;
        *path++ = '\0';
        if (strcmp(line, "0:") == 0)
            found = read_group(&unified, path, &left);
        else if (strstr(controllers, "memory"))
            found = read_group(&legacy, path, &left);
    }
    if (file)
        fclose(file);
    if (found && left < MEMORY_ENOUGH)
        findings_add(findings, LEVEL_NOTE, "cgroup",
                     "raise the limit of the group or container: regions in /dev/shm and the library's "
                     "tables count to it",
                     "the control group leaves %llu MiB of memory", left / MIB);
}

static void check_seccomp(struct findings *findings)
{
    unsigned long long mode;
    if (read_field("/proc/self/status", "Seccomp:", &mode) && mode != 0)
        findings_add(findings, LEVEL_NOTE, "seccomp",
                     "let it allow what tracesnap(7) lists, or refuse it with an error: a filter that "
                     "kills for one of these calls ends the program",
                     "a system call filter is in force here; what it refuses is counted as drops");
}

static void check_processes(struct findings *findings)
{
    struct stat status;
    if (access("/proc/self/stat", R_OK) != 0) {
        findings_add(findings, LEVEL_NOTE, "processes", "mount /proc",
                     "no /proc: regions can be read by the names of their files only");
        return;
    }
    if (stat("/proc/self/ns/pid", &status) == 0 && status.st_ino != INITIAL_PID_NAMESPACE)
        findings_add(findings, LEVEL_NOTE, "processes",
                     "name processes by the pids of where you are; give containers region directories "
                     "of their own",
                     "a container with pids of its own: processes outside have other numbers");
}

void doctor_check_limits(struct findings *findings)
{
    check_resources(findings);
    check_overcommit(findings);
    check_groups(findings);
    check_seccomp(findings);
    check_processes(findings);
}
