"""What a C library allocates for Python: sqlite3."""

import sqlite3
import tracemalloc

from snapshot import snapshot

tracemalloc.start()
database = sqlite3.connect(":memory:")
database.execute("CREATE TABLE word (number, text)")
database.executemany("INSERT INTO word VALUES (?, ?)", ((n, f"word {n}") for n in range(50_000)))
snapshot("extension.tsnap")
print("tracemalloc:", tracemalloc.get_traced_memory()[0] // 1024, "KiB")
