"""The script of *Backpressure*: the same queue by stepping from event to event, with NumPy alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from engine.source_code import fill

SCRIPT = '''"""A source, a queue and a sink: step to the next event, over and over."""
import json

import numpy as np

RATE, SERVICE, WORKERS, POLICY, BUFFER = @arrival_rate, @service_seconds, @workers, @policy, @buffer
LIMIT, URGENT_SHARE, RANDOM, SECONDS, SEED = @rate_limit, @urgent_share, @random, @seconds, @seed

rng = np.random.default_rng(SEED)
n = int(RATE * SECONDS * 1.25 + 8 * np.sqrt(RATE * SECONDS) + 10)
gaps, services, urgent = rng.exponential(1.0, n), rng.exponential(1.0, n), rng.random(n) < URGENT_SHARE
if not RANDOM:
    gaps, services = np.ones(n), np.ones(n)
gaps, services = gaps / RATE, services * SERVICE

now, nxt, due = 0.0, 0, gaps[0]
waiting, busy, arrival, waits = [], [], {}, []  # items that wait; ends of those at work
gate, dropped, blocked = 0.0, 0, False
while now <= SECONDS:
    busy = [end for end in busy if end > now]
    if waiting and len(busy) < WORKERS and gate <= now:  # take the first of the urgent ones, else the first
        item = min(waiting, key=lambda i: (not urgent[i], i))
        waiting.remove(item)
        waits.append(now - arrival[item])
        busy.append(now + services[item])
        gate = now + (1 / LIMIT if LIMIT else 0)
        continue
    if due <= now:
        full = len(waiting) >= BUFFER
        if not (full and POLICY == "block the source"):  # a blocked source tries again at the next event
            arrival[nxt] = now
            if full and POLICY == "drop what is new":
                dropped += 1
            else:
                waiting.append(nxt)
            nxt += 1
            due = now + gaps[nxt]
            continue
    now = min([t for t in (due, gate, *busy) if t > now], default=SECONDS + 1)
print(json.dumps({
    "items": len(arrival),
    "dropped": dropped,
    "started": len(waits),
    "waiting at the end": len(waiting),
    "mean wait, s": round(float(np.mean(waits)), 6) if waits else 0.0,
}))
'''


def script(params: Any) -> str:
    """Return the script: NumPy alone."""
    return fill(SCRIPT, **asdict(params))
