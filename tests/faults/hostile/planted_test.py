#!/usr/bin/env python3
"""Things that lie where a region is to be made: the program is traced beside them, and they stay as they are."""

import os
import shlex
import stat
import subprocess
import sys

from hostile import SHIM, SOURCE, TIMEOUT, Regions, Skip, equal, keeper, kept, main, own_name

sys.path.insert(0, str(SOURCE / "tests" / "cli"))
import cmd_region  # noqa: E402


def silent(command, **more):
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False, **more)
    equal("status and output", (done.returncode, done.stdout, done.stderr), (0, b"", b""))


def traced_beside(plant):
    """Runs the program in a process for whose region plant(path, scratch) has put something. (path, scratch)"""
    with Regions() as regions:

        def before():
            path = regions.path / own_name()
            plant(path, regions.scratch)
            (regions.scratch / "path").write_text(str(path))

        silent([keeper()], env=regions.traced(), preexec_fn=before)
        path = (regions.scratch / "path").read_text()
        equal("it is still there", os.path.lexists(path), True)
        kept(regions.stats(path + "-1"))
        yield path, regions.scratch


def fifo():
    """A FIFO, whose other end nobody will ever open."""
    for path, _ in traced_beside(lambda path, _: os.mkfifo(path)):
        equal("a FIFO", stat.S_ISFIFO(os.lstat(path).st_mode), True)


def directory():
    """A directory."""
    for path, _ in traced_beside(lambda path, _: path.mkdir()):
        equal("what is in it", os.listdir(path), [])


def short():
    """A file that ends before a header would."""
    for path, _ in traced_beside(lambda path, _: path.write_bytes(b"TSREGION")):
        with open(path, "rb") as file:
            equal("what is in it", file.read(), b"TSREGION")


def foreign():
    """A file that is no region of this process."""

    def plant(path, _):
        path.write_bytes(b"x" * 100000)

    for path, _ in traced_beside(plant):
        with open(path, "rb") as file:
            equal("what is in it", file.read(), b"x" * 100000)


def link():
    """A symbolic link to what looks like a region of this very process."""

    def plant(path, scratch):
        victim = scratch / "victim"
        os.rename(cmd_region.example().write(scratch), victim)
        (scratch / "copy").write_bytes(victim.read_bytes())
        path.symlink_to(victim)

    for path, scratch in traced_beside(plant):
        equal("a link", os.path.islink(path), True)
        equal("unchanged", (scratch / "victim").read_bytes() == (scratch / "copy").read_bytes(), True)


def ancestor():
    """A FIFO as the region of an ancestor, which follow=0 looks for."""
    with Regions() as regions:
        os.mkfifo(regions.path / own_name())
        silent([keeper()], env=regions.traced("follow=0"))
        equal("regions", len([p for p in regions.all() if p.is_file()]), 1)


FULL = """
mount -t tmpfs -o size=1m,mode=700 none "$TRACESNAP_DIR" || exit 77
truncate -s 1g "$TRACESNAP_DIR/$$-$(cut -d' ' -f22 /proc/$$/stat)" || exit 77
dd if=/dev/zero of="$TRACESNAP_DIR/fill" bs=4k 2>/dev/null
exec env LD_PRELOAD={shim} {program}
"""


def hole():
    """A predecessor that died before its first byte, on a full file system: its header cannot be touched."""
    with Regions() as regions:
        script = FULL.format(shim=shlex.quote(str(SHIM)), program=shlex.quote(str(keeper())))
        command = ["unshare", "--mount", "sh", "-c", script]
        done = subprocess.run(command, env=regions.environment(), capture_output=True, timeout=TIMEOUT, check=False)
        if done.returncode == 77 or done.stderr.startswith(b"unshare:"):
            raise Skip(f"no file system of one's own can be mounted: {done.stderr.decode().strip()}")
        equal("status", done.returncode, 0)


def umask():
    """An umask that takes everything from everybody, when the region directory is yet to be made."""
    with Regions() as regions:
        regions.path.rmdir()
        silent([keeper()], env=regions.traced(), umask=0o777)
        equal("mode of the directory", oct(regions.path.stat().st_mode & 0o777), "0o700")
        equal("modes of regions", [oct(p.stat().st_mode & 0o777) for p in regions.all()], ["0o600"])
        kept(regions.stats(regions.all()[0]))


def wide_umask():
    """An umask that takes nothing from anybody."""
    with Regions() as regions:
        regions.path.rmdir()
        silent([keeper()], env=regions.traced(), umask=0)
        equal("mode of the directory", oct(regions.path.stat().st_mode & 0o777), "0o700")
        equal("modes of regions", [oct(p.stat().st_mode & 0o777) for p in regions.all()], ["0o600"])


def open_to_others():
    """A region directory that others can write to is refused, and the program runs."""
    with Regions() as regions:
        regions.path.chmod(0o770)
        silent([keeper()], env=regions.traced())
        equal("regions", regions.all(), [])


def linked_directory():
    """A region directory that is a symbolic link is refused, and the program runs."""
    with Regions() as regions:
        (regions.scratch / "other").mkdir(mode=0o700)
        regions.path.rmdir()
        regions.path.symlink_to(regions.scratch / "other")
        silent([keeper()], env=regions.traced())
        equal("regions", list((regions.scratch / "other").iterdir()), [])
        regions.path.unlink()


main(fifo, directory, short, foreign, link, ancestor, hole, umask, wide_umask, open_to_others, linked_directory)
