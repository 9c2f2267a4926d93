/*
 * Kills programs (victim.c) at random moments, COUNT times, and demands of each region that is left
 * that it reads, and holds exactly what the dead one's books say: with the operation that each of
 * its threads was in, or without it.
 *
 *     kill_check VICTIM DIRECTORY COUNT SEED
 */
#include "tests/faults/process/victim.h"

#include "tools/source/reader.h"
#include "tools/source/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MOST 60000 /* ms; nothing here takes a hundredth of it */

static struct victim_page *page;
static char page_path[PATH_MAX];
static const char *directory;

static struct {
    unsigned exact, not_ready, none, wrong;
} results;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "kill_check: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void make_page(void)
{
    snprintf(page_path, sizeof(page_path), "%s/../page", directory);
    int fd = open(page_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(*page)) != 0)
        fail("cannot make the page");
    page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page == MAP_FAILED)
        fail("cannot map the page");
}

static pid_t start(const char *victim, bool forked)
{
    memset(page, 0, sizeof(*page));
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        setenv("LD_PRELOAD", getenv("TRACESNAP_LIB"), 1);
        execl(victim, victim, page_path, forked ? "forked" : NULL, (char *)NULL);
        _exit(127);
    }
    if (pid < 0)
        fail("cannot fork");
    setpgid(pid, pid);
    return pid;
}

/* Waits until a word of the page is set; false when the process ended before. */
static bool wait_for(const uint32_t *word, pid_t pid)
{
    for (int i = 0; i < WAIT_MOST * 10; i++) {
        if (__atomic_load_n(word, __ATOMIC_ACQUIRE) != 0)
            return true;
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return false;
        usleep(100);
    }
    errno = ETIMEDOUT;
    fail("the victim does not begin");
}

/* Kills it, alone or its child, somewhere in its start or in its work. The killed one's pid. */
static pid_t kill_somewhere(pid_t pid, bool forked, unsigned *seed)
{
    bool at_work = rand_r(seed) % 2;
    const uint32_t *word = at_work ? &page->working : &page->child;
    if ((at_work || forked) && !wait_for(word, pid))
        fail("the victim ended by itself");
    usleep((unsigned)rand_r(seed) % (at_work ? 3000 : forked ? 1500 : 9000));
    pid_t victim = forked ? (pid_t)page->child : pid;
    kill(victim, SIGKILL);
    waitpid(pid, NULL, 0);
    return victim;
}

/* The owner of a context: whose functions a frame of it lies in. BOOKS_OWNERS: nobody. */
static unsigned owner_of(const struct capture *capture, uint32_t node)
{
    for (; node != 0; node = capture->nodes[node].parent) {
        uint64_t key = capture->nodes[node].key;
        if (ts_key_kind(key) != TS_FRAME_NATIVE || ts_key_module(key) >= capture->module_count ||
            strcmp(capture->modules[ts_key_module(key)].path, capture->process.exe) != 0)
            continue;
        for (unsigned i = 0; i < BOOKS_OWNERS; i++)
            if (ts_key_offset(key) >= page->from[i] && ts_key_offset(key) <= page->to[i])
                return i;
    }
    return BOOKS_OWNERS;
}

static void sum_up(const struct capture *capture, struct counts *counts)
{
    for (uint32_t i = 0; i < capture->context_count; i++) {
        const struct capture_values *values = &capture->contexts[i].values;
        unsigned owner = owner_of(capture, capture->contexts[i].node);
        if (owner == BOOKS_OWNERS)
            continue;
        counts->allocated_count[owner] += values->allocated_count;
        counts->allocated_size[owner] += values->allocated_size;
        counts->freed_count[owner] += values->freed_count;
        counts->freed_size[owner] += values->freed_size;
    }
}

static void add_counts(struct counts *sum, const struct counts *counts)
{
    for (unsigned i = 0; i < BOOKS_OWNERS; i++) {
        sum->allocated_count[i] += counts->allocated_count[i];
        sum->allocated_size[i] += counts->allocated_size[i];
        sum->freed_count[i] += counts->freed_count[i];
        sum->freed_size[i] += counts->freed_size[i];
    }
}

/* Whether the books can say this: each thread's operation done, half done, or not. */
static bool is_possible(const struct counts *found)
{
    for (unsigned which = 0; which < 81; which++) {
        struct counts sum = {0};
        bool possible = true;
        for (unsigned i = 0, rest = which; i < BOOKS_OWNERS; i++, rest /= BOOKS_OUTCOMES) {
            struct counts counts = *book_counts(&page->books[i]);
            possible =
                possible && counts_apply(&counts, page->books[i].word, rest % BOOKS_OUTCOMES);
            add_counts(&sum, &counts);
        }
        if (possible && memcmp(&sum, found, sizeof(sum)) == 0)
            return true;
    }
    return false;
}

static void explain(const struct counts *found)
{
    if (results.wrong++ >= 3)
        return;
    for (unsigned i = 0; i < BOOKS_OWNERS; i++) {
        struct counts sum = {0};
        for (unsigned j = 0; j < BOOKS_OWNERS; j++)
            add_counts(&sum, book_counts(&page->books[j]));
        fprintf(stderr, "owner %u, region: allocated %" PRIu64 " (%" PRIu64 " bytes), freed %" PRIu64
               " (%" PRIu64 "); books: %" PRIu64 " (%" PRIu64 "), %" PRIu64 " (%" PRIu64
               "), in operation %#" PRIx64 "\n",
               i, found->allocated_count[i], found->allocated_size[i], found->freed_count[i],
               found->freed_size[i], sum.allocated_count[i], sum.allocated_size[i],
               sum.freed_count[i], sum.freed_size[i], page->books[i].word);
    }
}

static void wrong(const char *path, const char *what)
{
    if (results.wrong++ < 3)
        fprintf(stderr, "%s: %s\n", path, what);
}

static void check_capture(const struct capture *capture, const char *path, struct counts *counts)
{
    for (unsigned i = 0; i < TS_DROP_COUNT; i++)
        if (capture->drops[i] != 0)
            wrong(path, "something was dropped");
    if (capture->process.alive || strcmp(capture->process.state, "ended") != 0 ||
        capture->process.end_time != 0)
        wrong(path, capture->process.state);
    sum_up(capture, counts);
}

/* The regions of one victim, all of which go. Only that of the killed process is looked at closer. */
static void examine(pid_t victim)
{
    char path[PATH_MAX];
    struct region_name name;
    struct counts counts = {0};
    bool found = false, ready = false;
    DIR *listing = opendir(directory);
    for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
        struct error error = {""};
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        bool named = region_name_parse(entry->d_name, &name);
        if (!named)
            wrong(path, "not the name of a region");
        if (named && name.pid == (uint32_t)victim) {
            struct capture *capture = source_open(path, &error);
            found = true;
            ready = capture != NULL;
            if (ready)
                check_capture(capture, path, &counts);
            else if (strstr(error.text, "not ready") == NULL && strstr(error.text, "empty") == NULL)
                wrong(path, error.text);
            capture_free(capture);
        }
        unlink(path);
    }
    if (listing == NULL)
        fail(directory);
    closedir(listing);
    if (!is_possible(&counts)) {
        explain(&counts);
        return;
    }
    *(ready ? &results.exact : found ? &results.not_ready : &results.none) += 1;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    directory = argv[2];
    unsigned count = (unsigned)atoi(argv[3]), seed = (unsigned)atoi(argv[4]);
    setenv("TRACESNAP_DIR", directory, 1);
    unsetenv("TRACESNAP_OPTIONS");
    make_page();
    for (unsigned i = 0; i < count; i++) {
        bool forked = i % 3 == 2;
        examine(kill_somewhere(start(argv[1], forked), forked, &seed));
    }
    printf("%u kills: %u regions equal, %u not ready, %u without a region, %u wrong\n", count,
           results.exact, results.not_ready, results.none, results.wrong);
    unlink(page_path);
    /* Half of them were at work. */
    return results.wrong == 0 && results.exact >= count / 4 ? 0 : 1;
}
