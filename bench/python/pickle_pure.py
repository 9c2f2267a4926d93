"""pickle, its implementation in Python: a stack machine that reads and writes small pieces of bytes"""

import io
import pickle
import sys

ROUNDS = 200

Pickler, Unpickler = pickle._Pickler, pickle._Unpickler  # what pickle is where its C module is missing


class Item:
    def __init__(self, number):
        self.number = number
        self.price = number / 8
        self.parts = {f"part {i}": i * number for i in range(number % 5)}


def data():
    return {
        "items": [Item(i) for i in range(60)],
        "lists": [list(range(i)) for i in range(30)],
        "tuples": [(i, str(i), (i, None)) for i in range(60)],
        "bytes": [bytes(range(i)) for i in range(0, 200, 9)],
    }


def main(rounds):
    total = 0
    original = data()
    for number in range(rounds):
        file = io.BytesIO()
        Pickler(file, 2 + number % 3).dump(original)
        total += file.tell()
        file.seek(0)
        back = Unpickler(file).load()
        item = back["items"][number % 60]
        total += item.number + sum(item.parts.values()) + back["tuples"][9][0]
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
