"""What retries buy: outcomes enumerated, delays by Prefect itself, a herd request by request."""

import heapq
import json
import math

import numpy as np
from prefect.tasks import exponential_backoff
from prefect.utilities.math import lower_clamp_multiple

from engine.orchestration.retry import RetryParams

PARAMS = RetryParams()
P, RETRIES, DELAY = PARAMS.failure_probability, PARAMS.retries, PARAMS.delay_seconds

delays = {
    "fixed": [DELAY] * RETRIES,
    "linear": [DELAY * (k + 1) for k in range(RETRIES)],  # retry_delay_seconds takes such a list
    "exponential": exponential_backoff(DELAY)(RETRIES),
}[PARAMS.backoff]
factor = 1.0
if PARAMS.jitter:
    # the mean of an exponential between Prefect's two bounds, by adding up its density
    low, high = lower_clamp_multiple(1 + PARAMS.jitter), 1 + PARAMS.jitter
    x = np.linspace(low, high, 200_001)
    factor = float(np.trapezoid(x * np.exp(-x), x) / np.trapezoid(np.exp(-x), x))

fails = attempts = waited = 0.0
for k in range(RETRIES + 1):
    # exactly k attempts fail, then one completes; or all fail
    chance = P**k * (1 - P)
    attempts += chance * (k + 1)
    waited += chance * sum(delays[:k]) * factor
fails = P ** (RETRIES + 1)
attempts += fails * (RETRIES + 1)
waited += fails * sum(delays) * factor
simulated = (np.random.default_rng(PARAMS.seed).random((10_000, RETRIES + 1)) < P).all(axis=1)

requests: list[tuple[float, int, int]] = [
    (0.0, client, 0) for client in range(PARAMS.clients)
]  # when, who, which attempt
asked: dict[int, int] = {}
served: dict[int, int] = {}
gave_up = 0
while requests:
    at, client, k = heapq.heappop(requests)
    second = math.floor(at)
    asked[second] = asked.get(second, 0) + 1
    if served.get(second, 0) < PARAMS.capacity:
        served[second] = served.get(second, 0) + 1
    elif k < RETRIES:
        heapq.heappush(requests, (at + delays[k], client, k + 1))
    else:
        gave_up += 1
print(
    json.dumps(
        {
            "a task fails": round(fails, 8),
            "the flow succeeds": round((1 - fails) ** PARAMS.n_tasks, 8),
            "attempts per task": round(attempts, 6),
            "seconds waited per task": round(waited, 6),
            "failed of 10,000 simulated": int(simulated.sum()),
            "herd without jitter: second wave": max(
                [n for second, n in asked.items() if second], default=0
            ),
            "herd without jitter: requests": sum(asked.values()),
            "herd without jitter: gave up": gave_up,
        }
    )
)
