#!/usr/bin/env python3
"""Programs that are made of hundreds of short processes, traced whole: the same output, and each region reads."""

import json
import os
import shutil
import subprocess
import time

from process import Regions, Skip, equal, main

TIMEOUT = 400  # seconds; a second or two where nothing else runs

CONFIGURE = r"""#!/bin/sh
# As configure scripts do: tries of the compiler, subshells, pipes, here-documents, sed and expr.
set -e
exec 5>config.log
cc=${CC-cc}
try() {
    (
        cat >conftest.c
        $cc -o conftest conftest.c $1 >&5 2>&5
    ) && echo yes || echo no
    rm -f conftest conftest.c
}
have=
for header in stdio.h stdlib.h string.h unistd.h no_such_header.h sys/wait.h; do
    printf 'checking for %s... ' "$header"
    answer=$(printf '#include <%s>\nint main(void) { return 0; }\n' "$header" | try)
    echo "$answer"
    name=$(echo "$header" | sed 's,[/.],_,g' | tr a-z A-Z)
    case $answer in yes) have="$have -DHAVE_$name" ;; esac
done
for function in malloc fork no_such_function; do
    printf 'checking for %s... ' "$function"
    printf 'char %s();\nint main(void) { return %s != 0; }\n' "$function" "$function" | try -Wno-builtin-declaration-mismatch
done
i=0
while test $i -lt 20; do
    i=$(expr $i + 1)
    x=$(echo "$i" | (read n; echo "$n" | sed s/1/one/g))
done
echo "last: $x"
sed -e "s|@DEFS@|$have|" -e "s|@CC@|$cc|" >Makefile <<'END'
CC = @CC@
OBJECTS = a.o b.o c.o d.o main.o
all: program library.a
	@./program
program: $(OBJECTS)
	$(CC) -o $@ $(OBJECTS)
library.a: $(OBJECTS)
	@rm -f $@
	ar rc $@ $(OBJECTS)
.c.o:
	$(CC) -O1 -g @DEFS@ -c $<
END
"""


def make_project(directory):
    directory.mkdir()
    (directory / "configure").write_text(CONFIGURE)
    for name in "abcd":
        (directory / f"{name}.c").write_text(
            f"#include <stdio.h>\n#include <stdlib.h>\nint {name}(int n) {{ char *p = malloc(n); "
            f'int l = snprintf(p, n, "{name}%d", n); free(p); return l; }}\n'
        )
    (directory / "main.c").write_text(
        "#include <stdio.h>\nint a(int), b(int), c(int), d(int);\n"
        'int main(void) { printf("%d\\n", a(100) + b(20) + c(3000) + d(4)); return 0; }\n'
    )


def build(directory, environment):
    """What configure and make print, and whether they succeed."""
    make_project(directory)
    said = []
    for command in (["sh", "./configure"], ["make", "-j4", "-O"], ["make", "-j4", "no-such-target"]):
        done = subprocess.run(
            command, cwd=directory, env=environment, capture_output=True, timeout=TIMEOUT, check=False
        )
        said.append((done.returncode, sorted(done.stdout.splitlines()), sorted(done.stderr.splitlines())))
    said.append(sorted(path.name for path in directory.iterdir()))
    return said


def project():
    """A configure script and make -j4 with a compiler: the same statuses, outputs and files; every region reads."""
    for name in ("make", "ar", os.environ["CC"].split()[0]):
        if shutil.which(name) is None:
            raise Skip(f"no {name}")
    with Regions() as regions:
        environment = regions.environment(CC=os.environ["CC"])
        plain = build(regions.scratch / "plain", environment)
        equal("status of make", plain[1][0], 0)
        traced = build(regions.scratch / "traced", regions.traced(CC=os.environ["CC"]))
        equal("what it says and makes", traced, plain)
        processes = when_all_ended(regions)
        equal("regions that read", len(processes), len(regions.all()))
        equal(f"many processes, {len(processes)}", len(processes) > 100, True)
        lost = {cause: n for one in processes for cause, n in one["drops"].items() if n and cause != "no_unwind"}
        equal("drops", lost, {})


def when_all_ended(regions):
    """What `ps` lists of this directory; the last command of a pipe may outlive the shell that waits for another."""
    for _ in range(600):
        listed = json.loads(regions.tool("ps", "--all", "--json"))["processes"]
        ours = [one for one in listed if one["source"].startswith(f"{regions.path}/")]
        if all(one["process"]["state"] != "running" for one in ours):
            return ours
        time.sleep(0.1)
    raise AssertionError("processes that still run")


if __name__ == "__main__":
    main(project)
