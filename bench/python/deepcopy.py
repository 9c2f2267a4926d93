"""copy.deepcopy of nested containers, of instances with and without __slots__, and of graphs with cycles"""

import copy
import sys

ROUNDS = 240


class Plain:
    def __init__(self, number):
        self.number = number
        self.names = [f"name {number}", f"other {number % 3}"]
        self.next = None


class Slotted:
    __slots__ = ("left", "right", "value")

    def __init__(self, left, right, value):
        self.left = left
        self.right = right
        self.value = value


class Counted:
    """One that says by itself how it is copied."""

    copies = 0

    def __init__(self, values):
        self.values = values

    def __deepcopy__(self, memo):
        Counted.copies += 1
        return Counted(list(self.values))


def containers():
    return {
        f"key {i}": {"tuple": (i, (i, [i])), "list": [j * 1.5 for j in range(i % 20)], "set": {i, i + 1}}
        for i in range(60)
    }


def ring(size):
    members = [Plain(i) for i in range(size)]
    for here, there in zip(members, members[1:] + members[:1]):
        here.next = there
    return members


def tree(depth):
    if depth == 0:
        return None
    return Slotted(tree(depth - 1), tree(depth - 1), depth)


def size(node):
    return 0 if node is None else node.value + size(node.left) + size(node.right)


def main(rounds):
    total = 0
    data, members, root = containers(), ring(60), tree(7)
    counted = [Counted(range(i)) for i in range(50)]
    for number in range(rounds):
        copied = copy.deepcopy(data)
        copied["key 7"]["list"].append(number)
        total += sum(len(entry["list"]) for entry in copied.values())
        others = copy.deepcopy(members)
        total += sum(member.next.number for member in others if member.next not in members)
        total += size(copy.deepcopy(root))
        total += len(copy.deepcopy(counted)) + len(copy.copy(data))
    return f"{total} {Counted.copies}"


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
