"""json: many small messages and a few large documents, written and read back"""

import json
import sys

ROUNDS = 110


def messages():
    for i in range(400):
        yield {
            "id": i,
            "method": ("get", "set", "list")[i % 3],
            "ok": i % 7 != 0,
            "error": None,
            "params": {"name": f"käse {i}", "value": i / 16, "path": [i % 5, i % 7]},
        }


def document():
    people = [
        {
            "name": f"Person {i}",
            "mail": f"person{i}@example.com",
            "balance": i * 1.25,
            "friends": [{"id": j, "name": f"Friend {j}"} for j in range(i % 6)],
            "tags": [f"tag{j * i % 17}" for j in range(8)],
            "about": "Lorem ipsum \"dolor\" sit amet,\n\tconsectetur. " * 3,
        }
        for i in range(300)
    ]
    return {"people": people, "numbers": [i * i for i in range(1000)], "matrix": [[0.5] * 10] * 40}


def main(rounds):
    total = 0
    large, small = document(), list(messages())
    for number in range(rounds):
        for message in small:
            back = json.loads(json.dumps(message))
            total += back["id"] + len(back["params"]["name"])
        text = json.dumps(large)
        total += len(text) + len(json.loads(text)["people"][number % 300]["tags"])
        pretty = json.dumps(large["people"][:40], indent=2, sort_keys=True)
        total += len(pretty) + len(json.loads(pretty, object_hook=lambda pairs: tuple(pairs.values())))
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
