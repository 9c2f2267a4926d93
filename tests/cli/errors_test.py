#!/usr/bin/env python3
"""Every bad input gives one line on stderr with its cause, its subject in single quotes and a fix, the right
status, nothing on stdout, and leaves nothing behind."""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import cmd_region  # noqa: E402
from cmd_tap import LIBRARY, TOOL, check, equal, finish, need_tool, skip, tool  # noqa: E402

NOBODY = 65534
AS_NOBODY = ("setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups")

work = tempfile.mkdtemp()
regions = os.path.join(work, "regions")


def path(name):
    return os.path.join(work, name)


def everything():
    """Names and sizes of all files; a region directory that was made is no trace of an error."""
    found = {}
    for directory, _, files in os.walk(work):
        for name in files:
            full = os.path.join(directory, name)
            found[full] = os.lstat(full).st_size
    return found


def bad(name, *arguments, status=2, subject=None, fix=None, **options):
    before = everything()
    done = tool(*arguments, **options)
    lines = done.stderr.splitlines()
    problems = []
    if done.returncode != status:
        problems.append("status %d, expected %d" % (done.returncode, status))
    if len(lines) != 1:
        problems.append("%d lines on stderr, expected one: %s" % (len(lines), done.stderr))
    if done.stdout:
        problems.append("stdout is not empty: " + done.stdout[:200])
    line = lines[0] if lines else ""
    if not re.match(r"tracesnap: .*'.*'.+$", line) or line.endswith("."):
        problems.append("not \"tracesnap: cause 'subject': fix\": " + line)
    if subject is not None and "'%s'" % subject not in line:
        problems.append("no subject '%s' in: %s" % (subject, line))
    if fix is not None and not re.search(fix, line):
        problems.append("no fix like '%s' in: %s" % (fix, line))
    if everything() != before:
        problems.append("files changed: %s" % sorted(set(everything()) ^ set(before)))
    check(name, problems)


def write(name, data):
    with open(path(name), "wb") as out:
        out.write(data)
    return path(name)


def test_options():
    bad("unknown command", "statz", subject="statz", fix="did you mean 'stats'")
    bad("unknown command like none", "qqqqqq", subject="qqqqqq", fix="--help")
    bad("option in place of a command", "--frob", subject="--frob", fix="--help")
    bad("unknown long option", "stats", "--frobnicate", subject="--frobnicate", fix="--help")
    bad("misspelled long option", "stats", "--grop-by", "line", fix="did you mean '--group-by'")
    bad("unknown short option", "stats", "-z", subject="-z", fix="--help")
    bad("short option among others", "stats", "-cz", subject="-z", fix="--help")
    bad("missing value of a long option", "stats", "x", "--group-by", subject="--group-by", fix="give")
    bad("missing value of a short option", "stats", "x", "-g", subject="--group-by", fix="give")
    bad("empty value", "snap", "x", "-o", "", subject="--output", fix="give FILE")
    bad("value for a flag", "stats", "--cumulative=yes", subject="--cumulative", fix="leave")
    bad("bad choice", "stats", "--group-by", "colour", subject="colour", fix="line, function, file")
    bad("bad choice in a list", "stats", "--domain", "obj,big", subject="obj,big", fix="libc, raw, mem, obj")
    bad("empty choice in a list", "stats", "--domain=obj,", subject="obj,", fix="libc, raw, mem, obj")
    bad("bad choice with =", "stats", "--sort=big", subject="big", fix="size, count, peak")
    for value in ("ten", "", "-1", "1x", "99999999999999999999"):
        bad("bad number %r" % value, "stats", "--top=" + value, subject=value, fix="number from 0 to")
    bad("number out of range", "run", "--depth", "0", "true", status=125, subject="0",
        fix="from 1 to 1024")
    for value in ("0", "-1", "x", "", "1.5K", "1KiB", "512KK", "2T", "1099511627777", "17179869184G",
                  "99999999999999999999"):
        bad("bad size %r" % value, "run", "--sample", value, "true", status=125, subject=value,
            fix="a size from 1 to 1099511627776 bytes, such as 512K")
    bad("missing operand", "stats", subject="tracesnap stats", fix="give SOURCE")
    bad("missing second operand", "diff", "x", subject="tracesnap diff", fix="give OLD NEW")
    bad("operand too many", "stats", "x", "y", subject="y", fix="takes SOURCE")
    bad("operand for ps", "ps", "x", subject="x", fix="takes none")
    bad("no program for run", "run", status=125, subject="tracesnap run", fix="give")
    bad("option after -- is an operand", "stats", "--", "--json", subject="--json")
    bad("cumulative by domain", "stats", "-c", "-g", "domain", "x", subject="--group-by domain")
    bad("cumulative by stack", "stats", "-c", "-g", "stack", "x", subject="--group-by stack")
    bad("snap without -o", "snap", "x", subject="-o", fix="give -o FILE")
    bad("snap with source and --all", "snap", "--all", "-o", work, "x", subject="x", fix="one of them")
    done = tool()
    check("no command: usage, status 2", "" if done.returncode == 2 and "usage:" in done.stderr
          and not done.stdout else done.stderr + done.stdout)


def test_sources():
    sleeper = subprocess.Popen(["sleep", "1000"])
    try:
        for command in ("stats", "export", "pause", "clear"):
            bad("%s of a process that is not traced" % command, command, str(sleeper.pid),
                subject=sleeper.pid, fix="tracesnap run -- CMD|LD_PRELOAD")
        bad("snap of a process that is not traced", "snap", str(sleeper.pid), "-o", path("x"),
            subject=sleeper.pid, fix="tracesnap run -- CMD|LD_PRELOAD")
    finally:
        sleeper.kill()
        sleeper.wait()
    bad("no such process", "stats", "4194304", subject="4194304")
    bad("no such file", "stats", path("missing"), subject=path("missing"))
    bad("a directory", "stats", work, subject=work)
    bad("a device", "stats", "/dev/zero", subject="/dev/zero")
    bad("another file", "stats", os.path.abspath(__file__), subject=os.path.abspath(__file__))
    bad("an empty file", "stats", write("empty", b""), subject=path("empty"))
    bad("second source bad", "diff", path("good.tsnap"), path("missing"), subject=path("missing"))
    bad("pause of a snapshot", "pause", path("good.tsnap"), subject=path("good.tsnap"))


def test_damaged():
    with open(path("good.tsnap"), "rb") as good:
        snapshot = good.read()
    for size in (7, 100, 4000, len(snapshot) - 1):
        bad("snapshot cut at %d" % size, "stats", write("cut", snapshot[:size]), subject=path("cut"))
    newer = snapshot[:8] + (99).to_bytes(4, "little") + snapshot[12:]
    bad("snapshot of another version", "stats", write("newer", newer), subject=path("newer"),
        fix="version")
    turned = snapshot[:12] + bytes(reversed(snapshot[12:16])) + snapshot[16:]
    bad("snapshot of another byte order", "stats", write("turned", turned), subject=path("turned"))
    region = cmd_region.example()
    region.version = 99
    file = region.write(work)
    bad("region of another version", "stats", file, subject=file, fix="version")
    with open(file, "rb") as whole:
        data = whole.read()
    bad("region cut in its header", "stats", write("region", data[:5000]), subject=path("region"))
    randomness = random.Random(1)
    bad("random bytes", "stats", write("noise", randomness.randbytes(50000)), subject=path("noise"))
    for name in ("cut", "newer", "turned", "region", "noise", "empty"):
        if os.path.exists(path(name)):
            os.unlink(path(name))
    os.unlink(file)


def test_debug_file():
    """Damage to a debug file costs names, and one line says so; the figures stay right."""
    program, symbols = cmd_region.compile_program(work)
    shutil.copy(program, path("plain"))
    subprocess.run(["objcopy", "--only-keep-debug", program, path("table.debug")], check=True)
    subprocess.run(["objcopy", "--strip-debug", "--add-gnu-debuglink=" + path("table.debug"), program],
                   check=True)
    write("table.debug", b"\x7fELF no more")
    done = tool("stats", cmd_region.example(program, symbols).write(work))
    notes = [line for line in done.stderr.splitlines() if "libexample" not in line]
    check("a damaged debug file", [] if done.returncode == 0 and len(notes) <= 1
          else ["status %d" % done.returncode, done.stderr])
    check("the figures are right all the same",
          "" if "size=1547 KiB, count=3, average=516 KiB  [table_new]" in done.stdout
          else done.stdout + done.stderr)


def test_output():
    good = path("good.tsnap")
    bad("-o to a missing directory", "snap", good, "-o", path("no/where"), subject=path("no"))
    bad("-o to a directory", "snap", good, "-o", work, subject=work)
    bad("-o to a device", "snap", good, "-o", "/dev/full", subject="/dev/full")
    bad("-o below a file", "snap", good, "-o", good + "/x", subject=good)
    check("the device is still one", "" if not os.path.isfile("/dev/full") else "it was replaced")
    with open("/dev/full", "w") as full:
        for command in (["stats", good], ["export", good], ["ps", "--json"], ["--help"]):
            done = tool(*command, stdout=full)
            errors = [line for line in done.stderr.splitlines() if ": note: " not in line]
            check("full standard output of %s" % command[0],
                  "" if done.returncode == 2 and len(errors) == 1 and "No space left" in errors[0]
                  else "%d: %s" % (done.returncode, done.stderr))
    for ignored in (False, True):
        trap = "trap '' PIPE; " if ignored else ""
        script = trap + '"$0" stats --help | true; echo ${PIPESTATUS[0]}'
        done = subprocess.run(["bash", "-c", script, TOOL], capture_output=True, text=True)
        check("broken pipe%s" % (", ignored" if ignored else ""),
              done.stderr if done.stderr or done.stdout.strip() not in ("0", "141") else "")


def test_json_errors():
    for command, status in ((["stats", "--json", path("missing")], 2), (["stats", "--json", "--frob"], 2),
                            (["run", "--json", "--frob"], 125), (["snap", "x", "--json"], 2)):
        done = tool(*command)
        problem = ""
        try:
            document = json.loads(done.stderr)
            if document["schema"] != "tracesnap.error/1" or "'" not in document["error"]:
                problem = done.stderr
        except (ValueError, KeyError):
            problem = "no JSON: " + done.stderr
        if done.returncode != status:
            problem += " status %d" % done.returncode
        check("JSON error of '%s'" % " ".join(command[:1] + command[2:]), problem)
    done = tool("run", "--", "sh", "-c", "exit 3", "--json")
    check("--json of the program is not ours", done.stderr if "{" in done.stderr else "")


def test_directory():
    foreign = path("open")
    os.mkdir(foreign, 0o700)
    os.chmod(foreign, 0o777)
    file = write("file", b"")
    for name, directory in (("others can write to", foreign), ("missing parent", path("no/where")),
                            ("a file", file)):
        bad("region directory: " + name, "run", "true", status=125, subject=directory,
            fix="TRACESNAP_DIR", env={**os.environ, "TRACESNAP_DIR": directory})
    os.chmod(foreign, 0o700)
    if os.getuid() == 0:
        os.chown(foreign, NOBODY, NOBODY)
        bad("region directory: somebody else's", "run", "true", status=125, subject=foreign,
            fix="TRACESNAP_DIR", env={**os.environ, "TRACESNAP_DIR": foreign})
    else:
        skip("region directory: somebody else's", "needs root")


def test_programs():
    bad("program not found", "run", "no-such-program-here", status=127, subject="no-such-program-here",
        fix="PATH")
    bad("program not executable", "run", path("good.tsnap"), status=126, subject=path("good.tsnap"),
        fix="doctor")
    bad("run -o to a missing directory", "run", "-o", path("no/x"), "true", status=125,
        subject=path("no"))


def test_other_user():
    if os.getuid() != 0 or not shutil.which("setpriv"):
        skip("process of another user", "needs root and setpriv")
        return
    os.chmod(work, 0o755)
    tool_copy = path("tool")
    shutil.copy(TOOL, tool_copy)
    for pid in (os.getpid(),):
        before = everything()
        done = subprocess.run([*AS_NOBODY, tool_copy, "stats", str(pid)], capture_output=True, text=True,
                              env={**os.environ, "TRACESNAP_DIR": path("nobody")}, cwd="/")
        lines = done.stderr.splitlines()
        check("process of another user", "" if done.returncode == 2 and len(lines) == 1
              and "'%d'" % pid in done.stderr and "root" in done.stderr and everything() == before
              else "status %d: %s" % (done.returncode, done.stderr))


def test_full_disk():
    mount = path("small")
    os.mkdir(mount)
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "none",
                                           mount], stderr=subprocess.DEVNULL).returncode != 0:
        skip("full file system", "no tmpfs can be mounted")
        return
    try:
        with open(os.path.join(mount, "fill"), "wb") as out:
            out.write(b"x" * 60000)
        bad("snapshot to a full file system", "snap", path("good.tsnap"), "-o", mount + "/x.tsnap",
            subject=mount + "/x.tsnap")
        environment = {**os.environ, "TRACESNAP_DIR": mount}
        if os.access(LIBRARY, os.R_OK):
            done = tool("run", "sh", "-c", "exit 7", env=environment)
            equal("a program runs without room for its region", done.returncode, 7)
            equal("and its trace is not there", "no trace of 'sh'" in done.stderr, True)
        done = tool("doctor", env=environment)
        check("doctor names the full directory", "" if done.returncode == 1 and "free in" in done.stdout
              else done.stdout)
    finally:
        subprocess.run(["umount", mount], check=True)


def main():
    need_tool()
    os.mkdir(regions, 0o700)
    os.environ["TRACESNAP_DIR"] = regions
    source = cmd_region.example().write(work)
    tool("snap", source, "-o", path("good.tsnap")).check_returncode()
    os.unlink(source)
    for test in (test_options, test_sources, test_damaged, test_debug_file, test_output,
                 test_json_errors, test_directory, test_programs, test_other_user, test_full_disk):
        test()
    shutil.rmtree(work)
    finish()


if __name__ == "__main__":
    main()
