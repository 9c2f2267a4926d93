#!/usr/bin/env python3
"""Regions of ended processes go when they are too old or too many; others never."""

import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from fault import SHIM, TIMEOUT, TOOL, Regions, Skip, build, equal, main, run  # noqa: E402

TRUE = shutil.which("true")
KEPT = 0o400  # region/keep.h: the mode of a region whose process was seen to have ended


def prune(regions, *options, **environment):
    done = subprocess.run(
        [TOOL, "prune", "--json", *options],
        env=regions.environment(**environment),
        capture_output=True,
        timeout=TIMEOUT,
        check=True,
    )
    return json.loads(done.stdout)


def dead(regions, count=1, **environment):
    """Leaves regions of programs that ended; returns their paths."""
    before = set(regions.all())
    for _ in range(count):
        run([TRUE], regions.traced("keep=0:keep_days=0", **environment))
    return sorted(set(regions.all()) - before)


class Sleeper:
    """A traced process that holds nothing but its mapping, perhaps behind a prefix such as unshare."""

    def __init__(self, regions, *prefix):
        before = set(regions.all())
        command = [*prefix, str(build("prune/sleeper.c"))]
        environment = regions.environment() if prefix else regions.traced()
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, start_new_session=True)
        if not self.process.stdout.readline():
            raise Skip(f"'{command[0]}' is not permitted here")
        self.paths = sorted(set(regions.all()) - before)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end()

    def end(self):
        try:
            os.killpg(self.process.pid, 9)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdout.close()


def running():
    """A running process keeps its region without a descriptor; when it is killed, the region goes."""
    with Regions() as regions:
        with Sleeper(regions) as sleeper:
            ended = dead(regions)
            said = prune(regions, "--all")
            equal("removed", said["removed"], [str(path) for path in ended])
            equal("in use", said["in_use"], 1)
            equal("left", regions.all(), sleeper.paths)
        said = prune(regions, "--all")
        equal("removed after its end", said["removed"], [str(path) for path in sleeper.paths])


def other_namespace():
    """A process of another pid namespace, unknown to /proc here, keeps its region."""
    with Regions() as regions:
        traced = ["env", f"LD_PRELOAD={SHIM}"]
        prefix = ["unshare", "--pid", "--fork", "--kill-child", *traced]
        with Sleeper(regions, *prefix) as sleeper:
            equal("removed", prune(regions, "--all")["removed"], [])
            (ended,) = dead(regions)
            for _ in range(400):  # one in sixteen looks, and then the ended one goes
                if not ended.exists():
                    break
                run([TRUE], regions.traced("keep=1:keep_days=1"))
            equal("the ended one is there", ended.exists(), False)
            equal("there", all(path.exists() for path in sleeper.paths), True)


def reader():
    """A region that is being read stays until it was read."""
    with Regions() as regions:
        (region,) = dead(regions)
        with open(region, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            equal("removed", prune(regions, "--all")["removed"], [])
        equal("removed then", prune(regions, "--all")["removed"], [str(region)])


def others():
    """What is not named like a region stays, and so does a link."""
    with Regions() as regions:
        (region,) = dead(regions)
        target = regions.scratch / "target"
        target.write_text("x", encoding="ascii")
        (regions.path / "notes").write_text("mine", encoding="ascii")
        (regions.path / "1-2").symlink_to(target)
        (regions.path / "3-4").mkdir()
        os.mkfifo(regions.path / "5-6")
        equal("removed", prune(regions, "--all")["removed"], [str(region)])
        equal("left", [path.name for path in regions.all()], ["1-2", "3-4", "5-6", "notes"])
        for _ in range(100):
            run([TRUE], regions.traced("keep=1"))
        left = {path.name for path in regions.all()}
        equal("left by others", {"1-2", "3-4", "5-6", "notes"} <= left, True)
        equal("target", target.read_text(encoding="ascii"), "x")


def wanted():
    """run -o: what its children leave is not removed before it is saved."""
    with Regions() as regions:
        script = f"{TRUE}; {TOOL} prune --all"
        saved = regions.scratch / "saved"
        command = [TOOL, "run", "--quiet", "-o", saved, "--", "sh", "-c", script]
        done = subprocess.run(
            command, env=regions.environment(), capture_output=True, timeout=TIMEOUT, check=True
        )
        equal("removed during the run", done.stdout, b"")
        equal("regions after it", regions.all(), [])
        equal("snapshots", len(list(regions.scratch.iterdir())), 3)  # sh, true and the tool


def collected():
    """run -o: what its children leave is saved while the program runs, and does not pile up."""
    with Regions() as regions:
        script = (
            f"for i in 1 2 3; do {TRUE}; done\n"
            f"while [ $(env -u LD_PRELOAD ls {regions.scratch} | env -u LD_PRELOAD wc -l) -lt 3 ]; do sleep 0.1; done\n"
        )
        command = [TOOL, "run", "-o", regions.scratch / "saved", "--", "sh", "-c", script]
        subprocess.run(command, env=regions.environment(), capture_output=True, timeout=TIMEOUT, check=True)
        equal("regions after it", regions.all(), [])
        for path in regions.scratch.iterdir():
            regions.stats(path)


def programs():
    """run -o: the programs that ran in one process are saved together, each under its own name."""
    with Regions() as regions:
        inner = f"sleep 1.5; exec env A=2 {TRUE}"
        script = f"env A=1 sh -c '{inner}'; sleep 1.5"
        command = [TOOL, "run", "-o", regions.scratch / "saved", "--", "sh", "-c", script]
        subprocess.run(command, env=regions.environment(), capture_output=True, timeout=TIMEOUT, check=True)
        names = [path.name for path in regions.scratch.iterdir()]
        equal("names that tell reused pids apart", [name for name in names if "-at-" in name], [])
        of_one = [name for name in names if name.endswith(("-0", "-1", "-2"))]
        equal("env, sh and env before the last", len(of_one) >= 3, True)
        equal("regions after it", regions.all(), [])


def successor():
    """A forked child that allocates and execs twice is seen as its last program."""
    with Regions() as regions:
        program = build("prune/sleeper.c")
        script = f"(: $(true); exec env A=1 {program}) & wait"
        with Sleeper(regions, "env", f"LD_PRELOAD={SHIM}", "bash", "-c", script):
            rows = json.loads(regions.tool("ps", "--json"))["processes"]
            ours = [row for row in rows if row["source"].startswith(str(regions.path))]
            names = {pathlib.Path(row["process"]["exe"]).name: row["process"]["state"] for row in ours}
            equal("the sleeper", names.get("sleeper"), "running")
            equal("env", names.get("env"), None)


def own_files():
    """Files of the user's own that are only named like regions are left alone."""
    with Regions() as regions:
        (regions.path / "2024-11").write_text("notes of November", encoding="ascii")
        (regions.path / "2024-12").write_text("", encoding="ascii")
        (regions.path / "2024-11").chmod(0o400)
        equal("removed", prune(regions, "--all")["removed"], [])
        equal("there", (regions.path / "2024-11").read_text(encoding="ascii"), "notes of November")


def order():
    """Of those whose end is noticed at once the process that began first goes first."""
    with Regions() as regions:
        made = [dead(regions)[0] for _ in range(12)]
        made.sort(key=lambda path: [int(part) for part in path.name.split("-")][::-1])
        one = made[0].stat().st_blocks * 512
        said = prune(regions, "--keep", str(4 * one))
        equal("removed", said["removed"], [str(path) for path in made[:8]])


def refused():
    """A directory that is not there, or from which nothing can be removed, is said."""
    with Regions() as regions:
        environment = dict(regions.environment(), TRACESNAP_DIR="/nonexistent")
        done = subprocess.run([TOOL, "prune"], env=environment, capture_output=True, timeout=TIMEOUT, check=False)
        equal("status", (done.returncode, b"'/nonexistent'" in done.stderr), (2, True))


def summary():
    """run without -o: its children's regions may go, the program's own is there for the summary."""
    with Regions() as regions:
        script = f"{TRUE}; env -u LD_PRELOAD {TOOL} prune --all"
        command = [TOOL, "run", "--", "sh", "-c", f"{script}; exec {TRUE}"]
        done = subprocess.run(
            command, env=regions.environment(), capture_output=True, timeout=TIMEOUT, check=True
        )
        removed = done.stdout.split()
        equal("the child's and no other", len(removed) >= 1, True)
        equal("summary", b"held most at the peak" in done.stderr or b"in all" in done.stderr, True)


def killed_run():
    """What a killed run wanted is wanted no more."""
    with Regions() as regions:
        command = [TOOL, "run", "-o", regions.scratch / "saved", "--", "sh", "-c", f"{TRUE}; kill -9 $PPID; {TRUE}"]
        subprocess.run(command, env=regions.environment(), capture_output=True, timeout=TIMEOUT, check=False)
        while any(row["source"].startswith(str(regions.path)) for row in json.loads(regions.tool("ps", "--json"))["processes"]):
            time.sleep(0.01)  # what the shell goes on doing
        equal("kept", prune(regions, "--all")["kept"], 0)
        equal("left", regions.all(), [])


def unborn():
    """A region without a beginning is dead only when it is old."""
    with Regions() as regions:
        library = build("prune/clock.c", "-shared", "-fPIC", output="clock.so")
        (regions.path / "123-456").touch(mode=0o600)
        equal("removed young", prune(regions, "--all")["removed"], [])
        equal("removed old", len(prune(regions, "--all", LD_PRELOAD=str(library), DAYS="1")["removed"]), 1)


def expired():
    """What was noticed longer ago than keep_days goes, by the tool and in passing; the rest stays."""
    with Regions() as regions:
        library = build("prune/clock.c", "-shared", "-fPIC", output="clock.so")
        old = dead(regions, 3)
        equal("kept at first", prune(regions)["kept"], 3)
        equal("modes", {path.stat().st_mode & 0o777 for path in old}, {KEPT})
        early, late = {"LD_PRELOAD": str(library), "DAYS": "6"}, {"LD_PRELOAD": str(library), "DAYS": "8"}
        equal("removed after 6 days", prune(regions, **early)["removed"], [])
        equal("dry run after 8 days", len(prune(regions, "--dry-run", **late)["removed"]), 3)
        equal("still there", all(path.exists() for path in old), True)
        equal("removed after 8 days", len(prune(regions, **late)["removed"]), 3)
        old = dead(regions, 3)
        prune(regions)
        for _ in range(400):  # one in sixteen looks: none of 400 does once in 10^11 times
            run([TRUE], regions.environment(LD_PRELOAD=f"{library}:{SHIM}", DAYS="8"))
            if not any(path.exists() for path in old):
                break
        equal("removed in passing", [path for path in old if path.exists()], [])


def size():
    """keep: the oldest go, by the tool exactly, in passing about; never those in use."""
    with Regions() as regions:
        with Sleeper(regions) as sleeper:
            one = dead(regions)[0].stat().st_blocks * 512
            for _ in range(3):
                dead(regions)
                prune(regions)  # notices it
            said = prune(regions, "--keep", str(3 * one))
            equal("removed", (len(said["removed"]), said["kept"]), (1, 3))
            for _ in range(400):
                run([TRUE], regions.traced(f"keep={3 * one}"))
                if len(regions.all()) < 5:
                    break
            equal("fewer", len(regions.all()) < 5, True)
            equal("there", all(path.exists() for path in sleeper.paths), True)


def full():
    """A full file system: what nobody uses makes room, and every process has its region."""
    if os.geteuid() != 0:
        raise Skip("mounting needs root")
    with Regions() as regions:
        size_option = "size=1m"
        script = (
            f"mount -t tmpfs -o {size_option},mode=700 none {regions.path} || exit 77\n"
            f"for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do\n"
            f"    LD_PRELOAD={SHIM} {TRUE} || exit 1\n"
            f"    set -- $(ls -t {regions.path})\n"
            f"    {TOOL} stats --json {regions.path}/$1 >/dev/null || exit 2\n"
            f"    echo $1\n"
            f"done\n"
        )
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script],
            env=regions.environment(),
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
        if done.returncode == 77 or b"unshare" in done.stderr:
            raise Skip("no mount here")
        equal("status", (done.returncode, done.stderr), (0, b""))
        equal("traced", len(set(done.stdout.split())), 20)


main(running, other_namespace, reader, others, wanted, collected, programs, successor, own_files, order, refused, summary, killed_run, unborn, expired, size, full)
