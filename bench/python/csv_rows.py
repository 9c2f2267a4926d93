"""csv: tables written and read back, as lists and as dictionaries, then grouped and sorted"""

import csv
import io
import operator
import sys

ROUNDS = 38
ROWS = 3000
FIELDS = ["id", "name", "city", "quantity", "price", "note"]


def table():
    for i in range(ROWS):
        note = f'said "{i % 13}", then left' if i % 5 == 0 else "plain"
        yield [i, f"name {i * 7919 % ROWS}", f"city {i % 37}", i % 11, i % 1000 / 8, note]


def write():
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(FIELDS)
    writer.writerows(table())
    return file.getvalue()


def by_city(text):
    totals = {}
    for row in csv.DictReader(io.StringIO(text, newline="")):
        city = totals.setdefault(row["city"], [0, 0.0])
        city[0] += int(row["quantity"])
        city[1] += int(row["quantity"]) * float(row["price"])
    return sorted(totals.items())


def longest_notes(text):
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    rows.sort(key=operator.itemgetter(5, 1))
    rows.sort(key=lambda row: len(row[5]), reverse=True)
    return rows[: ROWS // 10]


def again(rows):
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, FIELDS, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(dict(zip(FIELDS, row)) for row in rows)
    return file.getvalue()


def main(rounds):
    total = 0
    for _ in range(rounds):
        text = write()
        cities = by_city(text)
        total += len(text) + sum(count for _, (count, _) in cities) + len(again(longest_notes(text)))
    return f"{total} {cities[5]}"


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
