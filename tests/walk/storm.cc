/*
 * Many small blocks in a hurry, for verify-real: storm KIND COUNT. Each kind leaves frames in another way
 * than by return: exceptions, longjmp, signals, coroutines; `calls` does nothing unusual.
 */
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <ucontext.h>
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
    explicit Refused(const std::string &text) : std::runtime_error("refused"), why(text + " for this long reason")
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

static jmp_buf landing;

static NOINLINE int jump_from(unsigned depth)
{
    volatile char room[200];
    room[depth] = 1;
    allocate(depth + 1);
    if (depth == 0)
        longjmp(landing, 1);
    return jump_from(depth - 1) + room[depth];
}

static NOINLINE void jumps()
{
    if (setjmp(landing) == 0)
        jump_from(next(10));
    else
        allocate(9);
}

static NOINLINE void handler_work(unsigned depth)
{
    allocate(depth + 3);
    if (depth > 0)
        handler_work(depth - 1);
    __asm__ volatile("");
}

static void on_signal(int)
{
    handler_work(next(4));
}

static NOINLINE void signals()
{
    raise(next(2) ? SIGUSR1 : SIGUSR2);
    allocate(3);
}

static ucontext_t scheduler, coroutine;
static char stack[1 << 16], alternate[1 << 16];

static NOINLINE void yield_at(unsigned depth)
{
    allocate(depth + 2);
    if (depth > 0)
        yield_at(depth - 1);
    else
        swapcontext(&coroutine, &scheduler);
    allocate(4);
}

static void coroutine_body()
{
    for (;;)
        yield_at(next(6));
}

static NOINLINE void coroutines()
{
    swapcontext(&scheduler, &coroutine);
    allocate(1);
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

static void prepare()
{
    struct sigaction action {};
    stack_t signal_stack{};
    signal_stack.ss_sp = alternate, signal_stack.ss_size = sizeof alternate;
    sigaltstack(&signal_stack, nullptr);
    action.sa_handler = on_signal;
    sigaction(SIGUSR1, &action, nullptr);
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGUSR2, &action, nullptr);
    getcontext(&coroutine);
    coroutine.uc_stack.ss_sp = stack, coroutine.uc_stack.ss_size = sizeof stack;
    makecontext(&coroutine, coroutine_body, 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*function)();
    } kinds[] = {{"exceptions", exceptions}, {"longjmp", jumps}, {"signals", signals},
                 {"coroutines", coroutines}, {"calls", calls}};
    left = argc == 3 ? strtoul(argv[2], nullptr, 10) : 0;
    prepare();
    for (const auto &kind : kinds)
        while (argc == 3 && strcmp(argv[1], kind.name) == 0 && left > 0)
            kind.function();
    return argc == 3 ? 0 : 2;
}
