"""Lists, tuples, dicts, sets, deques, arrays: grown, shrunk, copied."""

import array
import collections

numbers = [i * 1000 for i in range(2000)]
grown = []
for i in range(3000):
    grown.append(str(i))
del grown[500:2500]
table = {i: (i, str(i)) for i in range(1000)}
for i in range(0, 1000, 3):
    del table[i]
table.update((i + 10000, [i]) for i in range(400))
points = {(x, y) for x in range(30) for y in range(30)}
points -= {(x, x) for x in range(30)}
frozen = frozenset(points)
queue = collections.deque(maxlen=100)
for i in range(1000):
    queue.append({"i": i})
raw = array.array("d", [0.5] * 5000)
raw.extend(raw)
counter = collections.Counter("the quick brown fox jumps over the lazy dog" * 10)
groups = collections.defaultdict(list)
for i in range(300):
    groups[i % 7].append(float(i))
ordered = collections.OrderedDict((str(i), i) for i in range(200))
ordered.move_to_end("5")
nested = [[j for j in range(i)] for i in range(60)]
copied = [list(inner) for inner in nested]
data = bytearray()
for i in range(5000):
    data += b"0123456789"
view = memoryview(data)[100:200]
