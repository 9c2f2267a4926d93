/*
 * doctor's checks of a program's file: is it one that the loader preloads libraries into?
 */
#include "tools/cmd/doctor.h"
#include "tools/cmd/doctor_elf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPT_LEVELS 4 /* as many interpreters of interpreters as the kernel follows */

static bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* As execvp looks for it. false: `path` is the last thing that was looked at. */
static bool find_program(const char *name, char *path, size_t size)
{
    const char *directories = getenv("PATH");
    snprintf(path, size, "%s", name);
    if (strchr(name, '/'))
        return true;
    for (const char *start = directories ? directories : "/bin:/usr/bin";;) {
        size_t length = strcspn(start, ":");
        snprintf(path, size, "%.*s/%s", length ? (int)length : 1, length ? start : ".", name);
        if (is_program(path))
            return true;
        if (!start[length])
            return false;
        start += length + 1;
    }
}

/* What the loader calls secure execution: it preloads only from the system's own directories then.
 */
static void check_privileges(struct findings *findings, const char *path, const struct stat *status)
{
    const char *fix = "run a copy without these rights, as a user who has them already";
    bool other_user = (status->st_mode & S_ISUID) && status->st_uid != getuid();
    bool other_group = (status->st_mode & S_ISGID) && (status->st_mode & S_IXGRP) &&
                       status->st_gid != getgid();
    if (other_user || other_group)
        findings_add(findings, LEVEL_PROBLEM, "rights", fix,
                     "'%s' is %s: the loader preloads nothing into it", path,
                     other_user ? "setuid" : "setgid");
    else if (geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0)
        findings_add(findings, LEVEL_PROBLEM, "rights", fix,
                     "'%s' has file capabilities: the loader preloads nothing into it", path);
}

/* The program that `#!` names: the word after env, if that is the interpreter. */
static bool read_interpreter(const char *path, char *interpreter, size_t size)
{
    char line[PATH_MAX] = "";
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, line, sizeof(line) - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (got < 3 || line[0] != '#' || line[1] != '!')
        return false;
    line[strcspn(line, "\n")] = '\0';
    char *rest, *word = strtok_r(line + 2, " \t", &rest);
    const char *name = word ? strrchr(word, '/') : NULL;
    if (name && strcmp(name, "/env") == 0)
        while ((word = strtok_r(NULL, " \t", &rest)) && (word[0] == '-' || strchr(word, '=')))
            continue;
    snprintf(interpreter, size, "%s", word ? word : "");
    return true;
}

static void check_file(struct findings *findings, const char *name, int level)
{
    char path[PATH_MAX], interpreter[PATH_MAX];
    struct stat status;
    if (!find_program(name, path, sizeof(path)))
        findings_add(findings, LEVEL_PROBLEM, "program", "check its name and PATH",
                     "not found '%s'", name);
    else if (stat(path, &status) != 0)
        findings_add(findings, LEVEL_PROBLEM, "program", "check its name", "cannot find '%s': %s",
                     path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        findings_add(findings, LEVEL_PROBLEM, "program", "name a program", "not a file '%s'", path);
    else if (access(path, X_OK) != 0)
        findings_add(findings, LEVEL_PROBLEM, "program", "make it executable (chmod +x)",
                     "not executable '%s'", path);
    else if (read_interpreter(path, interpreter, sizeof(interpreter))) {
        findings_add(findings, LEVEL_OK, "program", NULL, "'%s' is a script, run by '%s'", path,
                     interpreter);
        if (level < SCRIPT_LEVELS)
            check_file(findings, interpreter, level + 1);
    } else {
        check_privileges(findings, path, &status);
        doctor_check_elf(findings, path);
    }
}

void doctor_check_program(struct findings *findings, const char *program)
{
    check_file(findings, program, 0);
}
