#!/usr/bin/env python3
"""tracesnap doctor finds each reason why a program cannot be traced, and no others."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from cmd_tap import TOOL, check, equal, finish, need_library, skip, tool  # noqa: E402

NOBODY = 65534
work = tempfile.mkdtemp()


def path(name):
    return os.path.join(work, name)


def write(name, data, mode=0o755):
    with open(path(name), "wb") as out:
        out.write(data)
    os.chmod(path(name), mode)
    return path(name)


def build(name, *flags, source="int main(void) { return 0; }"):
    """The program's path, or None where the compiler cannot build it."""
    with open(path(name + ".c"), "w") as out:
        out.write(source)
    cc = os.environ.get("CC", "cc").split()
    done = subprocess.run([*cc, "-o", path(name), path(name + ".c"), *flags], capture_output=True)
    return path(name) if done.returncode == 0 else None


def findings(*arguments, **options):
    """(status, {check: (level, text, fix)}) of one call."""
    done = tool("doctor", "--json", *arguments, **options)
    document = json.loads(done.stdout)
    equal("traceable goes with the status (%s)" % " ".join(arguments),
          document["traceable"], done.returncode == 0)
    return done.returncode, {item["check"]: (item["level"], item["text"], item["fix"])
                             for item in document["findings"]}


def problem(name, program, found_by, *words, **options):
    if program is None:
        skip(name, "it cannot be built here")
        return
    status, found = findings("--", program, **options)
    problems = [item for item in found.items() if item[1][0] == "problem"]
    texts = " ".join(text for _, (_, text, _) in problems)
    check(name, "" if status == 1 and [item[0] for item in problems] == [found_by]
          and all(word in texts for word in words) and all(item[1][2] for item in problems)
          else "status %d: %r" % (status, found))


def fine(name, program, **options):
    status, found = findings("--", program, **options)
    check(name, "" if status == 0 else "status %d: %r" % (status, found))
    return found


def test_programs():
    plain = build("plain")
    found = fine("a program without debug information", plain)
    equal("is noted", found["symbols"][0], "note")
    equal("with its symbol table", "no lines" in found["symbols"][1], True)
    found = fine("a stripped program", build("stripped", "-s"))
    equal("is noted as such", "stripped" in found["symbols"][1], True)
    found = fine("a program with debug information", build("debug", "-g"))
    equal("is fine", found["symbols"][0], "ok")
    fine("a program in PATH", "true")
    problem("a missing program", path("missing"), "program", "missing")
    problem("a program not in PATH", "no-such-program", "program", "no-such-program")
    problem("a file that is not executable", write("data", b"data", 0o644), "program", "data")
    problem("a directory", work, "program", work)
    problem("a file of no known kind", write("text", b"hello world, this is text"), "program", "text")
    problem("a static program", build("static", "-static"), "static", "static")
    problem("a static PIE", build("static_pie", "-static-pie"), "static", "static_pie")
    problem("a program for musl", build("musl", "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1"), "libc",
            "musl")
    problem("a program for another libc", build("other", "-Wl,--dynamic-linker=/system/bin/linker64"),
            "libc", "linker64")
    problem("a library", build("lib.so", "-shared", "-fPIC"), "program", "library")
    own = "void *malloc(unsigned long n) { return (void *)n; } int main(void) { return 0; }"
    problem("a program with its own malloc", build("own", "-rdynamic", "-fno-builtin", source=own),
            "allocator", "malloc")
    with open(plain, "rb") as program:
        data = bytearray(program.read())
    data[18:20] = (40).to_bytes(2, "little")
    problem("a program for ARM", write("arm", bytes(data)), "machine", "arm")
    problem("a cut program", write("cut", bytes(data[:40])), "program", "cut")


def test_scripts():
    fine("a script", write("script", b"#!/bin/sh\necho\n"))
    fine("a script run by env", write("env", b"#!/usr/bin/env -S sh -e\necho\n"))
    problem("a script without its interpreter", write("lost", b"#!/no/such/shell\n"), "program",
            "/no/such/shell")
    static = build("interpreter", "-static")
    if static:
        problem("a script of a static interpreter", write("static_script", b"#!%s\n" % static.encode()),
                "static", "interpreter")


def test_rights():
    if os.getuid() != 0 or not shutil.which("setpriv"):
        skip("a setuid program", "needs root and setpriv")
        return
    os.chmod(work, 0o755)
    plain = build("setuid")
    os.chmod(plain, 0o4755)
    fine("a setuid program of our own", plain)
    shutil.copy(TOOL, path("tool"))
    done = subprocess.run(["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups",
                           path("tool"), "doctor", "--json", "--", plain], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "TRACESNAP_DIR": path("nobody")})
    rights = [item for item in json.loads(done.stdout)["findings"] if item["check"] == "rights"]
    check("a setuid program of another user", "" if done.returncode == 1 and len(rights) == 1
          and rights[0]["level"] == "problem" and "setuid" in rights[0]["text"] else done.stdout)


def test_environment():
    status, found = findings()
    equal("all is well here", (status, sorted({level for level, _, _ in found.values()} - {"note"})),
          (0, ["ok"]))
    equal("preloading was tried", found["preload"][0], "ok")
    equal("and left nothing", os.listdir(os.environ["TRACESNAP_DIR"]), [])
    open_directory = path("open")
    os.mkdir(open_directory)
    os.chmod(open_directory, 0o777)
    status, found = findings(env={**os.environ, "TRACESNAP_DIR": open_directory})
    equal("an open region directory", (status, found["directory"][0]), (1, "problem"))
    done = subprocess.run(["sh", "-c", "ulimit -v 1000000; ulimit -f 1000; exec \"$0\" doctor", TOOL],
                          capture_output=True, text=True)
    check("small limits are noted", "" if done.stdout.count("note     limits") == 2 else done.stdout)


def said(name, prefix, check_name, *words, level="note"):
    """doctor under a command (prefix) finds this, says how to mend it, and says it in these words."""
    done = tool("doctor", "--json", prefix=prefix)
    found = [item for item in json.loads(done.stdout or '{"findings": []}')["findings"]
             if item["check"] == check_name and item["level"] == level]
    texts = " ".join(item["text"] for item in found)
    check(name, "" if found and all(item["fix"] for item in found) and all(word in texts for word in words)
          else done.stdout + done.stderr)


def shell(commands):
    return ["sh", "-c", commands + '; exec "$@"', "sh"]


def test_resources():
    for option, value, word in ("-f", 1000, "ulimit -f"), ("-v", 1000000, "ulimit -v"), \
            ("-d", 100000, "ulimit -d"), ("-n", 10, "ulimit -n"):
        said("a limit (%s) is noted" % word, shell("ulimit %s %d" % (option, value)), "limits", word)


FILTER = """
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {1, &allow};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, 2, &program) != 0)
        return 125;
    execv(argv[1], argv + 1);
    return 127;
}
"""


def test_filter():
    said("a system call filter is noted", [build("filter", source=FILTER)], "seccomp", "filter")


def test_places():
    """What only mounts of one's own can show."""
    alone = ["unshare", "-m"]
    if subprocess.run([*alone, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode != 0:
        skip("limits of places", "mounts of its own are not allowed here")
        return
    write("two", b"2\n", 0o644)
    said("vm.overcommit_memory=2 is noted",
         alone + shell("mount --bind %s /proc/sys/vm/overcommit_memory" % path("two")), "overcommit", "MiB")
    for version, place, most, now in ("1", "/sys/fs/cgroup/memory", "limit_in_bytes", "usage_in_bytes"), \
            ("2", "/sys/fs/cgroup", "max", "current"):
        write("groups" + version, b"0::/a/b\n" if version == "2" else b"4:cpu:/\n3:memory:/a/b\n", 0o644)
        said("a control group (version %s) that is nearly full is noted" % version,
             alone + shell("mount -t tmpfs none /sys/fs/cgroup && mkdir -p %s/a && echo 20000000 >%s/a/memory.%s && "
                           "echo 9500000 >%s/a/memory.%s && mount --bind %s /proc/$$/cgroup"
                           % (place, place, most, place, now, path("groups" + version))), "cgroup", "10 MiB")
    directory = os.environ["TRACESNAP_DIR"]
    said("a small file system for regions is a problem",
         alone + shell("mount -t tmpfs -o size=1m,mode=700 none %s" % directory), "space", "KiB", level="problem")
    said("one that will be small for many is noted",
         alone + shell("mount -t tmpfs -o size=64m,mode=700 none %s" % directory), "space", "64 MiB")
    said("a read-only region directory is a problem",
         alone + shell("mount -t tmpfs -o ro,mode=700 none %s" % directory), "directory", "Read-only",
         level="problem")
    said("no /proc is noted", alone + shell("mount -t tmpfs none /proc"), "processes", "no /proc")
    said("a pid namespace is noted", [*alone, "-pf", "--mount-proc"], "processes", "container")


def main():
    need_library()
    os.environ["TRACESNAP_DIR"] = path("regions")
    os.mkdir(path("regions"), 0o700)
    for name in ("LD_PRELOAD", "TRACESNAP_OPTIONS", "DEBUGINFOD_URLS"):
        os.environ.pop(name, None)
    test_environment()
    test_programs()
    test_scripts()
    test_rights()
    test_resources()
    test_filter()
    test_places()
    shutil.rmtree(work)
    finish()


if __name__ == "__main__":
    main()
