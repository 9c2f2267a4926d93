"""tracemalloc's own loop, and a snapshot of tracesnap at the same moment."""

import tracemalloc

from snapshot import snapshot

mine = tracemalloc.Filter(True, __file__)
tracemalloc.start()

words = [f"word {n}" for n in range(20_000)]
by_length = {}
for word in words:
    by_length.setdefault(len(word), []).append(word)
upper = {word: word.upper() for word in words}
pairs = list(zip(words, words[1:]))
positions = dict(enumerate(words))

snapshot("loop.tsnap")
for statistic in tracemalloc.take_snapshot().filter_traces([mine]).statistics("lineno"):
    print(statistic)
