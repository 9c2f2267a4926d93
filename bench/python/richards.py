"""a scheduler of an imagined operating system, after the published idea of Richards: tasks of several
priorities send each other packets, wait, and are held and released"""

import sys

ROUNDS = 65
DATA, ORDER = range(2)
BUFFER = 4


class Packet:
    def __init__(self, to, kind):
        self.to = to
        self.kind = kind
        self.letter = 0
        self.data = [0] * BUFFER
        self.next = None


def appended(queue, packet):
    """A queue is its first packet."""
    packet.next = None
    if queue is None:
        return packet
    last = queue
    while last.next is not None:
        last = last.next
    last.next = packet
    return queue


class Task:
    def __init__(self, kernel, name, priority, queue=None):
        self.kernel = kernel
        self.name = name
        self.priority = priority
        self.queue = queue
        self.waiting = queue is None
        self.held = False
        kernel.register(self)

    def runnable(self):
        return not self.held and (not self.waiting or self.queue is not None)

    def accept(self, packet):
        self.queue = appended(self.queue, packet)

    def run(self):
        packet = None
        if self.waiting and self.queue is not None:
            packet = self.queue
            self.queue = packet.next
            packet.next = None
        self.waiting = False
        self.step(packet)

    def wait(self):
        self.waiting = True


class Idle(Task):
    """Takes turns in releasing the devices, as a shift register says."""

    def __init__(self, kernel, name, count):
        super().__init__(kernel, name, 0)
        self.waiting = False
        self.count = count
        self.bits = 1

    def step(self, packet):
        self.count -= 1
        if self.count == 0:
            self.held = True
            return
        odd = self.bits & 1
        self.bits = (self.bits >> 1) ^ (0xB400 if odd else 0)
        self.kernel.release("device a" if not odd else "device b")


class Worker(Task):
    """Fills packets with letters and sends them to the handlers in turn."""

    def __init__(self, kernel, name, priority, queue):
        super().__init__(kernel, name, priority, queue)
        self.waiting = True
        self.letter = 0
        self.turn = 0

    def step(self, packet):
        if packet is None:
            self.wait()
            return
        self.turn ^= 1
        packet.to = ("handler a", "handler b")[self.turn]
        packet.letter = 0
        for i in range(BUFFER):
            self.letter = self.letter % 26 + 1
            packet.data[i] = 64 + self.letter
        self.kernel.send(self, packet)
        self.wait()


class Handler(Task):
    """Hands the letters of the worker's packets to a device, one in each of the device's packets."""

    def __init__(self, kernel, name, priority, queue, device):
        super().__init__(kernel, name, priority, queue)
        self.waiting = True
        self.device = device
        self.orders = None
        self.packets = None

    def step(self, packet):
        if packet is not None:
            if packet.kind == ORDER:
                self.orders = appended(self.orders, packet)
            else:
                self.packets = appended(self.packets, packet)
        order = self.orders
        if order is not None and order.letter >= BUFFER:
            self.orders = order.next
            order.to = "worker"
            self.kernel.send(self, order)
        elif order is not None and self.packets is not None:
            packet = self.packets
            self.packets = packet.next
            packet.letter = order.data[order.letter]
            packet.to = self.device
            order.letter += 1
            self.kernel.send(self, packet)
        else:
            self.wait()


class Device(Task):
    """Keeps a packet until it is released, then sends it back."""

    def __init__(self, kernel, name, priority, handler):
        super().__init__(kernel, name, priority)
        self.handler = handler
        self.pending = None

    def step(self, packet):
        if packet is not None:
            self.pending = packet
            self.kernel.letters += packet.letter
            self.held = True
        elif self.pending is not None:
            packet, self.pending = self.pending, None
            packet.to = self.handler
            self.kernel.send(self, packet)
        else:
            self.wait()


class Kernel:
    def __init__(self):
        self.tasks = []
        self.named = {}
        self.sent = self.held = self.letters = self.steps = 0

    def register(self, task):
        self.named[task.name] = task
        self.tasks = sorted([*self.tasks, task], key=lambda entry: -entry.priority)

    def send(self, sender, packet):
        self.sent += 1
        to = self.named[packet.to]
        packet.to = sender.name
        to.accept(packet)

    def release(self, name):
        task = self.named[name]
        self.held += task.held
        task.held = False

    def next_task(self):
        for task in self.tasks:
            if task.runnable():
                return task
        return None

    def schedule(self):
        while (task := self.next_task()) is not None:
            self.steps += 1
            task.run()


def packets(to, kind, count):
    queue = None
    for _ in range(count):
        queue = appended(queue, Packet(to, kind))
    return queue


def main(rounds):
    total = 0
    for _ in range(rounds):
        kernel = Kernel()
        Idle(kernel, "idle", 1500)
        Worker(kernel, "worker", 1, packets("worker", ORDER, 2))
        Handler(kernel, "handler a", 2, packets("device a", DATA, 3), "device a")
        Handler(kernel, "handler b", 3, packets("device b", DATA, 3), "device b")
        Device(kernel, "device a", 4, "handler a")
        Device(kernel, "device b", 5, "handler b")
        kernel.schedule()
        total += kernel.sent + kernel.held * 3 + kernel.letters * 5 + kernel.steps * 7
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
