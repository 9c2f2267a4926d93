#!/usr/bin/env python3
"""tracesnap run: the program's own status, a snapshot however it ends, the right one for each process, and
nothing left over."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from cmd_tap import LIBRARY, TOOL, check, equal, finish, need_library, skip, tool  # noqa: E402

SOURCE = r"""#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

volatile void *keep[100];

int main(int argc, char **argv)
{
    int blocks = argc > 2 ? atoi(argv[2]) : 10;
    for (int i = 0; i < blocks; i++)
        keep[i] = malloc(1000);
    const char *how = argc > 1 ? argv[1] : "return";
    if (strcmp(how, "kill") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "_exit") == 0)
        _exit(5);
    if (strcmp(how, "pause") == 0) {
        write(1, "x", 1);
        pause();
    }
    return strcmp(how, "return") == 0 ? 3 : 0;
}
"""

ALLOCATES = 1 + SOURCE[:SOURCE.index("malloc(")].count("\n")

work = tempfile.mkdtemp()
regions = os.path.join(work, "regions")


def path(name):
    return os.path.join(work, name)


def compile_program():
    with open(path("prog.c"), "w") as out:
        out.write(SOURCE)
    cc = os.environ.get("CC", "cc").split()
    subprocess.run([*cc, "-g", "-o", path("prog"), path("prog.c")], check=True)
    linked = subprocess.run([*cc, "-static", "-o", path("static"), path("prog.c")],
                            stderr=subprocess.DEVNULL)
    return linked.returncode == 0


def stats(source):
    done = tool("stats", "--json", "--top", "0", source)
    return json.loads(done.stdout) if done.returncode == 0 else {"failed": done.stderr}


def blocks_of(source):
    """Live blocks that were allocated in prog.c's main."""
    report = stats(source)
    return sum(row["count"] for row in report.get("stats", []) if (row["file"] or "").endswith("prog.c"))


def listed(pid, *options):
    """The states of the programs of that process; other people's processes may be there, too."""
    rows = json.loads(tool("ps", "--json", *options).stdout)["processes"]
    return [row["process"]["state"] for row in rows
            if str(row["process"]["pid"]) == pid and row["source"].startswith(regions)]


def snapshots():
    return sorted(os.path.basename(name) for name in glob.glob(path("*.tsnap*")))


def clean():
    for name in glob.glob(path("*.tsnap*")) + glob.glob(regions + "/*"):
        os.unlink(name)


def test_endings():
    for how, status in (("return", 3), ("_exit", 5), ("kill", 137), ("abort", 134), ("end", 0)):
        done = tool("run", "-o", path("a.tsnap"), "--", path("prog"), how)
        equal("status of %s" % how, done.returncode, status)
        equal("snapshot after %s" % how, blocks_of(path("a.tsnap")), 10)
        equal("no region after %s" % how, os.listdir(regions), [])
        check("the summary names the snapshot", "" if "tracesnap stats " + path("a.tsnap") in done.stderr
              else done.stderr)
        check("the line that held most at the peak of %s" % how,
              "" if "prog.c:%d  [main]" % ALLOCATES in done.stderr else done.stderr)
    clean()


def test_without_output():
    done = tool("run", path("prog"), "end")
    equal("without -o the region stays", len(os.listdir(regions)), 1)
    pid = os.listdir(regions)[0].split("-")[0]
    check("the summary names the pid", "" if "tracesnap stats " + pid in done.stderr else done.stderr)
    equal("stats of the dead process", blocks_of(pid), 10)
    equal("ps does not list it", listed(pid), [])
    equal("ps --all does", listed(pid, "--all"), ["exited"])
    clean()


def test_streams():
    done = subprocess.run([TOOL, "run", "--quiet", "--", "sh", "-c", "cat; echo out; echo err >&2"],
                          input="in\n", capture_output=True, text=True)
    equal("standard output is the program's", done.stdout, "in\nout\n")
    equal("and standard error with --quiet", done.stderr, "err\n")
    clean()


def test_names():
    script = "'%s' _exit 3 & a=$!; wait $a; exec '%s' end 7" % (path("prog"), path("prog"))
    tool("run", "-o", path("a.tsnap"), "--", "sh", "-c", script)
    names = snapshots()
    equal("the last program of the process is the main one", blocks_of(path("a.tsnap")), 7)
    replaced = [name for name in names if name.endswith("-0")]
    equal("the shell before it has its own", len(replaced), 1)
    children = [name for name in names if name != "a.tsnap" and name not in replaced]
    equal("and the child", [blocks_of(path(name)) for name in children], [3])
    clean()
    tool("run", "-o", path("%p-x.tsnap"), "--", "sh", "-c", script)
    names = snapshots()
    equal("with %p each has its pid in its name", [name for name in names if ".tsnap." in name], [])
    equal("and there are as many", len(names), 3)
    equal("all regions are gone", os.listdir(regions), [])
    clean()


def test_options():
    tool("run", "--no-follow", "-o", path("a.tsnap"), "--", "sh", "-c", path("prog") + " end; :")
    equal("--no-follow leaves other programs alone", snapshots(), ["a.tsnap"])
    clean()
    tool("run", "--paused", "-o", path("a.tsnap"), "--", path("prog"), "end")
    equal("--paused records nothing", blocks_of(path("a.tsnap")), 0)
    clean()
    tool("run", "--depth", "7", "-o", path("a.tsnap"), "--", path("prog"), "end")
    equal("--depth reaches the program", stats(path("a.tsnap"))["process"]["depth"], 7)
    for size, expected in (("1", 1), ("4096", 4096), ("512K", 512 << 10), ("1M", 1 << 20),
                           ("2G", 2 << 30), ("1T", 1 << 40)):
        done = tool("run", "--sample", size, "-o", path("s.tsnap"), "--", path("prog"), "end")
        equal("--sample %s reaches the program" % size, stats(path("s.tsnap"))["process"]["sample"], expected)
        equal("--sample %s: the summary says so" % size, "\n  estimated from one sample per " in done.stderr, True)
    done = tool("run", "--sample", "1M", "--no-follow", "-o", path("s.tsnap"), "--", "sh", "-c",
                path("prog") + " end; :")
    equal("--sample with --no-follow", [name for name in snapshots() if name.startswith("s.")], ["s.tsnap"])
    done = tool("run", "--sample", "1M", "-o", path("f.tsnap"), "--", "sh", "-c", path("prog") + " end; :")
    equal("--sample reaches what the program starts",
          [stats(path(name))["process"]["sample"] for name in snapshots() if name.startswith("f.")], [1 << 20] * 2)
    # A tool built with AddressSanitizer wants to be told that another preload is meant.
    environment = {**os.environ, "TRACESNAP_OPTIONS": "depth=9", "LD_PRELOAD": "libm.so.6",
                   "ASAN_OPTIONS": "verify_asan_link_order=0"}
    tool("run", "-o", path("b.tsnap"), "--", path("prog"), "end", env=environment)
    equal("options that were set stay in force", stats(path("b.tsnap"))["process"]["depth"], 9)
    done = tool("run", "-q", "--", "sh", "-c", "echo $LD_PRELOAD", env=environment)
    equal("other preloads stay", done.stdout.strip().split(":")[1:], ["libm.so.6"])
    done = tool("run", "-o", path("c.tsnap"), "--json", "--", path("prog"), "return")
    report = json.loads(done.stderr)
    equal("--json: the status", (report["schema"], report["exit_status"]), ("tracesnap.run/1", 3))
    equal("--json: totals", report["totals"]["size"] >= 10000, True)
    clean()


def start(*arguments):
    process = subprocess.Popen([TOOL, "run", *arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdout.read(1)
    return process


def test_signals():
    for number, status in ((signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        process = start("-o", path("a.tsnap"), "--", path("prog"), "pause")
        process.send_signal(number)
        process.communicate(timeout=60)
        equal("signal %d is passed on" % number, process.returncode, status)
        equal("and the snapshot is written", blocks_of(path("a.tsnap")), 10)
    process = start("-o", path("a.tsnap"), "--", path("prog"), "pause", "4")
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    equal("SIGINT is left to the program", process.poll(), None)
    process.terminate()
    process.communicate(timeout=60)
    clean()


def test_daemon():
    done = tool("run", "-o", path("a.tsnap"), "--", "sh", "-c",
                "'%s' pause 6 >'%s' 2>&1 & while [ ! -s '%s' ]; do sleep 0.01; done; echo $!" %
                (path("prog"), path("out"), path("out")))
    pid = done.stdout.strip()
    equal("a child that still runs is saved", blocks_of(path("a.tsnap." + pid)), 6)
    equal("and its region stays", blocks_of(pid), 6)
    equal("ps lists it", listed(pid), ["running"])
    tool("snap", "--all", "-o", work)
    equal("snap --all saves it", blocks_of(path(pid + ".tsnap")), 6)
    for command, found in (("pause", "paused"), ("resume", "paused")):
        equal("%s succeeds in silence" % command, (lambda d: (d.returncode, d.stdout + d.stderr))(
            tool(command, pid)), (0, ""))
        equal("and it is " + command + "d", stats(pid)["process"][found], command == "pause")
    tool("clear", pid)
    equal("clear forgets its blocks", stats(pid)["totals"]["count"], 0)
    os.kill(int(pid), signal.SIGKILL)
    clean()


def test_static(linked):
    if not linked:
        skip("a static program", "no static C library")
        return
    done = tool("run", "-o", path("a.tsnap"), "--", path("static"), "return")
    equal("status of a static program", done.returncode, 3)
    check("it says that there is no trace, and whom to ask", "" if "doctor" in done.stderr
          and len(done.stderr.splitlines()) == 1 else done.stderr)
    clean()


def main():
    need_library()
    os.mkdir(regions, 0o700)
    os.environ["TRACESNAP_DIR"] = regions
    for name in ("TRACESNAP_OPTIONS", "LD_PRELOAD"):
        os.environ.pop(name, None)
    linked = compile_program()
    for test in (test_endings, test_without_output, test_streams, test_names, test_options,
                 test_signals, test_daemon):
        test()
    test_static(linked)
    shutil.rmtree(work)
    finish()


if __name__ == "__main__":
    main()
