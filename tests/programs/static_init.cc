/*
 * Allocations before main: by constructors of static objects and by functions that ld.so calls; and
 * frees after it, by static destructors, which are recorded, too.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

struct Early {
    explicit Early(size_t n) : bytes((char *)EXPECT_MALLOC(n)) { bytes[0] = 1; }
    ~Early() { EXPECT_FREE(bytes); }
    Early(const Early &) = delete;
    Early &operator=(const Early &) = delete;
    char *bytes;
};

static void *by_constructor, *by_first_constructor;

static __attribute__((constructor(101))) void first_constructor(void)
{
    by_first_constructor = EXPECT_MALLOC(11);
}

static Early one(1000), two(2000);

static __attribute__((constructor)) void constructor(void)
{
    by_constructor = EXPECT_MALLOC(22);
    EXPECT_FREE(by_first_constructor);
}

static __attribute__((destructor)) void destructor(void)
{
    EXPECT_FREE(by_constructor);
}

static __attribute__((destructor(101))) void last_destructor(void)
{
    expect_print();
}

static Early &lazy()
{
    static Early object(4000);
    return object;
}

int main()
{
    EXPECT_TRUE(one.bytes[0] + two.bytes[0] + lazy().bytes[0] == 3);
    expect_report();
    return 0;
}
