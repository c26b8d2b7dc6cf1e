"""A source, a queue and a sink: step to the next event, over and over."""

import json

import numpy as np

from engine.orchestration.backpressure import BackpressureParams

PARAMS = BackpressureParams()
RATE, SERVICE, WORKERS = PARAMS.arrival_rate, PARAMS.service_seconds, PARAMS.workers
POLICY, BUFFER, LIMIT = PARAMS.policy, PARAMS.buffer, PARAMS.rate_limit
SECONDS = PARAMS.seconds

rng = np.random.default_rng(PARAMS.seed)
n = int(RATE * SECONDS * 1.25 + 8 * np.sqrt(RATE * SECONDS) + 10)
gaps, services = rng.exponential(1.0, n), rng.exponential(1.0, n)
urgent = rng.random(n) < PARAMS.urgent_share
if not PARAMS.random:
    gaps, services = np.ones(n), np.ones(n)
gaps, services = gaps / RATE, services * SERVICE

now, nxt, due = 0.0, 0, gaps[0]
waiting: list[int] = []  # items
busy: list[float] = []  # ends of those at work
arrival: dict[int, float] = {}
waits: list[float] = []
gate, dropped, blocked = 0.0, 0, False
while now <= SECONDS:
    busy = [end for end in busy if end > now]
    if waiting and len(busy) < WORKERS and gate <= now:
        # the first of the urgent ones, else the first
        item = min(waiting, key=lambda i: (not urgent[i], i))
        waiting.remove(item)
        waits.append(now - arrival[item])
        busy.append(now + services[item])
        gate = now + (1 / LIMIT if LIMIT else 0)
        continue
    if due <= now:
        full = len(waiting) >= BUFFER
        if not (full and POLICY == "block the source"):
            # (a blocked source asks again at the next event)
            arrival[nxt] = now
            if full and POLICY == "drop what is new":
                dropped += 1
            else:
                waiting.append(nxt)
            nxt += 1
            due = now + gaps[nxt]
            continue
    now = min([t for t in (due, gate, *busy) if t > now], default=SECONDS + 1)
print(
    json.dumps(
        {
            "items": len(arrival),
            "dropped": dropped,
            "started": len(waits),
            "queued at the end": len(waiting),
            "mean wait, s": round(float(np.mean(waits)), 6) if waits else 0.0,
        }
    )
)
