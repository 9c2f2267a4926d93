#!/usr/bin/env python3
"""A process that gives up rights, its directory or its root: it works on, it is traced, or its parent's region says that
it is not."""

import os
import pathlib
import subprocess
import time

from process import SHIM, Regions, blocks, drops, equal, expect, life, main, only_root, program

NOBODY = 65534


def relative():
    """A relative TRACESNAP_DIR is that of the start, also for children that begin elsewhere."""
    with Regions() as regions:
        environment = {"TRACESNAP_DIR": regions.path.name}
        elsewhere = regions.scratch / "elsewhere"
        elsewhere.mkdir()
        operations = f"alloc 10 chdir {elsewhere} fork alloc 3 fork alloc 2"
        life(regions, operations, environment=environment, cwd=regions.path.parent)
        expect(regions, (10, 10, "ended"), (13, 13, "ended"), (15, 15, "ended"))
        equal("made elsewhere", os.listdir(elsewhere), [])


def umask():
    """A umask without rights for the owner: the region can be read."""
    with Regions() as regions:
        life(regions, "alloc 10 umask 777 fork alloc 3")
        expect(regions, (10, 10, "ended"), (13, 13, "ended"))
        equal("modes", {path.stat().st_mode & 0o777 for path in regions.all()}, {0o600})


def daemon():
    """A daemon: twice forked, in another directory, every descriptor closed; then it forks again."""
    with Regions() as regions:
        mark = regions.scratch / "mark"
        life(regions, f"alloc 10 daemon alloc 5 fork alloc 2 touch {mark}")
        wait_for(mark)
        states = wait_until_ended(regions)
        equal("regions", states, [(10, 10, "ended"), (15, 15, "ended"), (17, 17, "ended")])


def wait_for(path):
    for _ in range(6000):
        if path.exists():
            return
        time.sleep(0.01)
    raise AssertionError(f"no {path}")


def wait_until_ended(regions):
    for _ in range(6000):
        stats = [regions.stats(path) for path in regions.all()]
        if not any(one["process"]["state"] == "running" for one in stats):
            break
        time.sleep(0.01)
    equal("drops", [text for one in stats for text in drops(one)], [])
    return sorted((*blocks(one), one["process"]["state"]) for one in stats)


def new_root():
    """chroot, then fork: a child without a directory there is told of; one with it is traced."""
    only_root()
    with Regions() as regions:
        jail = regions.scratch / "jail"
        jail.mkdir()
        life(regions, f"alloc 10 chroot {jail} alloc 1 fork untraced fork untraced")
        expect(regions, (11, 11, "ended"), must_drop=["untraced_children"])
        equal("left in the new root", os.listdir(jail), [])
    with Regions() as regions:
        jail = regions.scratch / "jail"
        inside = jail / str(regions.path).lstrip("/")
        inside.mkdir(parents=True)
        inside.chmod(0o700)
        life(regions, f"alloc 10 chroot {jail} fork alloc 2 fork alloc 3")
        expect(regions, (10, 10, "ended"))
        found = sorted(blocks(regions.stats(path)) for path in inside.iterdir())
        equal("regions in the new root", found, [(12, 12), (15, 15)])


def living_in_new_root():
    """A child in a new root without /proc is found by its pid, and seen to live."""
    only_root()
    with Regions() as regions:
        jail = regions.scratch / "jail"
        inside = jail / str(regions.path).lstrip("/")
        inside.mkdir(parents=True)
        inside.chmod(0o700)
        command = [program("life.c", "-pthread"), *f"alloc 1 chroot {jail} fork alloc 2 wait".split()]
        with subprocess.Popen(
            command, env=regions.traced(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            pid = int(process.stdout.readline())
            stats = regions.stats(pid)
            process.stdin.close()
        equal("status", process.returncode, 0)
        equal("the child", (*blocks(stats), stats["process"]["state"]), (3, 3, "running"))


def other_user():
    """setuid, then fork: root's directory is not the child's, and its parent's region says so."""
    only_root()
    with Regions() as regions:
        life(regions, f"alloc 10 setuid {NOBODY} alloc 1 fork untraced")
        expect(regions, (11, 11, "ended"), must_drop=["untraced_children"])


def other_user_with_directory():
    """setuid, then fork, then exec: without TRACESNAP_DIR the new user has a directory of his own."""
    only_root()
    shared = pathlib.Path(f"/dev/shm/tracesnap-{NOBODY - 7}")
    if shared.exists():
        raise AssertionError(f"'{shared}' exists: remove it")
    with Regions() as regions:
        environment = regions.traced()
        del environment["TRACESNAP_DIR"]
        command = [program("life.c", "-pthread"), *f"setuid {NOBODY - 7} alloc 2 fork alloc 3 exec /bin/true".split()]
        environment["LD_PRELOAD"] = str(readable_shim(regions))
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
        try:
            stderr = process.communicate(timeout=100)[1]
            equal("status", (process.returncode, stderr), (0, b""))
            states = [regions.stats(path)["process"]["state"] for path in sorted(shared.iterdir())]
            equal("the new program", states, ["exited"])
        finally:
            for path in [*shared.glob("*"), *pathlib.Path("/dev/shm/tracesnap-0").glob(f"{process.pid}-*")]:
                path.unlink()
            if shared.exists():
                shared.rmdir()


def readable_shim(regions):
    """Where another user can load it from."""
    pathlib.Path(regions.temporary.name).chmod(0o755)
    copy = pathlib.Path(regions.temporary.name) / "libtracesnap.so"
    copy.write_bytes(pathlib.Path(SHIM).read_bytes())
    copy.chmod(0o755)
    return copy


def namespaces():
    """Processes with pid 1 of several namespaces, begun at once: none touches another's region."""
    only_root()
    count = 20
    with Regions() as regions:
        command = [program("life.c", "-pthread"), *f"newpid {count} alloc 3 wait".split()]
        with subprocess.Popen(
            command, env=regions.traced(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as parent:
            for _ in range(count):
                equal("pid in the namespace", parent.stdout.readline(), b"1\n")
            found = [regions.stats(path) for path in regions.of(1)]
            wanted = [(3, 3, "running", 0)] * count
            states = [(*blocks(one), one["process"]["state"], sum(one["drops"].values())) for one in found]
            equal("regions", states, wanted)
            children = pathlib.Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
            equal("children by pid", [regions.stats(pid)["process"]["state"] for pid in children], ["running"] * count)
            parent.stdin.close()
        equal("status", parent.returncode, 0)
        states = [regions.stats(path)["process"]["state"] for path in regions.of(1)]
        equal("states", states, ["ended"] * count)


if __name__ == "__main__":
    main(
        relative,
        umask,
        daemon,
        new_root,
        living_in_new_root,
        other_user,
        other_user_with_directory,
        namespaces,
    )
