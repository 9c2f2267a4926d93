/*
 * The way to standard output, and its end.
 */
#include "tools/render/output.h"

#include "tools/base/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t pager;

bool output_color(FILE *out, bool always, bool never)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (always || never)
        return always;
    if (no_color && *no_color)
        return false;
    return isatty(fileno(out)) && !(terminal && strcmp(terminal, "dumb") == 0);
}

void output_page(void)
{
    const char *command = getenv("PAGER");
    int ends[2];
    if (!isatty(STDOUT_FILENO) || pager > 0)
        return;
    if (!command || !*command)
        command = "less";
    if (strcmp(command, "cat") == 0 || pipe(ends) != 0)
        return;
    pager = fork();
    if (pager == 0) {
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        close(ends[1]);
        setenv("LESS", "FRX", 0);
        /* Without a pager the text must come out all the same. */
        execl("/bin/sh", "sh", "-c", "eval \"$0\" || { test $? = 127 && exec cat; }", command,
              (char *)NULL);
        _exit(127);
    }
    if (pager > 0)
        dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
}

int output_close(void)
{
    int failed = ferror(stdout) ? (errno ? errno : EIO) : 0;
    if (fflush(stdout) != 0)
        failed = errno;
    if (fclose(stdout) != 0 && failed == 0)
        failed = errno;
    if (pager > 0) {
        while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
            continue;
        pager = 0;
    }
    if (failed == 0 || failed == EPIPE)
        return 0;
    return message_error("cannot write to standard output '%s': free space or choose another place",
                         strerror(failed));
}
