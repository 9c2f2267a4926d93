"""coroutines: trees of tasks by gather(), and producers and consumers of a queue"""

import asyncio
import sys

ROUNDS = 70
BRANCHES = 5
DEPTH = 4


async def leaf(number, found):
    if number not in found:
        await asyncio.sleep(0)
        found[number] = number * number % 97
    return found[number]


async def node(depth, number, found):
    if depth == 0:
        return await leaf(number % 500, found)
    children = [node(depth - 1, number * BRANCHES + i, found) for i in range(BRANCHES)]
    return sum(await asyncio.gather(*children)) % 9973


async def produce(queue, count):
    for number in range(count):
        await queue.put((number, f"job {number}"))
    await queue.put(None)


async def consume(queue):
    total = 0
    while True:
        job = await queue.get()
        if job is None:
            return total
        total += job[0] + len(job[1])


async def pipeline():
    queues = [asyncio.Queue(maxsize=8) for _ in range(6)]
    producers = [asyncio.create_task(produce(queue, 120)) for queue in queues]
    totals = await asyncio.gather(*(consume(queue) for queue in queues))
    await asyncio.gather(*producers)
    return sum(totals)


async def work(rounds):
    total = 0
    for number in range(rounds):
        total += await node(DEPTH, number, {})
        total += await pipeline()
    return total


def main(rounds):
    return asyncio.run(work(rounds))


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
