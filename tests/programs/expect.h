/*
 * How a fixture knows its own expected answer: macros that allocate and free, and keep the books
 * per source line with counters of their own, independent of everything that tracesnap does. The
 * call of the allocator stands on the line that is booked. Books and output need no allocation and
 * no stdio.
 *
 * One file of a fixture defines EXPECT_MAIN before it includes this; further modules share its
 * books.
 */
#ifndef EXPECT_H
#define EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct expect_site; /* a source line that allocates */

/* A block that the books hold no more (expect_take), so that it can be put back. */
struct expect_block {
    void *address;
    struct expect_site *site;
    size_t size;
};

/*
 * The books' entry of a line. It is the books' own copy: a module that was unloaded keeps its
 * lines.
 */
struct expect_site *expect_site(const char *file, int line, const char *function);
/*
 * Books a block of `size` requested bytes; a NULL address is a failed call and books nothing.
 * Returns it.
 */
void *expect_note(struct expect_site *site, void *address, size_t size);
/*
 * Takes a block out of the books; must come before the real free, after which it may be another
 * thread's.
 */
void expect_forget(void *address);
/* The same before a realloc: it gives a block another size, so the old one is not temporary. */
struct expect_block expect_take(void *address);
/* After a realloc that failed: as if nothing had happened. */
void expect_put_back(struct expect_block block);
/*
 * The number of blocks that this thread has booked, and a block booked as if it had come before
 * those since.
 */
size_t expect_booked(void);
void *expect_note_before(struct expect_site *site, void *address, size_t size, size_t booked);
/* In a forked child: its books begin with what lives, as if it had just allocated that. */
void expect_forked(void);
/* This line calls a library function that allocates for itself: the runner leaves it out. */
void expect_hide(struct expect_site *site);
/* The bytes that live, by the books. */
size_t expect_live(void);
/* Everything booked so far is forgotten, also the blocks that live (tracesnap_clear_traces). */
void expect_clear(void);

/*
 * Writes the books as one line of JSON: what a region must hold from now until the process books
 * again or ends. The last such line of each program counts.
 */
void expect_print(void);
/* Where the environment has EXPECT_WAIT: sleeps until standard input ends. */
void expect_wait(void);
/*
 * expect_print, marked "ready": the runner looks at all processes that have printed; then
 * expect_wait.
 */
void expect_report(void);
/* Which of the programs that are exec'ed one after the other in this process this is: 0, 1, ... */
extern int expect_program;
/* A condition of the fixture itself: says where it failed and exits with status 99. */
void expect_true(bool condition, const char *file, int line, const char *text);

#ifdef __cplusplus
}
#endif

#define EXPECT_TRUE(condition) expect_true((condition), __FILE__, __LINE__, #condition)

#define EXPECT_SITE                                                                                \
    ({                                                                                             \
        static struct expect_site *site_;                                                          \
        if (site_ == NULL)                                                                         \
            site_ = expect_site(__FILE__, __LINE__, __func__);                                     \
        site_;                                                                                     \
    })

/* Books what `call` returned, with `size` bytes. */
#define EXPECT_CALL(call, size) (expect_note(EXPECT_SITE, (void *)(call), (size)))
#define EXPECT_MALLOC(size) EXPECT_CALL(malloc(size), size)
#define EXPECT_CALLOC(n, size) EXPECT_CALL(calloc(n, size), (size_t)(n) * (size))
#define EXPECT_FREE(p)                                                                             \
    do {                                                                                           \
        void *p_ = (p);                                                                            \
        expect_forget(p_);                                                                         \
        free(p_);                                                                                  \
    } while (0)

/* `call` reallocates the block `p` to `size` bytes. */
#define EXPECT_REALLOC_CALL(call, p, size)                                                         \
    ({                                                                                             \
        struct expect_block block_ = expect_take(p);                                               \
        void *new_ = (call);                                                                       \
        if (new_ == NULL && (size) != 0)                                                           \
            expect_put_back(block_);                                                               \
        expect_note(EXPECT_SITE, new_, (size));                                           \
    })
#define EXPECT_REALLOC(p, size)                                                                    \
    ({                                                                                             \
        void *old_ = (p);                                                                          \
        EXPECT_REALLOC_CALL(realloc(old_, size), old_, size);                                      \
    })

/*
 * C++: an object from a new expression. `size` is what operator new is asked for, which happens
 * before the constructor allocates.
 */
#define EXPECT_NEW(expression, size)                                                               \
    ({                                                                                             \
        size_t booked_ = expect_booked();                                                          \
        auto object_ = (expression);                                                               \
        expect_note_before(EXPECT_SITE, object_, (size), booked_);                                 \
        object_;                                                                                   \
    })

/*
 * A statement of the standard library that allocates `size` bytes, whose address is then `address`.
 */
#define EXPECT_INSIDE(statement, address, size)                                                    \
    do {                                                                                           \
        statement;                                                                                 \
        expect_note(EXPECT_SITE, (void *)(address), (size));                                       \
    } while (0)

#define EXPECT_HIDDEN(statement)                                                                   \
    do {                                                                                           \
        expect_hide(EXPECT_SITE);                                                                  \
        statement;                                                                                 \
    } while (0)

#ifdef EXPECT_MAIN
#include "tests/programs/expect_books.h"
#endif

#endif
