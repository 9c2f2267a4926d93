"""What the tests of this directory share: a traced program that keeps 100 blocks of 1000 bytes, things planted where
its region will be, and other users."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fault  # noqa: E402
from fault import BUILD, SOURCE, TIMEOUT, Regions, Skip, equal, main, run  # noqa: E402,F401
from tracesnap import SHIM, TOOL  # noqa: E402

KEPT = (100, 100000)  # blocks and bytes of keeper.c


def build(name, *flags, **more):
    """Compiles tests/faults/hostile/NAME."""
    return fault.build(f"hostile/{name}", *flags, **more)


def keeper(*flags, **more):
    return build("keeper.c", *flags, **more)


def kept(stats):
    """That a report holds keeper.c's blocks, neither fewer nor more."""
    rows = [row for row in stats["stats"] if (row["file"] or "").endswith("/keeper.c")]
    equal("blocks and bytes of keeper.c", (sum(r["count"] for r in rows), sum(r["size"] for r in rows)), KEPT)


def own_name():
    """The name that the region of the calling process would have."""
    with open("/proc/self/stat", encoding="utf-8") as stat:
        return f"{os.getpid()}-{stat.read().rsplit(')', 1)[1].split()[19]}"


def one_line(text):
    lines = text.decode(errors="replace").splitlines()
    if len(lines) != 1:
        raise AssertionError(f"{len(lines)} lines on stderr, expected 1: {lines}")
    return lines[0]


class Users:
    """Two users besides root, and a copy of tool and shim that they can reach. Their region directories, which
    have well-known names, are removed at the end."""

    def __init__(self, first):
        self.anna, self.bert = first, first + 1

    def __enter__(self):
        if os.geteuid() != 0:
            raise Skip("only root can be other users")
        self.temporary = tempfile.TemporaryDirectory(prefix="tracesnap-test-users-", dir="/tmp")
        self.path = pathlib.Path(self.temporary.name)
        self.path.chmod(0o755)
        for directory in ("tools", ".libs"):
            (self.path / directory).mkdir(mode=0o755)
        self.tool = shutil.copy(TOOL, self.path / "tools" / "tracesnap")
        self.shim = shutil.copy(SHIM, self.path / ".libs" / "libtracesnap.so")
        self.program = shutil.copy(keeper(), self.path / "keeper")
        self.shared = self.path / "tmp"  # as /tmp is
        self.shared.mkdir()
        self.shared.chmod(0o1777)
        self.clean()
        return self

    def __exit__(self, *unused):
        self.clean()
        self.temporary.cleanup()

    def clean(self):
        for user in (self.anna, self.bert):
            place = self.place(user)
            if place.is_symlink() or place.is_file():
                place.unlink()
            shutil.rmtree(place, ignore_errors=True)

    @staticmethod
    def place(user):
        return pathlib.Path(f"/dev/shm/tracesnap-{user}")

    def environment(self, **more):
        environment = {n: v for n, v in os.environ.items() if n != "LD_PRELOAD" and not n.startswith("TRACESNAP")}
        environment.update(TMPDIR=str(self.shared), LC_ALL="C.UTF-8", **more)
        return environment

    def traced(self, **more):
        return self.environment(LD_PRELOAD=str(self.shim), **more)

    def start(self, user, *arguments, umask=-1, **more):
        """Starts the traced program as a user and waits until it has its blocks."""
        process = subprocess.Popen(
            [self.program, "wait", *arguments],
            env=self.traced(**more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            user=user,
            group=user,
            extra_groups=[],
            umask=umask,
            cwd="/",
        )
        equal("its first line", process.stdout.readline(), b"ready\n")
        return process

    def ask(self, user, *arguments, status=0, **more):
        """The tool as a user: (stdout, stderr)."""
        done = subprocess.run(
            [self.tool, *map(str, arguments)],
            env=self.environment(**more),
            user=user,
            group=user,
            extra_groups=[],
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            cwd="/",
        )
        if done.returncode != status:
            raise AssertionError(f"{arguments} as {user} ended with {done.returncode}: {done.stderr.decode()}")
        return done.stdout, done.stderr


def end(process):
    process.stdin.close()
    equal("the program's status", process.wait(TIMEOUT), 0)
    process.stdout.close()
