"""What the tests of the command share: where the tool is, how it is run, and TAP lines."""
import os
import subprocess
import sys

TOOL = os.path.abspath(os.environ.get("TRACESNAP", "../tools/tracesnap"))
LIBRARY = os.environ.get("TRACESNAP_LIB", "")

_results = []


def need_tool():
    if not os.access(TOOL, os.X_OK):
        print("1..0 # SKIP no tool at '%s': set TRACESNAP" % TOOL)
        sys.exit(77)


def need_library():
    need_tool()
    if not os.access(LIBRARY, os.R_OK):
        print("1..0 # SKIP no library: set TRACESNAP_LIB")
        sys.exit(77)


def check(name, problems):
    """problems: what is wrong, a list or one text; empty = all is well."""
    if isinstance(problems, str):
        problems = [problems] if problems else []
    _results.append(not problems)
    print("%s %d - %s" % ("not ok" if problems else "ok", len(_results), name))
    for problem in problems:
        for line in problem.splitlines() or [""]:
            print("# " + line)
    sys.stdout.flush()


def equal(name, found, expected):
    check(name, "" if found == expected else "found %r, expected %r" % (found, expected))


def skip(name, why):
    _results.append(True)
    print("ok %d - %s # SKIP %s" % (len(_results), name, why))


def finish():
    print("1..%d" % len(_results))
    sys.exit(0 if _results and all(_results) else 1)


def tool(*arguments, prefix=(), **options):
    """Runs the tool; the result has returncode, stdout and stderr (text)."""
    return subprocess.run([*prefix, TOOL, *arguments], stdin=subprocess.DEVNULL,
                          stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
                          text=True, timeout=120, **options)
