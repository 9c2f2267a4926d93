/*
 * operator new and delete in all their forms: single objects, arrays, aligned ones, nothrow; a
 * virtual destructor that frees what the object owns.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <new>

struct Base {
    virtual ~Base() {}
    int x = 1;
};

struct Owner : Base {
    explicit Owner(size_t n) : bytes(EXPECT_NEW(new char[n], n)) {}
    ~Owner() override
    {
        expect_forget(bytes);
        delete[] bytes;
    }
    Owner(const Owner &) = delete;
    Owner &operator=(const Owner &) = delete;
    char *bytes;
};

struct alignas(128) Wide {
    char bytes[300];
};

template <typename T> static void destroy(T *object)
{
    expect_forget(object);
    delete object;
}

int main()
{
    Base *kept = EXPECT_NEW(new Owner(100), sizeof(Owner));
    for (int i = 0; i < 50; i++) {
        Base *base = EXPECT_NEW(new Owner(10 + i), sizeof(Owner));
        destroy(base);
    }
    int *array = EXPECT_NEW(new int[25], 25 * sizeof(int));
    expect_forget(array);
    delete[] array;
    Wide *wide = EXPECT_NEW(new Wide, sizeof(Wide));
    EXPECT_TRUE((uintptr_t)wide % 128 == 0);
    Wide *gone = EXPECT_NEW(new Wide, sizeof(Wide));
    destroy(gone);
    char *quiet = EXPECT_NEW(new (std::nothrow) char[33], 33);
    volatile size_t too_much = SIZE_MAX / 4;
    char *volatile none; /* clang would leave the call out */
    EXPECT_HIDDEN(none = new (std::nothrow) char[too_much]); /* throws inside */
    EXPECT_TRUE(none == nullptr);
    EXPECT_TRUE(kept != nullptr && quiet != nullptr);
    expect_report();
    return 0;
}
