/*
 * Reads source lines. The names come from debug information, so that anything may stand there: only
 * regular files are read, opening one never waits, and control characters do not reach the
 * terminal.
 */
#include "tools/render/source_line.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static FILE *open_regular(const char *file)
{
    struct stat status;
    int fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    FILE *in = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? fdopen(fd, "r") : NULL;
    if (!in)
        close(fd);
    return in;
}

bool source_line(char *text, const char *file, uint32_t line)
{
    uint32_t at = 1;
    size_t length = 0;
    int c;
    FILE *in = line ? open_regular(file) : NULL;
    if (!in)
        return false;
    while (at < line && (c = getc_unlocked(in)) != EOF)
        at += c == '\n';
    while (at == line && (c = getc_unlocked(in)) != EOF && c != '\n') {
        if (iscntrl(c))
            c = ' ';
        if (length < SOURCE_LINE_MAX - 1 && (length > 0 || !isspace(c)))
            text[length++] = (char)c;
    }
    fclose(in);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    text[length] = '\0';
    return length > 0;
}
