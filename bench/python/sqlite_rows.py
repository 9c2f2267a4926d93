"""sqlite3 in memory: rows inserted and selected, aggregates and functions in Python, rows as mappings"""

import sqlite3
import sys

ROUNDS = 36
ROWS = 2000


class Longest:
    def __init__(self):
        self.text = ""

    def step(self, text):
        if len(text) > len(self.text):
            self.text = text

    def finalize(self):
        return self.text


def filled():
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    database.create_function("backwards", 1, lambda text: text[::-1])
    database.create_aggregate("longest", 1, Longest)
    database.execute("CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, age INT, height REAL)")
    database.execute("CREATE TABLE visit(person INT, place TEXT)")
    rows = ((i, f"name {i * 7919 % ROWS}", i % 90, 1.5 + i % 50 / 100) for i in range(ROWS))
    database.executemany("INSERT INTO person VALUES(?, ?, ?, ?)", rows)
    database.executemany(
        "INSERT INTO visit VALUES(?, ?)", [(i * 13 % ROWS, f"place {i % 23}") for i in range(2 * ROWS)]
    )
    database.execute("CREATE INDEX visits ON visit(person)")
    database.commit()
    return database


def main(rounds):
    total = 0
    for number in range(rounds):
        database = filled()
        for row in database.execute("SELECT * FROM person WHERE age > ? ORDER BY name", (number % 40,)):
            total += row["id"] + len(row["name"])
        joined = database.execute(
            "SELECT place, count(*), avg(height), longest(name) FROM person JOIN visit ON person = id"
            " GROUP BY place ORDER BY place"
        ).fetchall()
        total += sum(row[1] + len(row[3]) for row in joined)
        for i in range(0, ROWS, 20):
            (name,) = database.execute("SELECT backwards(name) FROM person WHERE id = ?", (i,)).fetchone()
            total += len(name)
            database.execute("UPDATE person SET age = age + 1 WHERE id = ?", (i,))
        database.rollback()
        total += database.execute("SELECT count(*) FROM person").fetchone()[0]
        database.close()
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
