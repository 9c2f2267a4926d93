/*
 * doctor's checks of the machine: what a trace needs besides the program. The last of them traces
 * /bin/true.
 */
#include "tools/cmd/doctor.h"
#include "tools/cmd/launch.h"
#include "tools/cmd/library.h"
#include "tools/cmd/session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1024ull * 1024)
#define SPACE_ENOUGH (128 * MIB) /* for a big program with many call stacks */
#define SPACE_LEAST (4 * MIB)    /* for any program at all */

static void check_space(struct findings *findings, const char *directory)
{
    struct statvfs fs;
    if (statvfs(directory, &fs) != 0)
        return;
    unsigned long long free_bytes = (unsigned long long)fs.f_bavail * fs.f_frsize;
    const char *fix = "free space there, set TRACESNAP_DIR to a directory with more, or give the "
                      "container more shared memory (docker run --shm-size=1g)";
    if (free_bytes < SPACE_LEAST)
        findings_add(findings, LEVEL_PROBLEM, "space", fix, "only %llu KiB free in '%s'",
                     free_bytes / 1024, directory);
    else if (free_bytes < SPACE_ENOUGH)
        findings_add(findings, LEVEL_NOTE, "space", fix,
                     "%llu MiB free in '%s': a program with very many call stacks may need more",
                     free_bytes / MIB, directory);
    else
        findings_add(findings, LEVEL_OK, "space", NULL, "%llu MiB free", free_bytes / MIB);
}

static bool check_directory(struct findings *findings)
{
    char directory[PATH_MAX];
    struct error error = {""};
    if (region_directory(directory, sizeof(directory), &error) != 0) {
        findings_add(findings, LEVEL_PROBLEM, "directory", NULL, "%s", error.text);
        return false;
    }
    if (access(directory, W_OK | X_OK) != 0) {
        findings_add(findings, LEVEL_PROBLEM, "directory", "make it writable or set TRACESNAP_DIR",
                     "cannot write in the region directory '%s': %s", directory, strerror(errno));
        return false;
    }
    findings_add(findings, LEVEL_OK, "directory", NULL, "regions go to '%s'", directory);
    check_space(findings, directory);
    return true;
}

/* In a child of our own: its environment and its streams are not ours. */
static int trace_true(const char *library, const char *id, int messages)
{
    char options[64];
    char *arguments[] = {"/bin/true", NULL};
    struct launch launch;
    snprintf(options, sizeof(options), "session=%s", id);
    if (library_preload(library, options, NULL) != 0)
        return 125;
    dup2(messages, STDERR_FILENO);
    return launch_program(&launch, arguments, NULL, NULL) == 0 ? launch.status : 125;
}

static void read_message(int fd, char *text, size_t size)
{
    ssize_t got = pread(fd, text, size - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

static void remove_session(const char *id, bool *found)
{
    struct session session;
    *found = false;
    if (session_load(&session, id, 0, NULL) != 0)
        return;
    for (size_t i = 0; i < session.count; i++) {
        *found = true;
        unlink(session.entries[i]->path);
    }
    session_free(&session);
}

static void check_preload(struct findings *findings, const char *library)
{
    char id[40], text[512] = "";
    bool found;
    int messages = memfd_create("doctor", MFD_CLOEXEC);
    session_name(id, false);
    pid_t pid = fork();
    if (pid == 0)
        _exit(trace_true(library, id, messages));
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        status = -1;
    remove_session(id, &found);
    if (messages >= 0) {
        read_message(messages, text, sizeof(text));
        close(messages);
    }
    if (status == 0 && found && *text)
        findings_add(findings, LEVEL_NOTE, "preload", "correct LD_PRELOAD or TRACESNAP_OPTIONS",
                     "/bin/true was traced; it said: %s", text);
    else if (status != 0 || *text)
        findings_add(findings, LEVEL_PROBLEM, "preload",
                     "see what the loader says, above all about the library",
                     "/bin/true fails with the library preloaded (status %d): %s",
                     WEXITSTATUS(status), text);
    else if (!found)
        findings_add(findings, LEVEL_PROBLEM, "preload",
                     "unset LD_PRELOAD and TRACESNAP_OPTIONS and try again; "
                     "TRACESNAP_OPTIONS=verbose=1 says more",
                     "/bin/true left no region when it was traced");
    else
        findings_add(findings, LEVEL_OK, "preload", NULL, "/bin/true was traced");
}

void doctor_check_environment(struct findings *findings)
{
    char library[PATH_MAX];
    struct error error = {""};
    bool found = library_find(library, sizeof(library), &error) == 0;
    if (found)
        findings_add(findings, LEVEL_OK, "library", NULL, "'%s'", library);
    else
        findings_add(findings, LEVEL_PROBLEM, "library", NULL, "%s", error.text);
    bool writable = check_directory(findings);
    doctor_check_limits(findings);
    if (found && writable)
        check_preload(findings, library);
}
