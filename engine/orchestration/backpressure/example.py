"""A bounded queue: the source waits while it is full, so nothing is lost and nothing piles up."""

import queue
import threading
import time

buffer, done, lengths = queue.Queue(maxsize=3), [], []


def sink():
    while (item := buffer.get()) is not None:
        time.sleep(0.005)  # slower than the source
        done.append(item)


worker = threading.Thread(target=sink)
worker.start()
for item in range(40):
    buffer.put(item)  # waits while the buffer is full; put_nowait raises queue.Full: drop it then
    lengths.append(buffer.qsize())
buffer.put(None)
worker.join()
print(len(done), max(lengths) <= 3)  # 40 True
