"""searches in graphs and grids: dictionaries and sets of tuples, a deque and a heap"""

import collections
import heapq
import sys

ROUNDS = 64
WIDTH, HEIGHT = 60, 40


def walls():
    return {(x, y) for x in range(WIDTH) for y in range(HEIGHT) if (x * 7 + y * 13) % 11 == 0 and x % 5}


def neighbours(cell, blocked):
    x, y = cell
    for step in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
        if 0 <= step[0] < WIDTH and 0 <= step[1] < HEIGHT and step not in blocked:
            yield step


def breadth_first(start, blocked):
    distance = {start: 0}
    queue = collections.deque([start])
    while queue:
        cell = queue.popleft()
        for step in neighbours(cell, blocked):
            if step not in distance:
                distance[step] = distance[cell] + 1
                queue.append(step)
    return distance


def cheapest(start, goal, blocked):
    """Dijkstra's; a step costs by where it leads to."""
    best, heap, came = {start: 0}, [(0, start)], {}
    while heap:
        cost, cell = heapq.heappop(heap)
        if cell == goal:
            break
        if cost > best[cell]:
            continue
        for step in neighbours(cell, blocked):
            new = cost + 1 + (step[0] * step[1]) % 7
            if new < best.get(step, 1 << 30):
                best[step] = new
                came[step] = cell
                heapq.heappush(heap, (new, step))
    path = [goal]
    while path[-1] != start:
        path.append(came[path[-1]])
    return best[goal], path


def components(edges):
    """Sets of nodes that hang together, the larger first."""
    links = collections.defaultdict(set)
    for here, there in edges:
        links[here].add(there)
        links[there].add(here)
    left, found = set(links), []
    while left:
        todo = {min(left)}
        seen = set()
        while todo:
            node = todo.pop()
            seen.add(node)
            todo |= links[node] - seen
        left -= seen
        found.append(seen)
    return sorted(map(len, found), reverse=True)


def ordered(needs):
    """A topological order."""
    waiting = {name: set(of) for name, of in needs.items()}
    order = []
    while waiting:
        ready = sorted(name for name, of in waiting.items() if not of)
        for name in ready:
            del waiting[name]
        done = frozenset(ready)
        for of in waiting.values():
            of -= done
        order += ready
    return order


def main(rounds):
    total = 0
    blocked = walls()
    edges = [(i, i * 7 % 1201 // 3 * 3 + i % 3) for i in range(1500)]
    needs = {f"part {i}": {f"part {j}" for j in range(i % 7, i, 17)} for i in range(300)}
    for number in range(rounds):
        start = (number % 5 * 5, 0)
        total += sum(breadth_first(start, blocked).values())
        cost, path = cheapest(start, (WIDTH - 1, HEIGHT - 1), blocked)
        total += cost + len(path) + sum(components(edges)[:3]) + ordered(needs).index("part 123")
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
