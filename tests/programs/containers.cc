/*
 * Containers: the allocation happens in an inlined header of the standard library, and is charged
 * to the program's own line that called it.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

struct Shared {
    explicit Shared(int n) : number(n) {}
    int number;
    char rest[60];
};

/* A vector without growth of its own, so that each allocation has a line. */
static void vectors(std::vector<int> &v, std::vector<std::string> &names)
{
    EXPECT_INSIDE(v.reserve(100), v.data(), 100 * sizeof(int));
    for (int i = 0; i < 100; i++)
        v.push_back(i);
    void *old = v.data();
    expect_take(old); /* freed after the new one was allocated */
    EXPECT_INSIDE(v.push_back(100), v.data(), 200 * sizeof(int));
    EXPECT_INSIDE(names.resize(10), names.data(), 10 * sizeof(std::string));
    for (auto &name : names)
        EXPECT_INSIDE(name.assign(100, 'x'), name.data(), 101);
    for (auto &name : names)
        name.assign(50, 'y');
}

using Pair = std::pair<const int, std::string>;

/*
 * A list's node is its two links and the element; a tree's node is colour, three links and the
 * pair.
 */
static void nodes(std::list<double> &list, std::map<int, std::string> &map)
{
    for (int i = 0; i < 20; i++)
        EXPECT_INSIDE(list.push_back(i), (char *)&list.back() - 16, 16 + sizeof(double));
    for (int i = 0; i < 20; i++)
        EXPECT_INSIDE(map[i], (char *)&map.find(i)->first - 32, 32 + sizeof(Pair));
    for (int i = 0; i < 20; i += 2) {
        expect_forget((char *)&map.find(i)->first - 32);
        map.erase(i);
    }
}

int main()
{
    std::vector<int> v;
    std::vector<std::string> names;
    std::list<double> list;
    std::map<int, std::string> map;
    vectors(v, names);
    nodes(list, map);
    std::unique_ptr<Shared> unique;
    EXPECT_INSIDE(unique = std::make_unique<Shared>(3), unique.get(), sizeof(Shared));
    std::shared_ptr<Shared> shared;
    char *(*block)(Shared *) = [](Shared *object) { return (char *)object - 16; };
    EXPECT_INSIDE(shared = std::make_shared<Shared>(4), block(shared.get()), 16 + sizeof(Shared));
    std::shared_ptr<Shared> again = shared;
    EXPECT_TRUE(again->number == 4);
    expect_report();
    _exit(0); /* what main holds is held at the end */
}
