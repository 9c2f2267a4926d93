"""Coroutines, tasks, queues, async generators and context managers of asyncio."""

import asyncio

kept = []


async def produce(queue, n):
    for i in range(n):
        await queue.put([i, str(i)])
    await queue.put(None)


async def consume(queue):
    while (item := await queue.get()) is not None:
        kept.append({"item": item})


async def ticks(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield (i, i * 0.5)


class Guard:
    async def __aenter__(self):
        self.data = [0] * 50
        return self

    async def __aexit__(self, *unused):
        kept.append(self.data)


async def nested(depth):
    if depth:
        await nested(depth - 1)
    kept.append([depth])


async def main():
    queue = asyncio.Queue(maxsize=5)
    await asyncio.gather(produce(queue, 100), consume(queue))
    async for tick in ticks(50):
        kept.append(tick)
    for _ in range(10):
        async with Guard():
            await asyncio.sleep(0)
    await nested(50)
    tasks = [asyncio.create_task(nested(i)) for i in range(10)]
    await asyncio.wait(tasks)
    kept.extend([f"done {i}" for i in range(len(tasks))])


loop = asyncio.new_event_loop()
loop.run_until_complete(main())
loop.close()
suspended = [nested(3) for _ in range(5)]
