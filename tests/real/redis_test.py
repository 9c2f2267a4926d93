"""redis-server under redis-benchmark: a server with jemalloc and threads, read while it works; its answers are the
untraced server's, its totals those counted in the same process. (Two runs never ask for the same: timers.)"""

import os
import signal
import subprocess
import time

import real
from tap import note
from tracesnap import TIMEOUT

# Answers that do not depend on the order of hash tables or on time.
COMMANDS = r"""
EVAL "for i = 1, 5000 do redis.call('SET', 'key:' .. i, string.rep('v', i % 300)) end return redis.call('DBSIZE')" 0
EVAL "for i = 1, 3000 do redis.call('HSET', 'hash', 'f' .. i, i) end return redis.call('HLEN', 'hash')" 0
EVAL "for i = 1, 3000 do redis.call('ZADD', 'sorted', i * 7919 % 3001, 'm' .. i) end return 1" 0
EVAL "for i = 1, 2000 do redis.call('RPUSH', 'list', 'item' .. i) end return redis.call('LLEN', 'list')" 0
ZRANGE sorted 100 120 WITHSCORES
LRANGE list 500 520
STRLEN key:299
APPEND key:299 more
GETRANGE key:299 290 310
SORT list ALPHA LIMIT 0 10
XADD stream 1-1 a 1 b 2
XRANGE stream - +
DEL hash
DBSIZE
DEBUG DIGEST
"""


class Server:
    """A server on a socket in the scratch directory."""

    def __init__(self, bench, preload="", options=""):
        # Debian's redis-server is a link to this program, which looks at the name that it is called by.
        self.program = real.need("redis-check-rdb")
        self.bench = bench
        self.preload = preload
        self.options = options
        self.socket = bench.scratch / "socket"

    def __enter__(self):
        environment = self.bench.environment(self.preload, self.options)
        settings = "--port 0 --appendonly no --enable-debug-command yes --io-threads 2 --hz 100"
        self.log = open(self.bench.scratch / "log", "wb")
        self.process = subprocess.Popen(
            ["redis-server", *settings.split(), "--save", "", "--unixsocket", str(self.socket)],
            executable=self.program,
            env=environment,
            cwd=self.bench.scratch,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()

    def wait_until_ready(self):
        deadline = time.monotonic() + TIMEOUT
        while self.process.poll() is None and time.monotonic() < deadline:
            if self.socket.exists() and "PONG" in self.ask("PING", check=False):
                return
            time.sleep(0.05)
        raise AssertionError(f"no answer: {(self.bench.scratch / 'log').read_text()[-2000:]}")

    def ask(self, commands, check=True):
        client = [real.need("redis-cli"), "-s", str(self.socket)]
        done = subprocess.run(client, input=commands.encode(), capture_output=True, timeout=TIMEOUT, check=check)
        return done.stdout.decode()

    def benchmark(self, requests):
        tests = "set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100,mset"
        command = [real.need("redis-benchmark"), "-s", str(self.socket), "-n", str(requests), "-t", tests]
        command += ["-c", "20", "-r", "1000", "-P", "4", "-q"]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(TIMEOUT)
        if status != 0:
            raise AssertionError(f"the server ended with {status}")
        return self.process.pid


def answers(server):
    server.wait_until_ready()
    told = server.ask(COMMANDS)
    allocator = [line for line in server.ask("INFO memory").splitlines() if line.startswith("mem_allocator")]
    served = int(server.ask("MEMORY STATS").split("allocator.allocated\n")[1].split()[0])
    if served < 1 << 20:
        raise AssertionError(f"jemalloc says that it served {served} bytes: something else serves the program")
    return told, allocator


def counted_alone(bench):
    with Server(bench, f"{bench.count_so}") as server:
        server.wait_until_ready()
        return bench.counted(server.stop())


def under_load(bench, plain, alone):
    with Server(bench, f"{bench.count_so}:{bench.shim}") as server:
        if answers(server) != plain:
            raise AssertionError("the answers differ from the untraced server's")
        pid = server.process.pid
        load = server.benchmark(20000)
        readings = 0
        while load.poll() is None:
            document = bench.regions.stats(pid, "--group-by", "object")
            wrong = real.drops(document)
            if wrong:
                raise AssertionError("\n".join(wrong))
            readings += 1
        if load.returncode != 0:
            raise AssertionError(f"redis-benchmark ended with {load.returncode}")
        note(f"read {readings} times while it worked")
        server.stop()
        real.compare(bench.report(pid), real.programs_own(bench.counted(pid), alone), "count.c")


def verified(bench, plain, alone):
    with Server(bench, str(bench.shim), "verify=1") as server:
        if answers(server) != plain:
            raise AssertionError("the answers differ from the untraced server's")
        load = server.benchmark(100)
        if load.wait(TIMEOUT) != 0:
            raise AssertionError(f"redis-benchmark ended with {load.returncode}")
        real.verified(bench.report(server.stop()), alone["at_start"]["allocated_count"])


def killed(bench):
    with Server(bench, str(bench.shim)) as server:
        server.wait_until_ready()
        server.ask(COMMANDS)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(TIMEOUT)
        document = bench.report(server.process.pid)
    wrong = real.drops(document)
    if document["process"]["state"] != "ended":
        wrong.append(f"state is {document['process']['state']}, expected ended")
    if document["totals"]["size"] < 1 << 20:
        wrong.append(f"{document['totals']['size']} bytes live, expected more than the data: 1 MiB")
    if wrong:
        raise AssertionError("\n".join(wrong))


def checks(tap):
    with real.Regions() as regions:
        bench = real.Bench(regions)
        with Server(bench) as server:
            plain = answers(server)
            server.stop()
        alone = counted_alone(bench)
        tap.check("redis: answers, readings under load, totals", under_load, bench, plain, alone)
        tap.check("redis: every stack as libunwind's", verified, bench, plain, alone)
        tap.check("redis: readable after kill -9", killed, bench)


real.main("redis", checks)
