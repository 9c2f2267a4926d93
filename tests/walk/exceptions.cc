/*
 * Exceptions in a hurry, for verify-real: exceptions COUNT. They are thrown through destructors,
 * passed on by handlers, and missed by others; in between ordinary containers.
 */
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#define NOINLINE __attribute__((noinline))

static unsigned long state = 88172645463325252UL, left;

static unsigned next(unsigned bound) /* xorshift64 (Marsaglia) */
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (unsigned)(state >> 33) % bound;
}

struct Held {
    std::unique_ptr<char[]> block;
    explicit Held(unsigned size) : block(new char[size])
    {
        left -= left > 0;
    }
    NOINLINE ~Held()
    {
    }
};

static NOINLINE void allocate(unsigned size)
{
    Held held(size);
    void *volatile p = malloc(size + 1);
    left -= left > 0;
    free(p);
}

struct Refused : std::runtime_error {
    std::string why;
    explicit Refused(const std::string &text)
        : std::runtime_error("refused"), why(text + " for this long reason")
    {
    }
};

static NOINLINE int fall(unsigned depth)
{
    Held held(depth * 8 + 1);
    if (depth == 0)
        throw Refused("at the bottom");
    if (depth % 3 == 1) {
        try {
            fall(depth - 1);
        } catch (const std::logic_error &) {
            allocate(5);
        }
        return 1;
    }
    if (depth % 5 == 2) {
        try {
            return fall(depth - 1);
        } catch (...) {
            allocate(6);
            throw;
        }
    }
    return fall(depth - 1) + 1;
}

static NOINLINE void exceptions()
{
    try {
        fall(next(12));
    } catch (const Refused &refused) {
        allocate((unsigned)refused.why.size());
    }
}

static NOINLINE void calls()
{
    static std::map<std::string, std::vector<int>> map;
    auto &numbers = map["a key that is longer than what fits " + std::to_string(next(100))];
    numbers.push_back((int)numbers.size());
    if (numbers.size() > 100)
        numbers = std::vector<int>();
    std::function<void(unsigned)> down = [&down](unsigned depth) {
        allocate(depth + 1);
        if (depth > 0)
            down(depth - 1);
    };
    down(next(5));
}

int main(int argc, char **argv)
{
    left = argc == 2 ? strtoul(argv[1], nullptr, 10) : 0;
    while (left > 0) {
        exceptions();
        calls();
    }
    return argc == 2 ? 0 : 2;
}
