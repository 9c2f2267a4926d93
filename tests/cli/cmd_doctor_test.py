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
    shutil.rmtree(work)
    finish()


if __name__ == "__main__":
    main()
