/*
 * What /proc tells of a traced process, and what regions and snapshots record of it.
 */
#include "tools/source/reader.h"

#include "tools/base/printable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROC_FILE_MAX (64u << 20)

char *text_copy(const char *bytes, size_t max)
{
    size_t length = strnlen(bytes, max);
    char *copy = malloc(length + 1);
    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        bool blank = bytes[i] == '\n' || bytes[i] == '\t' || bytes[i] == '\r';
        copy[i] = blank ? ' ' : bytes[i]; /* a script on the command line */
    }
    copy[length] = '\0';
    remove_orders(copy);
    return copy;
}

char *proc_read(uint32_t pid, const char *name, size_t *size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *text = NULL;
    size_t used = 0, room = 0;
    ssize_t got = 0;
    do {
        used += (size_t)got;
        if (used + 1 >= room) {
            room = room != 0 ? room * 2 : 4096;
            char *moved = room <= PROC_FILE_MAX ? realloc(text, room) : NULL;
            if (moved == NULL) {
                errno = ENOMEM;
                got = -1;
                break;
            }
            text = moved;
        }
        got = read(fd, text + used, room - used - 1);
    } while (got > 0);
    int cause = errno;
    close(fd);
    if (got < 0) {
        free(text);
        errno = cause;
        return NULL;
    }
    text[used] = '\0';
    if (size != NULL)
        *size = used;
    return text;
}

/*
 * The command may hold blanks and parentheses: the last ')' ends it. Fields behind it are counted
 * from 3.
 */
static bool parse_stat(const char *text, struct proc_status *status)
{
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (open == NULL || close == NULL || close < open)
        return false;
    char *command = text_copy(open + 1, (size_t)(close - open - 1));
    snprintf(status->command, sizeof(status->command), "%s", command != NULL ? command : "?");
    free(command);
    char state = 0;
    long threads = 0;
    unsigned long long ticks = 0;
    if (sscanf(close + 1,
               " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %ld"
               " %*s %llu",
               &state, &threads, &ticks) != 3)
        return false;
    status->start_ticks = ticks;
    /* A zombie with threads is a process whose first thread ended before the others. */
    status->alive = state != 'X' && state != 'x' && (state != 'Z' || threads > 1);
    return true;
}

static uint64_t status_number(const char *text, const char *key, bool last)
{
    const char *line = strstr(text, key);
    if (line == NULL)
        return 0;
    char *end = NULL;
    const char *at = line + strlen(key);
    uint64_t value = strtoull(at, &end, 10);
    while (last && *end == '\t') {
        at = end + 1;
        value = strtoull(at, &end, 10);
        if (end == at)
            break;
    }
    return value;
}

bool proc_status_read(struct proc_status *status, uint32_t pid)
{
    *status = (struct proc_status){.inner_pid = pid};
    char *text = proc_read(pid, "stat", NULL);
    if (text == NULL)
        return false;
    bool right = parse_stat(text, status);
    free(text);
    text = right ? proc_read(pid, "status", NULL) : NULL;
    if (text == NULL)
        return right;
    status->rss = status_number(text, "\nVmRSS:", false) * 1024;
    status->peak_rss = status_number(text, "\nVmHWM:", false) * 1024;
    status->uid = (uid_t)status_number(text, "\nUid:", false);
    const char *uids = strstr(text, "\nUid:");
    if (uids == NULL || sscanf(uids, "\nUid: %*u %u", &status->effective_uid) != 1)
        status->effective_uid = status->uid;
    uint32_t inner = (uint32_t)status_number(text, "\nNSpid:", true);
    if (inner != 0)
        status->inner_pid = inner;
    free(text);
    return true;
}

/* A region may outlive a reboot in /tmp; start times are counted from the boot. */
static bool same_boot(const struct ts_process *process)
{
    char id[sizeof(process->boot_id)] = "";
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    ssize_t got = read(fd, id, sizeof(id) - 1);
    close(fd);
    if (got <= 0)
        return true;
    id[strcspn(id, "\n")] = '\0';
    return process->boot_id[0] == '\0' ||
           strncmp(process->boot_id, id, sizeof(process->boot_id)) == 0;
}

bool process_is_alive(const struct ts_process *process, uint32_t pid, struct proc_status *status)
{
    struct proc_status own;
    if (status == NULL)
        status = &own;
    if (!same_boot(process) || !proc_status_read(status, pid) || !status->alive)
        return false;
    /* Where there is no /proc (in a chroot) a process cannot tell when it started. */
    return status->start_ticks == process->start_ticks ||
           (process->start_ticks == 0 && !process_runs_another(process, status->uid, pid));
}

void process_fill_python(struct capture_process *to, const struct ts_process *from)
{
    to->python = from->python < TS_PYTHON_COUNT ? from->python : TS_PYTHON_NONE;
    to->python_version = from->python_version;
    to->interpreter = from->interpreter;
}

int process_fill(struct capture_process *to, const struct ts_process *from)
{
    bool complete = true;
#define X(field) to->field = from->field;
    PROCESS_NUMBERS(X)
#undef X
    process_fill_python(to, from);
#define X(field)                                                                                   \
    to->field = text_copy(from->field, sizeof(from->field));                                       \
    complete = complete && to->field != NULL;
    PROCESS_TEXTS(X)
#undef X
    return complete ? 0 : -1;
}
