"""Threads that have ended, and threads that are alive at the point, with blocks of theirs; locals of threads. Who waits
allocates nothing meanwhile, or has let go of it: the threads' order decides nothing."""

import _thread
import os
import threading
import time

kept = []
local = threading.local()


def work(number):
    local.value = [number] * 100
    kept.append({"number": number, "list": [str(i) for i in range(50)]})


def deep(number, begun, end):
    if number:
        mine = [[i] for i in range(number * 10)]
        deep(number - 1, begun, end)
        kept.append(mine)
    else:
        begun.release()
        end.acquire()


def locked():
    lock = _thread.allocate_lock()
    lock.acquire()
    return lock


for number in range(10):
    thread = threading.Thread(target=work, args=(number,))
    thread.start()
    thread.join()
end = locked()
for number in range(5):
    begun = locked()
    _thread.start_new_thread(deep, (number, begun, end))
    begun.acquire()
while len(os.listdir("/proc/self/task")) != 6:  # those that ended are gone to the last block
    time.sleep(0.001)
