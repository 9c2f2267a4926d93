"""A shallow copy shares what it holds, a deep one copies it, too."""

import copy

from snapshot import snapshot

table = [[0] * 10 for _ in range(10_000)]
snapshot("table.tsnap")
shallow = copy.copy(table)
snapshot("shallow.tsnap")
deep = copy.deepcopy(table)
snapshot("deep.tsnap")
