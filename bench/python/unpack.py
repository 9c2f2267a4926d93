"""sequences: packed and unpacked, swapped, sliced and starred; struct and int to and from bytes"""

import collections
import struct
import sys

ROUNDS = 65
COUNT = 4000

Row = collections.namedtuple("Row", "key left right rest")
HEADER = struct.Struct("<HIdq")


def fibonacci(count):
    here, there = 0, 1
    for _ in range(count):
        here, there = there, (here + there) % 1000003
    return here


def rotated(values):
    a, b, c, d, *rest = values
    d, c, (b, a) = a, b, (c, d)
    return [*rest, a, b, c, d]


def rows():
    for i in range(COUNT):
        key, *middle, last = (i, i + 1, i + 2, str(i), i * 3)
        yield Row(key, (last, middle[0]), middle[1:], {"key": key})


def picked(made):
    total = 0
    for key, (left, right), (low, *_), rest in made:
        total += key + left - right + low + rest["key"]
    return total


def merged(made):
    named = {"first": 1, "second": 2}

    def call(key, *places, last, **more):
        return key + len(places) + len(more) + last

    return sum(call(row.key, *row.left, *row.right, **{**named, "last": row.key}) for row in made)


def packed():
    raw = b"".join(HEADER.pack(i % 65536, i * i, i / 3, -i) for i in range(COUNT))
    total = sum(short + number + signed for short, number, _, signed in HEADER.iter_unpack(raw))
    return total + sum(int.from_bytes(i.to_bytes(6, "big"), "little") % 1009 for i in range(COUNT))


def main(rounds):
    total = 0
    values = list(range(40))
    for number in range(rounds):
        total += fibonacci(COUNT + number)
        for _ in range(COUNT // 8):
            values = rotated(values)
        made = list(rows())
        total += picked(made) + merged(made) + packed() % 100003 + values[0] + sum(values[1:-1:3])
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
