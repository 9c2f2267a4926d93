"""git: a history is imported, then read with patches, and blamed line by line."""

import subprocess

import real
from tracesnap import TIMEOUT

COMMITS = 120
QUIET = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_PAGER": "cat"}


def history():
    """A stream for fast-import: three files that change at different places."""
    lines = [[f"file {n} line {i}" for i in range(300)] for n in range(3)]
    out = []
    for commit in range(COMMITS):
        for step in range(5):
            lines[commit % 3][(commit * 37 + step * 11) % 300] = f"changed in {commit} step {step}"
        out.append(f"commit refs/heads/main\ncommitter A <a@example.org> {1700000000 + commit} +0000\n")
        message = f"change {commit}\n"
        out.append(f"data {len(message)}\n{message}")
        text = "\n".join(lines[commit % 3]) + "\n"
        out.append(f"M 100644 inline dir/file{commit % 3}.txt\ndata {len(text)}\n{text}\n")
    return "".join(out).encode()


def checks(tap):
    git = real.need("git")
    with real.Regions() as regions:
        repository = regions.scratch / "repository"
        for arguments, data in (["init", "--quiet", "."], None), (["fast-import", "--quiet"], history()):
            repository.mkdir(exist_ok=True)
            environment = regions.environment(**QUIET)
            command = [git, "-c", "init.defaultBranch=main", *arguments]
            subprocess.run(command, input=data, cwd=repository, env=environment, check=True, timeout=TIMEOUT)
        more = {"cwd": repository, "env": QUIET}
        log = [git, "log", "--patch", "--stat", "--graph", "main"]
        real.check_program(tap, "git log", log, **more)
        blame = [git, "blame", "-C", "main", "--", "dir/file1.txt"]
        real.check_program(tap, "git blame", blame, **more)


real.main("git", checks)
