/*
 * The books behind expect.h: static arrays under one spin lock. Compiled into the one file of a
 * fixture that defines EXPECT_MAIN, as C or C++.
 */
#ifndef EXPECT_BOOKS_H
#define EXPECT_BOOKS_H

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXPECT_SLOTS (1u << 18)
#define EXPECT_SITES 128

struct expect_site {
    char file[64];
    char function[64];
    int line;
    bool hidden;
    size_t size, count, allocated_size, allocated_count, temporary_count;
};

int expect_program;

static struct {
    char lock;
    unsigned site_count;
    struct expect_site sites[EXPECT_SITES];
    struct expect_block slots[EXPECT_SLOTS]; /* open addressing by address */
    struct expect_site *sorted[EXPECT_SITES];
    char text[EXPECT_SITES * 320];
} expect_books;

/* The block that this thread allocated last: freed at once, it was temporary. */
static __thread void *expect_last;
static __thread size_t expect_count;

static void expect_die(const char *text)
{
    dprintf(2, "expect: %s\n", text);
    _exit(99);
}

void expect_true(bool condition, const char *file, int line, const char *text)
{
    if (!condition) {
        dprintf(2, "expect: %s:%d: not true: %s\n", file, line, text);
        _exit(99);
    }
}

static void expect_lock(void)
{
    while (__atomic_test_and_set(&expect_books.lock, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void expect_unlock(void)
{
    __atomic_clear(&expect_books.lock, __ATOMIC_RELEASE);
}

/* The slot of `address`, or the free slot where it would go. */
static struct expect_block *expect_slot(void *address)
{
    uint32_t hash = (uint32_t)(((uintptr_t)address >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 40);
    for (uint32_t i = 0; i < EXPECT_SLOTS; i++) {
        struct expect_block *slot = &expect_books.slots[(hash + i) % EXPECT_SLOTS];
        if (slot->address == address || slot->address == NULL)
            return slot;
    }
    expect_die("the books are full");
    return NULL;
}

static const char *expect_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

struct expect_site *expect_site(const char *file, int line, const char *function)
{
    struct expect_site *site = expect_books.sites;
    expect_lock();
    while (site < expect_books.sites + expect_books.site_count &&
           (site->line != line || strcmp(site->file, expect_name(file)) != 0))
        site++;
    if (site == expect_books.sites + expect_books.site_count) {
        if (expect_books.site_count++ == EXPECT_SITES)
            expect_die("too many sites");
        snprintf(site->file, sizeof site->file, "%s", expect_name(file));
        snprintf(site->function, sizeof site->function, "%s", function);
        site->line = line;
    }
    expect_unlock();
    return site;
}

/*
 * A slot keeps its address when its block goes (site NULL), so that later slots of the chain are
 * found.
 */
static void expect_insert(struct expect_site *site, void *address, size_t size)
{
    struct expect_block *slot = expect_slot(address);
    if (slot->site != NULL)
        expect_die("the allocator returned a live block");
    slot->address = address;
    slot->site = site;
    slot->size = size;
    site->size += size;
    site->count++;
}

size_t expect_booked(void)
{
    return expect_count;
}

void *expect_note_before(struct expect_site *site, void *address, size_t size, size_t booked)
{
    if (address == NULL)
        return NULL;
    expect_lock();
    expect_insert(site, address, size);
    site->allocated_size += size;
    site->allocated_count++;
    expect_unlock();
    if (booked == expect_count)
        expect_last = address;
    expect_count++;
    return address;
}

void *expect_note(struct expect_site *site, void *address, size_t size)
{
    return expect_note_before(site, address, size, expect_count);
}

struct expect_block expect_take(void *address)
{
    struct expect_block block = {};
    if (address == NULL)
        return block;
    expect_lock();
    struct expect_block *slot = expect_slot(address);
    block = *slot;
    if (slot->site != NULL) { /* else: allocated before expect_clear */
        slot->site->size -= slot->size;
        slot->site->count--;
        slot->site = NULL;
    }
    expect_unlock();
    return block;
}

void expect_forget(void *address)
{
    struct expect_block block = expect_take(address);
    if (block.site == NULL || address != expect_last)
        return;
    expect_lock();
    block.site->temporary_count++;
    expect_unlock();
    expect_last = NULL;
}

void expect_put_back(struct expect_block block)
{
    if (block.site == NULL)
        return;
    expect_lock();
    expect_insert(block.site, block.address, block.size);
    expect_unlock();
}

void expect_forked(void)
{
    for (unsigned i = 0; i < expect_books.site_count; i++) {
        struct expect_site *site = &expect_books.sites[i];
        site->allocated_size = site->size;
        site->allocated_count = site->count;
        site->temporary_count = 0;
    }
    expect_last = NULL;
}

void expect_hide(struct expect_site *site)
{
    expect_lock();
    site->hidden = true;
    expect_unlock();
}

size_t expect_live(void)
{
    size_t live = 0;
    for (unsigned i = 0; i < expect_books.site_count; i++)
        live += expect_books.sites[i].size;
    return live;
}

void expect_clear(void)
{
    expect_lock();
    for (unsigned i = 0; i < expect_books.site_count; i++) {
        struct expect_site *site = &expect_books.sites[i];
        site->size = site->count = 0;
        site->allocated_size = site->allocated_count = site->temporary_count = 0;
    }
    for (uint32_t i = 0; i < EXPECT_SLOTS; i++)
        if (expect_books.slots[i].site != NULL)
            expect_books.slots[i].site = NULL;
    expect_unlock();
    expect_last = NULL;
}

/* As tracesnap sorts statistics: (size, count, file, line), all descending. */
static bool expect_before(const struct expect_site *a, const struct expect_site *b)
{
    int names = strcmp(a->file, b->file);
    if (a->size != b->size)
        return a->size > b->size;
    if (a->count != b->count)
        return a->count > b->count;
    return names != 0 ? names > 0 : a->line > b->line;
}

static void expect_sort(void)
{
    for (unsigned n = 0; n < expect_books.site_count; n++) {
        struct expect_site *site = &expect_books.sites[n];
        unsigned i = n;
        for (; i > 0 && expect_before(site, expect_books.sorted[i - 1]); i--)
            expect_books.sorted[i] = expect_books.sorted[i - 1];
        expect_books.sorted[i] = site;
    }
}

static size_t expect_text_row(char *to, size_t room, const struct expect_site *site)
{
    return (size_t)snprintf(to, room,
                            "{\"file\":\"%s\",\"line\":%d,\"function\":\"%s\",\"size\":%zu,"
                            "\"count\":%zu,\"allocated_size\":%zu,\"allocated_count\":%zu,"
                            "\"temporary_count\":%zu}",
                            site->file, site->line, site->function, site->size, site->count,
                            site->allocated_size, site->allocated_count, site->temporary_count);
}

/* Appends the rows, or the names of the hidden lines, at `at`; returns where they end. */
static size_t expect_text_rows(size_t at, bool hidden)
{
    bool first = true;
    for (unsigned i = 0; i < expect_books.site_count; i++) {
        const struct expect_site *site = expect_books.sorted[i];
        char *to = expect_books.text + at;
        size_t room = sizeof expect_books.text - at;
        if (site->hidden != hidden || (!hidden && site->allocated_count == 0))
            continue;
        if (!first)
            *to++ = ',', at++;
        first = false;
        if (hidden)
            at += (size_t)snprintf(to, room, "\"%s:%d\"", site->file, site->line);
        else
            at += expect_text_row(to, room, site);
    }
    return at;
}

static void expect_write(const char *text, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t written = write(1, text + done, size - done);
        if (written <= 0)
            expect_die("cannot write");
        done += (size_t)written;
    }
}

static void expect_document(bool ready)
{
    expect_lock();
    expect_sort();
    size_t room = sizeof expect_books.text;
    char *text = expect_books.text;
    size_t at = (size_t)snprintf(text, room, "{\"pid\":%ld,\"program\":%d,\"ready\":%s,\"stats\":[",
                                 (long)getpid(), expect_program, ready ? "true" : "false");
    at = expect_text_rows(at, false);
    at += (size_t)snprintf(text + at, room - at, "],\"hidden\":[");
    at = expect_text_rows(at, true);
    at += (size_t)snprintf(text + at, room - at, "]}\n");
    expect_write(text, at);
    expect_unlock();
}

void expect_print(void)
{
    expect_document(false);
}

void expect_wait(void)
{
    char byte;
    if (getenv("EXPECT_WAIT") != NULL)
        while (read(0, &byte, 1) > 0)
            ;
}

void expect_report(void)
{
    expect_document(true);
    expect_wait();
}

#endif
