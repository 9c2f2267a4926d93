"""A C++ compiler: g++ starts cc1plus and as; the object file is the same to the byte, and every allocation of the
compiler proper is recorded."""

import real

SOURCE_TEXT = r"""
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <regex>
#include <string>
#include <vector>

template <int N> struct Chain {
    static int sum(const std::vector<int> &v) { return v[N % v.size()] + Chain<N - 1>::sum(v); }
};
template <> struct Chain<0> {
    static int sum(const std::vector<int> &v) { return v[0]; }
};

int main(int argc, char **argv)
{
    std::map<std::string, std::vector<int>> map;
    for (int i = 0; i < argc; i++)
        map[argv[i]].push_back(i);
    std::vector<int> all;
    for (auto &[name, numbers] : map)
        std::copy(numbers.begin(), numbers.end(), std::back_inserter(all));
    std::stable_sort(all.begin(), all.end(), std::greater<>());
    std::function<bool(const std::string &)> matches = [](const std::string &s) {
        return std::regex_match(s, std::regex("[a-z]+[0-9]*"));
    };
    std::cout << std::count_if(argv, argv + argc, matches) << ' ' << Chain<200>::sum(all) << '\n';
}
"""


# For the run in which libunwind unwinds every stack a second time, some hundred times slower.
SMALL_TEXT = r"""
#include <vector>
template <typename T> T sum(const std::vector<T> &v)
{
    T total{};
    for (const T &x : v)
        total += x;
    return total;
}
double sums(const std::vector<double> &a, const std::vector<int> &b) { return sum(a) + sum(b); }
"""


def compile_with(bench, command, preload="", options=""):
    """Compiles heavy.cc; returns the object file's bytes."""
    target = bench.scratch / "heavy.o"
    target.unlink(missing_ok=True)
    bench.run([*command, "-O1", "-c", "heavy.cc", "-o", "heavy.o"], preload, options)
    return target.read_bytes()


def as_untraced(bench, command, plain):
    if compile_with(bench, command, str(bench.shim)) != plain:
        raise AssertionError("the object file differs from the untraced compiler's")
    for region in bench.regions.all():
        document = bench.regions.stats(region, "--group-by", "object")
        if real.drops(document):
            raise AssertionError("\n".join([f"{region.name}: {document['process']['exe']}", *real.drops(document)]))


def as_counted(bench, command, plain):
    compile_with(bench, command, str(bench.count_so))
    alone = bench.counted_program("cc1plus")[1]
    bench.forget_counts()
    if compile_with(bench, command, f"{bench.count_so}:{bench.shim}") != plain:
        raise AssertionError("the object file differs from the untraced compiler's")
    pid, together = bench.counted_program("cc1plus")
    real.compare(bench.report(pid), real.programs_own(together, alone), "count.c")


def as_verified(bench, command):
    bench.forget_counts()
    bench.run([*command, "-c", "small.cc"], f"{bench.count_so}:{bench.shim}", "verify=1")
    real.verified(bench.report(bench.counted_program("cc1plus")[0]))


def saved_by_run(bench, command, plain):
    """`tracesnap run -o FILE`: the driver's snapshot is FILE, each child's FILE.PID."""
    snapshot = bench.scratch / "driver.tsnap"
    run = [real.TOOL, "run", "--quiet", "-o", str(snapshot), "--", *command]
    if compile_with(bench, run) != plain:
        raise AssertionError("the object file differs from the untraced compiler's")
    programs = {}
    for path in bench.scratch.glob("driver.tsnap*"):
        document = bench.regions.stats(path, "--group-by", "object")
        programs[document["process"]["exe"].rpartition("/")[2]] = document
        if real.drops(document):
            raise AssertionError("\n".join([document["process"]["exe"], *real.drops(document)]))
    if not any(name == "cc1plus" for name in programs) or len(programs) < 3:
        raise AssertionError(f"snapshots of {sorted(programs)}, expected the driver, cc1plus and the assembler")


def checks(tap):
    command = [real.need("g++")]
    with real.Regions() as regions:
        bench = real.Bench(regions)
        (bench.scratch / "heavy.cc").write_text(SOURCE_TEXT, encoding="utf-8")
        (bench.scratch / "small.cc").write_text(SMALL_TEXT, encoding="utf-8")
        plain = compile_with(bench, command)
        tap.check("g++: the same object file, nothing dropped in any process", as_untraced, bench, command, plain)
        tap.check("cc1plus: totals as in the same process", as_counted, bench, command, plain)
        tap.check("cc1plus: every stack as libunwind's", as_verified, bench, command)
        tap.check("g++: a snapshot of every process", saved_by_run, bench, command, plain)


real.main("g++", checks)
