/*
 * A traced writer and its end.
 */
#include "tests/live/flight.h"

#include "tools/source/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[PATH_MAX / 2];
static int tap_count, tap_failed;

static _Noreturn void bail_out(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    fflush(stdout);
    flights_end();
    exit(99);
}

static const char *needed(const char *variable)
{
    const char *value = getenv(variable);
    if (value != NULL && *value != '\0')
        return value;
    printf("Bail out! %s is not set: run this by 'make check'\n", variable);
    exit(99);
}

void flights_begin(void)
{
    const char *parent = getenv("TMPDIR");
    if (access("/dev/shm", W_OK | X_OK) == 0)
        parent = "/dev/shm";
    else if (parent == NULL || *parent == '\0')
        parent = "/tmp";
    snprintf(directory, sizeof(directory), "%s/tracesnap-live-XXXXXX", parent);
    if (mkdtemp(directory) == NULL) {
        directory[0] = '\0';
        bail_out("cannot make a directory");
    }
    setenv("TRACESNAP_DIR", directory, 1);
    signal(SIGPIPE, SIG_IGN);
}

void flights_end(void)
{
    DIR *listing = directory[0] != '\0' ? opendir(directory) : NULL;
    if (listing == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(listing), entry->d_name, 0);
    closedir(listing);
    rmdir(directory);
}

static struct writer_page *make_page(char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/page", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct writer_page)) != 0)
        bail_out("cannot make the writer's page");
    void *page = mmap(NULL, sizeof(struct writer_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page == MAP_FAILED)
        bail_out("cannot map the writer's page");
    return page;
}

static _Noreturn void become_writer(const int to[2], const int from[2], const char *page_path)
{
    char program[PATH_MAX];
    snprintf(program, sizeof(program), "%s/tests/live/writer", needed("builddir"));
    dup2(to[0], 0);
    dup2(from[1], 1);
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    setenv("LD_PRELOAD", needed("TRACESNAP_LIB"), 1);
    unsetenv("TRACESNAP_OPTIONS");
    execl(program, program, page_path, (char *)NULL);
    _exit(127);
}

void flight_start(struct flight *flight)
{
    int to[2], from[2];
    char page_path[PATH_MAX];
    *flight = (struct flight){.page = make_page(page_path)};
    if (pipe(to) != 0 || pipe(from) != 0)
        bail_out("cannot make pipes");
    fflush(stdout);
    flight->pid = fork();
    if (flight->pid < 0)
        bail_out("cannot fork");
    if (flight->pid == 0)
        become_writer(to, from, page_path);
    close(to[0]);
    close(from[1]);
    flight->to = to[1];
    flight->from = from[0];
}

void flight_wait_filled(const struct flight *flight)
{
    for (int i = 0; i < 10000; i++) {
        if (__atomic_load_n(&flight->page->filled, __ATOMIC_ACQUIRE) == WRITER_THREADS)
            return;
        usleep(1000);
    }
    errno = ETIMEDOUT;
    bail_out("the writer does not begin");
}

void flight_command(const struct flight *flight, char command)
{
    char answer = 0;
    if (write(flight->to, &command, 1) != 1 || read(flight->from, &answer, 1) != 1 ||
        answer != command)
        bail_out("the writer does not answer");
}

void flight_stop(const struct flight *flight, int signal)
{
    kill(flight->pid, signal);
    waitpid(flight->pid, NULL, 0);
}

/* In the directory of this test only: the user's own may hold a region of an older process with this
 * pid. */
bool flight_find(struct flight *flight)
{
    struct region_name name;
    DIR *listing = opendir(directory);
    if (listing == NULL)
        bail_out("cannot read the directory");
    flight->region[0] = '\0';
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (region_name_parse(entry->d_name, &name) && name.pid == (uint32_t)flight->pid)
            snprintf(flight->region, sizeof(flight->region), "%s/%s", directory, entry->d_name);
    closedir(listing);
    return flight->region[0] != '\0';
}

void flight_end(struct flight *flight)
{
    close(flight->to);
    close(flight->from);
    munmap(flight->page, sizeof(*flight->page));
    flight->page = NULL;
    if (flight->region[0] != '\0')
        unlink(flight->region);
}

struct books books_sum(const struct writer_page *page)
{
    struct books sum = {0};
    for (unsigned i = 0; i < WRITER_THREADS; i++) {
        sum.allocated_count += page->books[i].allocated_count;
        sum.allocated_size += page->books[i].allocated_size;
        sum.freed_count += page->books[i].freed_count;
        sum.freed_size += page->books[i].freed_size;
    }
    return sum;
}

void tap(bool passed, const char *name, const char *format, ...)
{
    va_list arguments;
    if (!passed && format != NULL) {
        va_start(arguments, format);
        printf("# ");
        vprintf(format, arguments);
        printf("\n");
        va_end(arguments);
    }
    tap_failed += !passed;
    printf("%sok %d - %s\n", passed ? "" : "not ", ++tap_count, name);
    fflush(stdout);
}

void tap_checks(const struct checker *checker)
{
    static const char *const names[] = {
#define X(name, text) text,
        CHECK_LIST(X)
#undef X
    };
    for (int i = 0; i < CHECK_COUNT; i++)
        tap(checker->failures[i] == 0, names[i], "%lu failures in %lu captures",
            (unsigned long)checker->failures[i], (unsigned long)checker->captures);
}

int tap_end(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed == 0 ? 0 : 1;
}
