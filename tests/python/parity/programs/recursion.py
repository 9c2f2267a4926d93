"""Recursion that leaves blocks at each level, mutual recursion, memoised recursion, linked structures."""

levels = []


def down(n):
    levels.append([n])
    if n > 0:
        down(n - 1)
    levels.append((n, n + 0.5))


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    levels.append(str(n))
    return False if n == 0 else even(n - 1)


def build(depth):
    return None if depth == 0 else {"left": build(depth - 1), "right": build(depth - 1), "name": f"n{depth}"}


class Node:
    def __init__(self, depth):
        self.children = [Node(depth - 1) for _ in range(3)] if depth else ()


memory = {}


def fibonacci(n):
    if n not in memory:
        memory[n] = n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
    return memory[n]


down(150)
even(80)
tree = build(8)
nodes = Node(5)
big = fibonacci(120)
