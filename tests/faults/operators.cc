/*
 * operator new and delete of whatever allocator the program is linked with: each form is recorded,
 * once, and what is thrown out of them leaves nothing behind.
 */
#include "tests/faults/fault.h"

#include <new>

struct alignas(256) Wide {
    char bytes[512];
};

struct Stop {
};

static int asked;

static void give_up()
{
    asked++;
    std::set_new_handler(nullptr);
}

static void stop()
{
    throw Stop();
}

template <class T> static T *seen(T *block)
{
    return static_cast<T *>(fault_opaque(block));
}

/* Of no block can there be so much; volatile, or the compiler says so. */
static volatile size_t too_much = SIZE_MAX / 4;

static void forms()
{
    size_t before = fault_live();
    char *one = seen(new char), *many = seen(new char[1000]);
    char *quiet = seen(new (std::nothrow) char[100]);
    Wide *wide = seen(new Wide), *wides = seen(new Wide[3]),
         *quiet_wide = seen(new (std::nothrow) Wide);
    FAULT_EQUAL(fault_live() - before, 1 + 1000 + 100 + 5 * sizeof(Wide));
    tracesnap_frame frame;
    FAULT_EQUAL(tracesnap_get_object_traceback(many, &frame, 1), 1);
    delete one;
    delete[] many;
    operator delete[](quiet, std::nothrow);
    delete wide;
    delete[] wides;
    delete quiet_wide;
    FAULT_EQUAL(fault_live(), before);
}

static void failures()
{
    int caught = 0;
    std::set_new_handler(give_up);
    try {
        seen(new char[too_much]);
    } catch (const std::bad_alloc &) {
        caught++;
    }
    FAULT_TRUE(asked > 0);
    FAULT_TRUE(new (std::nothrow) char[too_much] == nullptr);
    std::set_new_handler(stop);
    try {
        seen(new char[too_much]);
    } catch (const Stop &) {
        caught++;
    }
    std::set_new_handler(nullptr);
    FAULT_EQUAL(caught, 2);
}

int main(int argc, char **)
{
    forms();
    if (argc == 1) /* mimalloc, made by a compiler of C, does not throw: it ends the program */
        failures();
    forms();
    return 0;
}
