/*
 * Snapshots: what comes back is what went in; what cannot be written whole leaves nothing behind.
 */
#include "tests/unit/reader_build.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct capture *must_open(const char *path)
{
    struct error error = {""};
    struct capture *capture = source_open(path, &error);
    if (capture == NULL) {
        printf("Bail out! %s\n", error.text);
        exit(99);
    }
    return capture;
}

static struct capture *sample(void)
{
    struct built built;
    built_sample(&built, "sample");
    built_header(&built)->control |= TS_CONTROL_PAUSED;
    struct capture *capture = must_open(built.path);
    built_end(&built);
    return capture;
}

static int files_in_scratch(void)
{
    int count = 0;
    DIR *directory = opendir(scratch);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static bool same_texts(const struct capture_process *a, const struct capture_process *b)
{
    return strcmp(a->exe, b->exe) == 0 && strcmp(a->cmdline, b->cmdline) == 0 &&
           strcmp(a->host, b->host) == 0 && strcmp(a->options, b->options) == 0 &&
           strcmp(a->session, b->session) == 0 && strcmp(a->version, b->version) == 0 &&
           strcmp(a->boot_id, b->boot_id) == 0 && strcmp(a->state, b->state) == 0;
}

static bool same_numbers(const struct capture_process *a, const struct capture_process *b)
{
    return a->pid == b->pid && a->parent_pid == b->parent_pid && a->uid == b->uid &&
           a->sequence == b->sequence && a->start_ticks == b->start_ticks &&
           a->start_time == b->start_time && a->end_time == b->end_time &&
           a->taken_at == b->taken_at && a->alive == b->alive && a->depth == b->depth &&
           a->paused == b->paused && a->sample == b->sample && a->rss == b->rss &&
           a->peak_rss == b->peak_rss && a->region_size == b->region_size &&
           a->python == b->python && a->python_version == b->python_version &&
           memcmp(&a->interpreter, &b->interpreter, sizeof(a->interpreter)) == 0;
}

static bool same_contexts(const struct capture *a, const struct capture *b)
{
    if (a->node_count != b->node_count || a->context_count != b->context_count)
        return false;
    for (uint32_t i = 0; i < a->node_count; i++)
        if (a->nodes[i].key != b->nodes[i].key || a->nodes[i].parent != b->nodes[i].parent)
            return false;
    for (uint32_t i = 0; i < a->context_count; i++)
        if (a->contexts[i].node != b->contexts[i].node ||
            a->contexts[i].domain != b->contexts[i].domain ||
            memcmp(&a->contexts[i].values, &b->contexts[i].values, sizeof(struct capture_values)) !=
                0)
            return false;
    return memcmp(&a->totals, &b->totals, sizeof(a->totals)) == 0;
}

static bool same_modules(const struct capture *a, const struct capture *b)
{
    if (a->module_count != b->module_count)
        return false;
    for (uint32_t i = 0; i < a->module_count; i++) {
        const struct capture_module *x = &a->modules[i], *y = &b->modules[i];
        if (strcmp(x->path, y->path) != 0 || x->base != y->base || x->size != y->size ||
            x->build_id_size != y->build_id_size ||
            memcmp(x->build_id, y->build_id, sizeof(x->build_id)) != 0)
            return false;
    }
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return a != NULL && b != NULL ? strcmp(a, b) == 0 : a == b;
}

/* Tables may lie elsewhere, but hold the same. */
static bool same_codes(const struct capture *a, const struct capture *b)
{
    if (a->code_count != b->code_count)
        return false;
    for (uint32_t i = 0; i < a->code_count; i++) {
        const struct capture_code *x = &a->codes[i], *y = &b->codes[i];
        if (!same_text(x->file, y->file) || !same_text(x->name, y->name) ||
            x->first_line != y->first_line || x->table_kind != y->table_kind ||
            x->table_size != y->table_size ||
            (x->table_size != 0 &&
             memcmp(a->tables + x->table_at, b->tables + y->table_at, x->table_size) != 0))
            return false;
    }
    return true;
}

static bool same_rest(const struct capture *a, const struct capture *b)
{
    if (a->thread_count != b->thread_count || a->timeline_count != b->timeline_count)
        return false;
    for (uint32_t i = 0; i < a->thread_count; i++)
        if (a->threads[i].tid != b->threads[i].tid || a->threads[i].alive != b->threads[i].alive ||
            strcmp(a->threads[i].name, b->threads[i].name) != 0)
            return false;
    return memcmp(a->timeline, b->timeline, a->timeline_count * sizeof(*a->timeline)) == 0 &&
           memcmp(a->drops, b->drops, sizeof(a->drops)) == 0 &&
           memcmp(a->memory, b->memory, sizeof(a->memory)) == 0 &&
           memcmp(a->gauges, b->gauges, sizeof(a->gauges)) == 0;
}

static bool same(const struct capture *a, const struct capture *b)
{
    return same_texts(&a->process, &b->process) && same_numbers(&a->process, &b->process) &&
           same_contexts(a, b) && same_modules(a, b) && same_codes(a, b) && same_rest(a, b);
}

static void test_round_trip(struct capture *capture)
{
    struct error error = {""};
    struct stat status;
    const char *path = scratch_path("a.tsnap");
    static const char *const states[] = {"running", "exited", "ended", "replaced"};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        capture->process.state = states[i];
        capture->process.alive = i == 0;
        capture->process.rss = i == 0 ? 4096 : 0;
        capture->memory[TS_MEMORY_RSS] = i == 0 ? 4096 : 0;
        capture->memory[TS_MEMORY_SHARED] = i == 0 ? 4096 : 0;
        capture->memory[TS_MEMORY_HUGETLB] = i << 21;
        tap_number((uint64_t)snapshot_write(capture, path, &error), 0, "a snapshot is written");
        struct capture *copy = must_open(path);
        tap(same(capture, copy), states[i]);
        capture_free(copy);
    }
    tap(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600, "it is the user's alone");
    tap_number((uint64_t)files_in_scratch(), 2,
               "writing it four times left one file beside the region");
}

static void test_empty(void)
{
    struct built built;
    struct error error = {""};
    built_begin(&built, "empty");
    struct capture *capture = must_open(built.path);
    snapshot_write(capture, scratch_path("empty.tsnap"), &error);
    struct capture *copy = must_open(scratch_path("empty.tsnap"));
    tap(same(capture, copy), "a process that allocated nothing");
    capture_free(copy);
    capture_free(capture);
    built_end(&built);
}

static void test_link(struct capture *capture)
{
    struct error error = {""};
    struct stat status;
    if (symlink("a.tsnap", scratch_path("latest")) != 0)
        abort();
    tap_number((uint64_t)snapshot_write(capture, scratch_path("latest"), &error), 0,
               "a link is written through");
    tap(lstat(scratch_path("latest"), &status) == 0 && S_ISLNK(status.st_mode), "and stays a link");
    struct capture *copy = source_open(scratch_path("latest"), &error);
    tap(copy != NULL && same(capture, copy), "and is read through");
    capture_free(copy);
}

static void expect_failure(const struct capture *capture, const char *path, const char *cause)
{
    char expected[PATH_MAX + 64];
    struct error error = {""};
    int before = files_in_scratch();
    int result = snapshot_write(capture, path, &error);
    snprintf(expected, sizeof(expected), "cannot write '%s': %s", path, cause);
    tap_number((uint64_t)(result + 1), 0, "writing fails");
    tap_text(error.text, expected, "and says why");
    tap_number((uint64_t)files_in_scratch(), (uint64_t)before, "and leaves nothing behind");
}

static void test_failures(struct capture *capture)
{
    struct rlimit limit, small;
    expect_failure(capture, "/dev/full", "No space left on device");
    expect_failure(capture, scratch, "Is a directory");
    expect_failure(capture, scratch_path("missing/b.tsnap"), "No such file or directory");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    small = limit;
    small.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &small);
    expect_failure(capture, scratch_path("big.tsnap"), "File too large");
    /* The old content of a file outlives a failure to replace it. */
    expect_failure(capture, scratch_path("a.tsnap"), "File too large");
    setrlimit(RLIMIT_FSIZE, &limit);
    struct capture *copy = must_open(scratch_path("a.tsnap"));
    tap(same_contexts(capture, copy), "the old snapshot is still whole");
    capture_free(copy);
}

/* Killed in the middle, by the limit's signal this time: no handler, no clean-up. */
static void test_killed(struct capture *capture)
{
    int status = 0, before = files_in_scratch();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0}, small = {4096, 4096};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGXFSZ, SIG_DFL);
        setrlimit(RLIMIT_FSIZE, &small);
        snapshot_write(capture, scratch_path("killed.tsnap"), NULL);
        _exit(0);
    }
    waitpid(child, &status, 0);
    tap(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ, "a writer is killed while it writes");
    tap_number((uint64_t)files_in_scratch(), (uint64_t)before, "and leaves nothing behind");
}

static void test_pipe(struct capture *capture)
{
    struct error error = {""};
    char path[64], magic[9] = "";
    int ends[2];
    if (pipe(ends) != 0)
        abort();
    fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
    tap_number((uint64_t)snapshot_write(capture, path, &error), 0, "a pipe is written to as it is");
    tap(read(ends[0], magic, 8) == 8 && strcmp(magic, "TSNAPSHT") == 0, "and gets the snapshot");
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    scratch_make();
    struct capture *capture = sample();
    test_round_trip(capture);
    test_empty();
    test_link(capture);
    test_failures(capture);
    test_killed(capture);
    test_pipe(capture);
    capture_free(capture);
    scratch_remove();
    return tap_end();
}
