/*
 * From pids to regions: a child that stands for a traced process, its region in one place after the other; the
 * control word; and the rules for directories.
 */
#include "tests/unit/reader_build.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;
static uint64_t child_ticks;

static uint64_t start_ticks(pid_t pid)
{
    char path[64], text[1024] = "";
    unsigned long long ticks = 0;
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL || fread(text, 1, sizeof(text) - 1, file) == 0)
        abort();
    fclose(file);
    sscanf(strrchr(text, ')') + 1,
           " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
           &ticks);
    return ticks;
}

/* Starts a child named "a (b) c" with `directory` as its TRACESNAP_DIR; `mapped` is a file that it maps. */
static void start_child(const char *directory, const char *mapped)
{
    int ready[2];
    char byte;
    if (pipe(ready) != 0)
        abort();
    fflush(stdout);
    child = fork();
    if (child == 0) {
        char variable[PATH_MAX + 32], script[PATH_MAX * 2];
        snprintf(variable, sizeof(variable), "TRACESNAP_DIR=%s", directory);
        snprintf(script, sizeof(script),
                 "import mmap,os,sys,time\n"
                 "open('/proc/self/comm','w').write('a (b) c')\n"
                 "name = '%s'\n"
                 "ticks = open('/proc/self/stat').read().rsplit(')', 1)[1].split()[19]\n"
                 "if name:\n"
                 "    own = name + '/' + str(os.getpid()) + '-' + ticks\n"
                 "    os.rename(name + '/mapped', own)\n"
                 "    keep = mmap.mmap(os.open(own, os.O_RDWR), 4096)\n"
                 "os.write(%d, b'x')\n"
                 "time.sleep(60)\n",
                 mapped != NULL ? mapped : "", ready[1]);
        char *environment[] = {variable, NULL}, *arguments[] = {"python3", "-c", script, NULL};
        execvpe(arguments[0], arguments, environment);
        _exit(127);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) {
        printf("Bail out! the child did not start\n");
        exit(99);
    }
    close(ready[0]);
    child_ticks = start_ticks(child);
}

static void end_child(void)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static const char *child_name(void)
{
    static char name[32];
    snprintf(name, sizeof(name), "%ld", (long)child);
    return name;
}

/* A region of the child in `directory` (below the scratch directory), with a sequence number. */
static void put_region(const char *directory, uint32_t sequence, enum ts_state state)
{
    struct built built;
    char name[128];
    mkdir(scratch_path(directory), 0700);
    int length = snprintf(name, sizeof(name), "%s/%ld-%llu", directory, (long)child,
                          (unsigned long long)child_ticks);
    if (sequence > 0)
        snprintf(name + length, sizeof(name) - (size_t)length, "-%u", sequence);
    built_begin(&built, name);
    built_header(&built)->process.pid = (uint32_t)child;
    built_header(&built)->process.start_ticks = child_ticks;
    built_header(&built)->process.sequence = sequence;
    built_header(&built)->process.state = state;
    built_end(&built);
}

static void expect_state(const char *state, uint32_t sequence, const char *name)
{
    struct error error = {""};
    struct capture *capture = source_open(child_name(), &error);
    tap_text(capture != NULL ? capture->process.state : error.text, state, name);
    tap_number(capture != NULL ? capture->process.sequence : UINT64_MAX, sequence, "the right one");
    capture_free(capture);
}

static void expect_error(const char *format, const char *name)
{
    struct error error = {""};
    char expected[256];
    struct capture *capture = source_open(child_name(), &error);
    snprintf(expected, sizeof(expected), format, child_name());
    tap_text(capture != NULL ? "(it was read)" : error.text, expected, name);
    capture_free(capture);
}

static uint64_t control_word(void)
{
    struct error error = {""};
    struct capture *capture = source_open(child_name(), &error);
    uint64_t paused = capture != NULL && capture->process.paused;
    capture_free(capture);
    return paused;
}

static void test_own_directory(void)
{
    struct error error = {""};
    setenv("TRACESNAP_DIR", scratch_path("own"), 1);
    start_child("/nonexistent", NULL);
    expect_error(
        "process '%s' (a (b) c) is not traced: start it with 'tracesnap run -- CMD' or with"
        " LD_PRELOAD=libtracesnap.so",
        "no region: not traced");
    put_region("own", 0, TS_STATE_REPLACED);
    expect_state("replaced", 0, "a region in the reader's own directory");
    put_region("own", 2, TS_STATE_RUNNING);
    put_region("own", 1, TS_STATE_REPLACED);
    expect_state("running", 2, "of several programs the last");
    tap_number((uint64_t)region_control(child_name(), REGION_PAUSE, &error), 0,
               "pause is accepted");
    tap_number(control_word(), 1, "and stands in the region");
    tap_number((uint64_t)region_control(child_name(), REGION_RESUME, &error), 0,
               "resume is accepted");
    tap_number(control_word(), 0, "and takes it back");
}

static void test_list(void)
{
    struct region_list list;
    struct error error = {""};
    fclose(fopen(scratch_path("own/note.txt"), "w"));
    tap_number((uint64_t)region_list_load(&list, false, &error), 0, "the list is loaded");
    size_t own = 0;
    uint32_t last = 0;
    bool alive = true;
    for (size_t i = 0; i < list.count; i++)
        if (list.entries[i].pid == (uint32_t)child) {
            own++;
            last = list.entries[i].sequence;
            alive = alive && list.entries[i].alive;
        }
    tap_number(own, 3, "with the child's three regions");
    tap(last == 2 && alive, "in order of their sequence, alive");
    tap(list.unreadable >= 1, "what is no region is counted");
    region_list_free(&list);
}

static void test_dead(void)
{
    struct error error = {""};
    end_child();
    expect_state("ended", 2, "after SIGKILL the last region is found by its name");
    tap_number((uint64_t)(region_control(child_name(), REGION_CLEAR, &error) + 1), 0,
               "clear is refused");
    char expected[128];
    snprintf(expected, sizeof(expected), "process '%s' has ended: clear needs a live process",
             child_name());
    tap_text(error.text, expected, "with the reason");
    setenv("TRACESNAP_DIR", "/nonexistent", 1);
    expect_error("no such process '%s' and no region of it: see 'tracesnap ps'",
                 "no process, no region");
}

static void test_other_places(void)
{
    char theirs[PATH_MAX];
    struct built built;
    snprintf(theirs, sizeof(theirs), "%s", scratch_path("theirs"));
    start_child(theirs, NULL);
    put_region("theirs", 0, TS_STATE_RUNNING);
    expect_state("running", 0, "a region where the process's own environment says");
    end_child();

    snprintf(theirs, sizeof(theirs), "%s", scratch_path("odd"));
    mkdir(theirs, 0700);
    built_begin(&built, "odd/mapped");
    start_child("/nonexistent", theirs);
    built_header(&built)->process.pid = (uint32_t)child;
    built_header(&built)->process.start_ticks = child_ticks;
    expect_state("running", 0, "a region that only the process's mappings name");
    built_end(&built);
    end_child();
}

static void expect_directory(const char *variable, int result, const char *text)
{
    char path[PATH_MAX] = "", expected[PATH_MAX + 256];
    struct error error = {""};
    setenv("TRACESNAP_DIR", variable, 1);
    tap_number((uint64_t)region_directory(path, sizeof(path), &error), (uint64_t)result, text);
    snprintf(expected, sizeof(expected), result == 0 ? "%s" : text, variable);
    tap_text(result == 0 ? path : error.text, expected, "and says so");
}

static void test_directories(void)
{
    struct stat status;
    expect_directory(scratch_path("new"), 0, "a missing directory is made");
    tap(stat(scratch_path("new"), &status) == 0 && (status.st_mode & 0777) == 0700,
        "closed to others");
    chmod(scratch_path("new"), 0770);
    expect_directory(scratch_path("new"), -1,
                     "region directory '%s' can be written by others: chmod 700"
                     " it, or set TRACESNAP_DIR to a directory of yours");
    if (symlink("own", scratch_path("link")) != 0)
        abort();
    expect_directory(scratch_path("link"), -1,
                     "cannot open region directory '%s': Not a directory: set"
                     " TRACESNAP_DIR to a directory of yours with mode 0700");
    if (geteuid() == 0) {
        mkdir(scratch_path("foreign"), 0700);
        if (chown(scratch_path("foreign"), 65534, 65534) != 0)
            abort();
        expect_directory(
            scratch_path("foreign"), -1,
            "region directory '%s' belongs to another user: set TRACESNAP_DIR to a directory"
            " of yours with mode 0700");
    }
}

int main(void)
{
    scratch_make();
    test_own_directory();
    test_list();
    test_dead();
    test_other_places();
    test_directories();
    scratch_remove();
    return tap_end();
}
