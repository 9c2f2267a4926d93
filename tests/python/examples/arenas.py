"""One object in a hundred keeps the memory of the others."""

from snapshot import snapshot


def resident():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(line.split()[1] for line in status if line.startswith("VmRSS"))


names = [f"name {n}" for n in range(500_000)]
snapshot("all.tsnap")
print("resident:", resident(), "KiB")
names = names[::100]
snapshot("some.tsnap")
print("resident:", resident(), "KiB")
