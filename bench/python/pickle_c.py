"""pickle, in C: dumps and loads of containers, instances and shared references, by several protocols"""

import datetime
import pickle
import sys

ROUNDS = 115


class Account:
    def __init__(self, number):
        self.number = number
        self.owner = f"owner {number % 50}"
        self.opened = datetime.date(2000 + number % 20, 1 + number % 12, 1)
        self.entries = [(i, i * number / 4) for i in range(number % 9)]


class Packed:
    __slots__ = ("values",)

    def __init__(self, values):
        self.values = values

    def __getstate__(self):
        return bytes(self.values)

    def __setstate__(self, state):
        self.values = list(state)


def data():
    accounts = [Account(i) for i in range(300)]
    return {
        "accounts": accounts,
        "by owner": {account.owner: account for account in accounts},
        "packed": [Packed([i % 256] * (i % 30)) for i in range(200)],
        "text": ["ä" * (i % 40) for i in range(400)],
        "numbers": [3**i for i in range(120)],
        "sets": [frozenset(range(i, i + 6)) for i in range(100)],
    }


def checked(back):
    account = back["accounts"][277]
    shared = back["by owner"][account.owner] is account
    return account.number + len(account.entries) + len(back["packed"][29].values) + shared


def main(rounds):
    total = 0
    original = data()
    for _ in range(rounds):
        for protocol in (2, 4, 5):
            text = pickle.dumps(original, protocol)
            total += len(text) + checked(pickle.loads(text))
        for account in original["accounts"]:
            total += len(pickle.loads(pickle.dumps(account.entries)))
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
