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
    quiet = {"stdin": subprocess.DEVNULL, "capture_output": True}
    done = subprocess.run(command, env=environment, cwd=directory, timeout=timeout, check=False, **quiet)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace")[-2000:]
        raise AssertionError(f"{command[0]} ended with {done.returncode}: {said}")


class Program:
    """prepare(regions, scale) returns the command; run gets it, the environment, a directory and a time limit."""

    def __init__(self, name, prepare, run=run_to_end, depth=256, **environment):
        self.name = name
        self.prepare = prepare
        self.run = run
        self.depth = depth
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
# LuaJIT has an allocator of its own: what calls malloc here is code that it generated.
LUA = r"""
local ffi = require("ffi")
ffi.cdef("void *malloc(size_t); void *realloc(void *, size_t); void free(void *);")
local function node(n) local p = ffi.C.malloc(n + 1); return p end
local function pair(n) local p = node(n); p = ffi.C.realloc(p, n + 100); ffi.C.free(p) end
for i = 1, COUNT do pair(i % 500) end
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
#include <map>
#include <string>
template <int N> struct Chain { static int sum(int x) { return x % N + Chain<N - 1>::sum(x); } };
template <> struct Chain<0> { static int sum(int) { return 0; } };
int all(std::map<std::string, int> &map) { return map["x"] + Chain<30>::sum(map["y"]); }
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
    fast_import = ["-C", str(directory), "fast-import", "--quiet"]
    for arguments, data in (["init", "--quiet", str(directory)], None), (fast_import, "".join(out)):
        subprocess.run([git, *arguments], input=data, text=True, env=environment, check=True, timeout=300)
    return [git, "-C", str(directory), "log", "--patch", "--stat", "--graph", "main"]


def compiler(regions, _scale):
    source = regions.scratch / "heavy.cc"
    source.write_text(CXX, encoding="utf-8")
    return [need("g++"), "-std=c++17", "-O1", "-c", str(source), "-o", str(regions.scratch / "heavy.o")]


def redis(_regions, scale):
    return [need("redis-server"), need("redis-benchmark"), str(int(2000 * scale))]


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


def compiled(source, arguments, flags):
    """A program of this directory, compiled in some way; the last argument is how much to do."""

    def prepare(regions, scale):
        program, is_c = regions.scratch / "program", source.endswith(".c")
        command = [*shlex.split(os.environ["CC" if is_c else "CXX"]), "-D_GNU_SOURCE", "-w", *flags.split()]
        subprocess.run([*command, str(HERE / source), "-o", str(program)], check=True, timeout=300)
        return [str(program), *arguments[:-1], str(int(arguments[-1] * scale))]

    return prepare


def tree(steps, **more):
    """The random tree (tree.c): code without CFI, plug-ins, coroutines, traps, threads."""

    def prepare(regions, scale):
        directory = pathlib.Path(tempfile.mkdtemp(dir=regions.scratch))
        program = walk.build(directory)
        arguments = {"seed": 1, "steps": int(steps * scale), **walk.EVERYTHING, **more}
        return [str(program), str(directory / "books"), str(directory), *(f"{k}={v}" for k, v in arguments.items())]

    return prepare


FLAGS = ("-O2 -fomit-frame-pointer", "-O2 -fno-omit-frame-pointer", "-O0")
PROGRAMS = [
    Program("sqlite3", script("sqlite3", (60000, SQL), "-batch", ":memory:")),
    Program("git log", git_log, GIT_PAGER="cat", GIT_CONFIG_GLOBAL="/dev/null"),
    Program("redis-server", redis, run_redis),
    Program("perl", script("perl", (40000, PERL), "-e")),
    Program("g++ (cc1plus, as)", compiler),
    Program("python3, JSON and recursion", script(sys.executable, (4, JSON_RECURSION), "-c"), PYTHONMALLOC="malloc"),
    Program("luajit", script("luajit", (200000, LUA), "-e")),
    Program("node", script("node", (100, NODE), "-e")),
    *(
        Program(f"{kind}, {flags}", compiled("storm.c", [kind, 640000], flags))
        for kind in ("calls", "longjmp", "signals", "coroutines")
        for flags in FLAGS
    ),
    *(Program(f"C++ exceptions, {flags}", compiled("exceptions.cc", [80000], flags)) for flags in FLAGS),
    Program("random tree", tree(4000, odd=1)),
    Program("random tree, threads", tree(2000, workers=3)),
    Program("random tree, deep recursion", tree(1000, sober=1, levels=1200), depth=1024),
]
