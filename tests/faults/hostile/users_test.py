#!/usr/bin/env python3
"""Two users and root on one host: nobody sees or changes what is another's, root sees all, and nothing that one
plants makes another write, read or list what it should not."""

import json
import os
import shutil
import stat
import subprocess
import sys

from hostile import SOURCE, TIMEOUT, Users, end, equal, kept, main, one_line

sys.path.insert(0, str(SOURCE / "tests" / "cli"))
import cmd_region  # noqa: E402

FIRST = 61100  # a user id that nobody has, and the next


def listed(users, user):
    return [row["process"]["pid"] for row in json.loads(users.ask(user, "ps", "--json")[0])["processes"]]


def sources(users, user):
    return [row["source"] for row in json.loads(users.ask(user, "ps", "--all", "--json")[0])["processes"]]


def apart():
    """Each sees its own processes, root those of all."""
    with Users(FIRST) as users:
        process = users.start(users.anna, umask=0)
        place = users.place(users.anna)
        equal("mode of the directory", stat.S_IMODE(place.stat().st_mode), 0o700)
        equal("modes of regions", [stat.S_IMODE(p.stat().st_mode) for p in place.iterdir()], [0o600])
        for user, sees in ((users.anna, True), (users.bert, False), (0, True)):
            equal(f"listed for {user}", process.pid in listed(users, user), sees)
        for user in (users.anna, 0):
            kept(json.loads(users.ask(user, "stats", "--json", "--top", "0", process.pid)[0]))
        for source in (process.pid, next(place.iterdir())):
            line = one_line(users.ask(users.bert, "stats", source, status=2)[1])
            equal(f"says why: {line}", "ermi" in line, True)
        end(process)


def control():
    """A region is changed by its own user and by root, and by nobody else."""
    with Users(FIRST + 2) as users:
        process = users.start(users.anna)
        for command in ("pause", "resume", "clear", "reset-peak"):
            one_line(users.ask(users.bert, command, process.pid, status=2)[1])
        kept(json.loads(users.ask(0, "stats", "--json", "--top", "0", process.pid)[0]))
        for user in (users.anna, 0):
            for command, paused in (("pause", True), ("resume", False)):
                users.ask(user, command, process.pid)
                report = json.loads(users.ask(0, "stats", "--json", process.pid)[0])
                equal(f"paused after {command} by {user}", report["process"]["paused"], paused)
        end(process)


def control_of_root():
    """What is root's is neither read nor changed by others."""
    with Users(FIRST + 4) as users:
        process = users.start(0, TRACESNAP_DIR=str(users.path / "of-root"))
        region = next((users.path / "of-root").iterdir())
        before = region.read_bytes()[:4096]
        for command in ("stats", "pause", "clear"):
            for source in (process.pid, region):
                one_line(users.ask(users.bert, command, source, status=2)[1])
        equal("unchanged", region.read_bytes()[:4096] == before, True)
        end(process)


def owner_only():
    """Root writes to a user's region as that user: what the user may not write, root does not write for them."""
    with Users(FIRST + 6) as users:
        process = users.start(users.anna)
        region = next(users.place(users.anna).iterdir())
        region.chmod(0o400)
        line = one_line(users.ask(0, "pause", process.pid, status=2)[1])
        equal(f"says why: {line}", "ermission" in line, True)
        equal("paused", json.loads(users.ask(0, "stats", "--json", process.pid)[0])["process"]["paused"], False)
        end(process)


def planted_directories():
    """A region directory that another user made first, or made a link, is used by neither shim nor tool."""
    for link in (False, True):
        with Users(FIRST + 8) as users:
            trap = users.path / "trap"
            trap.mkdir(mode=0o777)
            for name in (users.place(users.anna), users.shared / f"tracesnap-{users.anna}"):
                if link:
                    name.symlink_to(trap)
                else:
                    name.mkdir()
                    name.chmod(0o777)
                os.chown(name, users.bert, users.bert, follow_symlinks=False)
            process = users.start(users.anna)
            for name in (users.place(users.anna), users.shared / f"tracesnap-{users.anna}", trap):
                equal(f"what is in {name}", list(name.iterdir()), [])
            equal("listed", listed(users, users.anna), [])
            end(process)


def foreign_directory():
    """A region directory of another user is refused to root, too, and the program runs."""
    with Users(FIRST + 20) as users:
        place = users.path / "of-bert"
        place.mkdir(mode=0o755)
        os.chown(place, users.bert, users.bert)
        command = [users.program]
        subprocess.run(command, env=users.traced(TRACESNAP_DIR=str(place)), timeout=TIMEOUT, check=True)
        equal("what is in it", list(place.iterdir()), [])


def planted_regions():
    """Regions that another user put into such a directory are not listed, for the user or for root."""
    with Users(FIRST + 10) as users:
        process = users.start(users.anna, TRACESNAP_DIR=str(users.shared / "anna"))
        place = users.place(users.anna)
        place.mkdir(mode=0o755)
        planted = cmd_region.example(pid=process.pid).write(place)
        os.chmod(planted, 0o644)
        os.chown(planted, users.bert, users.bert)
        os.chown(place, users.bert, users.bert)
        for user in (users.anna, 0):
            equal(f"listed for {user}", planted in sources(users, user), False)
        os.chown(place, users.anna, users.anna)  # the directory is right now, the file is not
        for user in (users.anna, 0):
            equal(f"listed for {user}", planted in sources(users, user), False)
        end(process)


def pretended():
    """A user's region of somebody else's process, or with another pid inside, does not count as that process's."""
    with Users(FIRST + 12) as users:
        place = users.place(users.bert)
        place.mkdir(mode=0o700)
        one = cmd_region.example(pid=1).write(place)
        other = cmd_region.example(pid=os.getpid()).write(place)
        renamed = other.replace(str(os.getpid()), str(os.getppid()), 1)
        os.rename(other, renamed)
        for path in (place, one, renamed):
            os.chown(path, users.bert, users.bert)
        equal("listed under a pid that is not its own", renamed in sources(users, 0), False)
        equal("init is listed", 1 in listed(users, 0), False)


def victim(users, name, kind):
    """What bert plants under a name in a directory like /tmp; the file that root would lose."""
    file = users.path / "precious"
    file.write_bytes(b"precious")
    file.chmod(0o600)
    path = users.shared / name
    if kind == "link":
        path.symlink_to(file)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        os.link(file, path)
    os.chown(path, users.bert, users.bert, follow_symlinks=False)
    return path, file


def unharmed(kind, path, file, ino):
    equal("the file", (file.read_bytes(), file.stat().st_ino), (b"precious", ino))
    if kind == "fifo":
        equal("still a FIFO", stat.S_ISFIFO(os.lstat(path).st_mode), True)


def outputs():
    """A link, a FIFO or a hard link planted under the name of a snapshot: nothing is written through it."""
    for kind in ("link", "fifo"):
        with Users(FIRST + 14) as users:
            path, file = victim(users, "a.tsnap", kind)
            ino = file.stat().st_ino
            process = users.start(0, TRACESNAP_DIR=str(users.path / "of-root"))
            line = one_line(users.ask(0, "snap", process.pid, "-o", path, status=2)[1])
            equal(f"says why: {line}", "another user's" in line, True)
            end(process)
            unharmed(kind, path, file, ino)
            line = one_line(users.ask(0, "run", "-o", path, "--", "true", status=125)[1])
            equal(f"says why: {line}", "another user's" in line, True)
            unharmed(kind, path, file, ino)
    with Users(FIRST + 14) as users:
        file = users.path / "precious"
        file.write_bytes(b"precious")
        os.link(file, users.shared / "a.tsnap")
        process = users.start(0, TRACESNAP_DIR=str(users.path / "of-root"))
        users.ask(0, "snap", process.pid, "-o", users.shared / "a.tsnap")
        end(process)
        equal("the file", file.read_bytes(), b"precious")
        equal("mode of the snapshot", stat.S_IMODE((users.shared / "a.tsnap").stat().st_mode), 0o600)


def outputs_inside():
    """The same for a snapshot that the traced program saves itself."""
    for kind in ("link", "fifo"):
        with Users(FIRST + 16) as users:
            path, file = victim(users, "a.tsnap", kind)
            ino = file.stat().st_ino
            command = [users.program, "snapshot", str(path)]
            more = {"TRACESNAP_DIR": str(users.path / "of-root")}
            subprocess.run(command, env=users.traced(**more), timeout=30, check=True, capture_output=True)
            equal("the file", (file.read_bytes(), file.stat().st_ino), (b"precious", ino))
            if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
                unharmed(kind, path, file, ino)
            else:
                kept(json.loads(users.ask(0, "stats", "--json", "--top", "0", path)[0]))


def own_links():
    """One's own link to a snapshot stays a link, and what it leads to is replaced."""
    with Users(FIRST + 18) as users:
        process = users.start(users.anna)
        link, target = users.shared / "link", users.shared / "target"
        target.write_bytes(b"old")
        shutil.chown(target, users.anna)
        link.symlink_to(target)
        os.chown(link, users.anna, users.anna, follow_symlinks=False)
        users.ask(users.anna, "snap", process.pid, "-o", link)
        equal("still a link", link.is_symlink(), True)
        kept(json.loads(users.ask(users.anna, "stats", "--json", "--top", "0", target)[0]))
        end(process)


main(
    apart,
    control,
    control_of_root,
    owner_only,
    planted_directories,
    foreign_directory,
    planted_regions,
    pretended,
    outputs,
    outputs_inside,
    own_links,
)
