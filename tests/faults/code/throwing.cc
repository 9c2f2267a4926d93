/* A library of C++ for a program of C: throws, catches, and throws through frames of C. */
#include <cstdlib>
#include <stdexcept>
#include <vector>

extern "C" {
int throw_and_catch(int depth);
int catch_through(void (*call)(void));
void throw_out();
void hold(void (*wait)(void));
}

namespace {

int destroyed;

struct Holder {
    std::vector<int> numbers = std::vector<int>(100);
    void *block = malloc(50);
    ~Holder()
    {
        free(block);
        destroyed++;
    }
};

__attribute__((noinline)) void dive(int depth)
{
    Holder holder;
    if (depth == 0)
        throw std::runtime_error("from below");
    dive(depth - 1);
}

} // namespace

/* How many objects were destroyed on the way. */
int throw_and_catch(int depth)
{
    destroyed = 0;
    try {
        dive(depth);
    } catch (const std::exception &) {
        return destroyed;
    }
    return -1;
}

/* `call` is a function of C that comes to throw_out in the end. */
int catch_through(void (*call)(void))
{
    try {
        call();
    } catch (const std::runtime_error &error) {
        return error.what()[0];
    }
    return -1;
}

void throw_out()
{
    Holder holder;
    throw std::runtime_error("out");
}

/* `wait` is cancelled: the object is destroyed by the unwinding. */
void hold(void (*wait)(void))
{
    Holder holder;
    wait();
}
