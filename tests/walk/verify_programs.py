"""What verify-real runs. Each program allocates some hundred thousand times or more; `scale` is how much of that."""

import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import walk

HERE = pathlib.Path(__file__).resolve().parent


def need(program):
    path = shutil.which(program)
    if path is None:
        raise walk.Skip(f"no {program}")
    return path


def run_to_end(command, environment, directory, timeout):
    done = subprocess.run(
        command, env=environment, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")


class Program:
    """prepare(regions, scale) returns the command; run gets it, the environment, a directory and a time limit."""

    def __init__(self, name, prepare, run=run_to_end, **environment):
        self.name = name
        self.prepare = prepare
        self.run = run
        self.environment = environment


def script(program, text, *options):
    """A command with a script in which COUNT stands for how much to do."""

    def prepare(_regions, scale):
        count, body = text
        return [need(program), *options, body.replace("COUNT", str(int(count * scale)))]

    return prepare


SQL = """
CREATE TABLE page (id INTEGER PRIMARY KEY, title TEXT, size INTEGER, parent INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < COUNT)
    INSERT INTO page SELECT i, 'page ' || (i * 7919 % 20011), i * 31 % 4096, i / 10 FROM n;
CREATE INDEX page_title ON page (title);
SELECT count(*), sum(size), max(title) FROM page;
SELECT p.title, group_concat(c.id) FROM page p JOIN page c ON c.parent = p.id GROUP BY p.id ORDER BY 1 DESC LIMIT 20;
UPDATE page SET title = title || ' (' || size || ')' WHERE id % 3 = 0;
SELECT sum(length(json_object('id', id, 'title', title, 'list', json_array(size, parent)))) FROM page;
"""
PERL = r"""
my (%count, @words);
for my $i (1 .. COUNT) {
    my $word = "w" . ($i * 7919 % 3001);
    $count{$word}++;
    push @words, [$word, { at => $i, text => "x" x ($i % 50) }];
}
my $down; $down = sub { my ($n, @rest) = @_; return $n ? [$down->($n - 1, "more of it $n", @rest)] : [@rest] };
$down->(60) for 1 .. COUNT / 400;
print scalar(keys %count), "\n";
"""
JSON_RECURSION = r"""
import json, sys
sys.setrecursionlimit(20000)
def deep(n):
    value = {"leaf": ["text %d" % n] * 3}
    for i in range(n):
        value = [value, {"key %d" % i: i}]
    return value
for i in range(COUNT):
    json.loads(json.dumps(deep(20 + i % 60)))
def down(n):
    return [n, down(n - 1)] if n else []
for i in range(COUNT):
    down(10 + i % 30)
"""
LUA = r"""
local t = {}
for i = 1, COUNT do
    t[i % 1000] = { tostring(i) .. string.rep("x", i % 70), { i, i + 1 } }
    if i % 1000 == 0 then
        local text = {}
        for j = 1, 999 do text[j] = t[j][1] end
        table.sort(text)
        t.all = table.concat(text)
    end
end
local made = coroutine.wrap(function() for i = 1, COUNT / 10 do coroutine.yield({ tostring(i) }) end end)
for i = 1, COUNT / 10 do made() end
print(#t.all)
"""
NODE = r"""
const { createHash, randomBytes } = require('crypto');
let sum = 0;
const f = (n) => n ? [f(n - 1), { n, text: 'x'.repeat(n) }] : Buffer.alloc(100);
for (let i = 0; i < COUNT; i++) {
    sum += createHash('sha1').update('text ' + i).digest().length;
    if (i % 10 === 0) { JSON.parse(JSON.stringify(f(i % 20))); sum += Buffer.from('y'.repeat(9000)).length; }
}
new Intl.DateTimeFormat('de').format(0); console.log(sum);
"""
CXX = r"""
#include <algorithm>
#include <functional>
#include <map>
#include <regex>
#include <string>
#include <vector>
template <int N> struct Chain { static int sum(const std::vector<int> &v) { return v[N % v.size()] + Chain<N - 1>::sum(v); } };
template <> struct Chain<0> { static int sum(const std::vector<int> &v) { return v[0]; } };
bool matches(const std::string &s) { return std::regex_match(s, std::regex("[a-z]+")); }
int all(std::map<std::string, std::vector<int>> &map, std::vector<int> v)
{
    for (auto &[name, numbers] : map)
        std::stable_sort(numbers.begin(), numbers.end(), std::greater<>());
    return Chain<100>::sum(v);
}
"""


def git_log(regions, scale):
    """A history of files that change, made untraced."""
    git, directory = need("git"), regions.scratch / "repository"
    lines = [[f"file {n} line {i}" for i in range(200)] for n in range(3)]
    out = []
    for commit in range(int(1500 * scale)):
        lines[commit % 3][commit * 37 % 200] = f"changed in {commit}"
        text, message = "\n".join(lines[commit % 3]) + "\n", f"change {commit}\n"
        out.append(f"commit refs/heads/main\ncommitter A <a@example.org> {1700000000 + commit} +0000\n")
        out.append(f"data {len(message)}\n{message}M 100644 inline f{commit % 3}\ndata {len(text)}\n{text}\n")
    environment = regions.environment(GIT_CONFIG_GLOBAL="/dev/null")
    for arguments, data in (["init", "--quiet", str(directory)], None), (["-C", str(directory), "fast-import", "--quiet"], "".join(out)):
        subprocess.run([git, *arguments], input=data, text=True, env=environment, check=True, timeout=300)
    return [git, "-C", str(directory), "log", "--patch", "--stat", "--graph", "main"]


def compiler(regions, _scale):
    source = regions.scratch / "heavy.cc"
    source.write_text(CXX, encoding="utf-8")
    return [need("g++"), "-std=c++17", "-O1", "-c", str(source), "-o", str(regions.scratch / "heavy.o")]


def redis(_regions, scale):
    return [need("redis-server"), need("redis-benchmark"), str(int(20000 * scale))]


def run_redis(command, environment, directory, timeout):
    """The server is traced, its load is not."""
    server, load, requests = command
    socket = directory / "socket"
    settings = ["--port", "0", "--save", "", "--appendonly", "no", "--io-threads", "2", "--unixsocket", str(socket)]
    with subprocess.Popen([server, *settings], env=environment, cwd=directory, stdout=subprocess.DEVNULL) as process:
        try:
            while not socket.exists() and process.poll() is None:
                time.sleep(0.05)
            tests = "set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100,mset"
            arguments = ["-s", str(socket), "-n", requests, "-t", tests, "-c", "20", "-r", "1000", "-P", "4", "-q"]
            subprocess.run([load, *arguments], stdout=subprocess.DEVNULL, check=True, timeout=timeout)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout)


def storm(kind, count, flags):
    """storm.cc, compiled in some way."""

    def prepare(regions, scale):
        program = regions.scratch / "storm"
        compiled = [*shlex.split(os.environ["CXX"]), "-std=gnu++17", "-w", *flags.split(), str(HERE / "storm.cc")]
        subprocess.run([*compiled, "-o", str(program)], check=True, timeout=300)
        return [str(program), kind, str(int(count * scale))]

    return prepare


def tree(steps, **more):
    """The random tree (tree.c): code without CFI, plug-ins, coroutines, traps, threads."""

    def prepare(regions, scale):
        directory = pathlib.Path(tempfile.mkdtemp(dir=regions.scratch))
        program = walk.build(directory)
        arguments = {"seed": 1, "steps": int(steps * scale), **walk.EVERYTHING, **more}
        return [str(program), str(directory / "books"), str(directory), *(f"{k}={v}" for k, v in arguments.items())]

    return prepare


WITH, WITHOUT = "-fno-omit-frame-pointer", "-fomit-frame-pointer"
PROGRAMS = [
    Program("sqlite3", script("sqlite3", (30000, SQL), "-batch", ":memory:")),
    Program("git log", git_log, GIT_PAGER="cat", GIT_CONFIG_GLOBAL="/dev/null"),
    Program("redis-server", redis, run_redis),
    Program("perl", script("perl", (60000, PERL), "-e")),
    Program("g++ (cc1plus, as)", compiler),
    Program("python3, JSON and recursion", script(sys.executable, (150, JSON_RECURSION), "-c"), PYTHONMALLOC="malloc"),
    Program("luajit", script("luajit", (100000, LUA), "-e")),
    Program("node", script("node", (20000, NODE), "-e")),
    *(
        Program(f"storm of {kind}, {flags}", storm(kind, 600000, flags))
        for kind in ("exceptions", "longjmp", "signals", "coroutines", "calls")
        for flags in (f"-O2 {WITHOUT}", f"-O2 {WITH}", "-O0")
    ),
    Program("random tree", tree(20000, odd=1)),
    Program("random tree, threads", tree(8000, workers=3)),
]
