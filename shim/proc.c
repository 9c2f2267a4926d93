/*
 * What /proc tells, read without libc: by a start that comes before libc is ready, or after a fork.
 */
#include "shim/proc.h"
#include "region/keep.h"
#include "shim/system.h"
#include "shim/text.h"

size_t proc_read(const char *path, char *buffer, size_t size)
{
    int fd = sys_open(path, O_RDONLY, 0);
    size_t have = 0;
    while (fd >= 0 && have < size - 1) {
        long got = sys_read(fd, buffer + have, size - 1 - have);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    if (fd >= 0)
        sys_close(fd);
    buffer[have] = '\0';
    return have;
}

struct proc_stat proc_stat(uint64_t pid)
{
    char path[64], stat[1024];
    struct proc_stat found = {0, 0};
    struct text text = text_in(path, sizeof path);
    text_add(&text, "/proc/");
    if (pid == 0)
        text_add(&text, "self");
    else
        text_number(&text, pid);
    text_add(&text, "/stat");
    size_t at = proc_read(path, stat, sizeof stat);
    while (at > 0 && stat[at - 1] != ')')
        at--;
    const char *end;
    for (int blanks = 0; stat[at] != '\0' && blanks <= 20; at++) {
        blanks += stat[at] == ' ';
        if (stat[at] == ' ' && blanks == 2)
            found.parent = text_parse(stat + at + 1, &end);
        else if (stat[at] == ' ' && blanks == 20)
            found.start_ticks = text_parse(stat + at + 1, &end);
    }
    return found;
}

uint32_t proc_namespace(void)
{
    char link[64];
    const char *end;
    long length = sys_readlink(TS_NAMESPACE_LINK, link, sizeof link - 1);
    link[length > 0 ? length : 0] = '\0';
    const size_t prefix = sizeof TS_NAMESPACE_PREFIX - 1;
    return length > (long)prefix ? (uint32_t)text_parse(link + prefix, &end) : 0;
}
