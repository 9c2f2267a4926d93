#!/usr/bin/env python3
import signal

from process import Regions, equal, expect, life, main


def vfork():
    """A vfork child's blocks are its parent's, and so are those of a clone that shares the memory."""
    with Regions() as regions:
        life(regions, "alloc 10 vfork 7 live 17 share 5 live 22 free 15 live 7")
        expect(regions, (22, 7, "ended"))


def vfork_first():
    """A vfork child of a forked child that has not allocated: the child's region begins with it."""
    with Regions() as regions:
        life(regions, "alloc 10 fork vfork 7 live 17")
        expect(regions, (10, 10, "ended"), (17, 17, "ended"))


def clone():
    """A child by the system call is a child like any other, and its children are."""
    with Regions() as regions:
        life(regions, "alloc 10 clone free 2 alloc 3 live 11 clone fork alloc 1 live 12")
        # A child begins with what lived when it first allocated.
        expect(regions, (10, 10, "ended"), (11, 11, "ended"), (12, 12, "ended"))


def vexec():
    """vfork and posix_spawn, then exec: the parent's region is as it was, the child's a program's own."""
    for how in ("vexec", "spawn"):
        with Regions() as regions:
            life(regions, "alloc 10", how, "/bin/true")
            states = sorted(regions.stats(path)["process"]["state"] for path in regions.all())
            assert states == ["ended", "exited"], states


def exec_in_place():
    """exec, also from a thread, marks the region as replaced; what it held stays."""
    for how in ("exec", "texec"):
        with Regions() as regions:
            pids = life(regions, "pid alloc 10 free 3", how, "/bin/true")
            states = [regions.stats(path)["process"]["state"] for path in regions.of(pids[0])]
            assert states == ["replaced", "exited"], states
            stats = regions.stats(regions.of(pids[0])[0])
            assert [row["count"] for row in stats["stats"] if row["function"] == "allocate"] == [7]


def failed_exec():
    """exec that fails: the process goes on and is traced."""
    with Regions() as regions:
        life(regions, "alloc 10 vexec /nowhere", status=1)
        expect(regions, (10, 10, "ended"))


def killed():
    """SIGKILL leaves what it held."""
    with Regions() as regions:
        life(regions, "alloc 10 free 2 kill", status=-signal.SIGKILL)
        expect(regions, (10, 8, "ended"))


def untraced():
    """A child that can have no region is told of by its parent's; what it forks does not try again."""
    with Regions() as regions:
        mark = regions.scratch / "mark"
        life(regions, f"alloc 10 nospace fork rest untraced space touch {mark} rest fork space untraced fork untraced")
        expect(regions, (10, 10, "ended"), must_drop=["untraced_children"])
        equal("children", regions.stats(regions.all()[0])["drops"]["untraced_children"], 1)
        equal("later files", regions.path.stat().st_mtime_ns < mark.stat().st_mtime_ns, True)


def unwanted():
    """follow=0: children are not traced, and nobody misses them."""
    with Regions() as regions:
        life(regions, "alloc 10 fork untraced fork untraced exec /bin/true", options="follow=0")
        expect(regions, (10, 10, "ended"))


if __name__ == "__main__":
    main(vfork, vfork_first, clone, vexec, exec_in_place, failed_exec, killed, untraced, unwanted)
