"""Retries as numbers: Prefect's delays and jitter, 10,000 task runs simulated in one go, and the
closed forms beside them.

The delays are Prefect's: ``retry_delay_seconds`` as one number (fixed), as a list (linear) or as
``exponential_backoff`` (``prefect.tasks``: factor × 2^k). The jitter is
``prefect.utilities.math.clamped_poisson_interval``, which ``prefect.task_engine`` calls with
``retry_jitter_factor``: an exponential with the delay as its mean, cut to [low, 1 + jitter] times
the delay, where low is placed so that as much is below the median as above. Simulated: whether an
attempt fails (independently, with the same probability) and how long it lasts (as in
``flows.fate``: one that fails does so half way).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.orchestration.flows import FACTORS, Backoff

N_RUNS = 10_000
N_FLOWS = 1_000
FLOW_SEED = 10**9  # flows draw other numbers than single tasks
FAIL_PART = 0.5  # of an attempt's duration, when it fails
MEAN_FACTOR = sum(FACTORS) / len(FACTORS)


def delays(backoff: Backoff, delay_seconds: float, retries: int) -> np.ndarray:
    """Return the seconds before each retry, without jitter, (retries,)."""
    k = np.arange(retries)
    return (
        delay_seconds
        * {"fixed": np.ones(retries), "linear": k + 1.0, "exponential": 2.0**k}[backoff]
    )


def jitter_bounds(jitter: float) -> tuple[float, float]:
    """Return the least and the most that a delay is multiplied by."""
    most = 1 + jitter
    return (float(np.log2(2**most / (2**most - 1))), most) if jitter else (1.0, 1.0)


def jitter_multiples(rng: np.random.Generator, jitter: float, shape: tuple[int, ...]) -> np.ndarray:
    """Draw what each delay is multiplied by; ones without jitter."""
    if not jitter:
        return np.ones(shape)
    low, most = jitter_bounds(jitter)
    return np.asarray(-np.log(rng.uniform(np.exp(-most), np.exp(-low), shape)))


def jitter_mean(jitter: float) -> float:
    """Return the mean of ``jitter_multiples`` exactly: that of an exponential between two
    bounds.
    """
    if not jitter:
        return 1.0
    low, most = jitter_bounds(jitter)
    weights = np.exp(-low), np.exp(-most)
    return float(((low + 1) * weights[0] - (most + 1) * weights[1]) / (weights[0] - weights[1]))


def chances(probability: float, retries: int) -> np.ndarray:
    """Return P(completed at attempt 1 … retries + 1) and, last, P(failed): the truncated geometric
    distribution.
    """
    attempts = probability ** np.arange(retries + 1) * (1 - probability)
    return np.append(attempts, probability ** (retries + 1))


def mean_attempts(probability: float, retries: int) -> float:
    """Return the expected number of attempts: attempt k + 1 takes place when k failed."""
    return float((probability ** np.arange(retries + 1)).sum())


def mean_wait(probability: float, waits: np.ndarray, jitter: float) -> float:
    """Return the expected seconds of waiting: wait k takes place when k attempts failed."""
    return float((waits * probability ** np.arange(1, len(waits) + 1)).sum() * jitter_mean(jitter))


def mean_work(probability: float, retries: int, duration_seconds: float) -> float:
    """Return the expected seconds that the attempts themselves take."""
    done = 1 - probability ** (retries + 1)
    n_failed = mean_attempts(probability, retries) - done
    return duration_seconds * MEAN_FACTOR * (FAIL_PART * n_failed + done)


@dataclass(frozen=True, slots=True, eq=False)
class TaskRuns:
    """Simulated task runs, all (n,): attempts, whether each completed, seconds waited and in
    total.
    """

    attempts: np.ndarray
    completed: np.ndarray
    wait_seconds: np.ndarray
    seconds: np.ndarray

    def lane(self, place: int, retries: int) -> np.ndarray:
        """Return which runs completed at attempt ``place`` + 1; ``retries`` + 1: which failed."""
        return (
            ~self.completed
            if place == retries + 1
            else self.completed & (self.attempts == place + 1)
        )


def simulate(
    probability: float,
    waits: np.ndarray,
    jitter: float,
    duration_seconds: float,
    seed: int,
    n: int = N_RUNS,
) -> TaskRuns:
    """Run ``n`` tasks with ``len(waits)`` retries each; no Python loop over runs."""
    rng = np.random.default_rng(seed)
    shape = (n, len(waits) + 1)
    failed = rng.random(shape) < probability
    took_place = np.ones(shape, bool)
    np.logical_and.accumulate(failed[:, :-1], axis=1, out=took_place[:, 1:])
    work = (
        duration_seconds
        * np.array(FACTORS)[rng.integers(0, len(FACTORS), shape)]
        * np.where(failed, FAIL_PART, 1.0)
    )
    waited = (waits * jitter_multiples(rng, jitter, (n, len(waits))) * took_place[:, 1:]).sum(
        axis=1
    )
    attempts = took_place.sum(axis=1)
    return TaskRuns(
        attempts, np.asarray(~failed.all(axis=1)), waited, waited + (work * took_place).sum(axis=1)
    )


def flows(
    probability: float,
    waits: np.ndarray,
    jitter: float,
    duration_seconds: float,
    n_tasks: int,
    in_sequence: bool,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each of ``N_FLOWS`` flows of ``n_tasks`` completed and the seconds it took.

    In sequence a failed task is the last one; in parallel all run and the longest decides.
    """
    runs = simulate(
        probability, waits, jitter, duration_seconds, seed + FLOW_SEED, N_FLOWS * n_tasks
    )
    completed, seconds = (
        values.reshape(N_FLOWS, n_tasks) for values in (runs.completed, runs.seconds)
    )
    good = np.asarray(completed.all(axis=1))
    if not in_sequence:
        return good, seconds.max(axis=1)
    reached = np.ones(completed.shape, bool)
    np.logical_and.accumulate(completed[:, :-1], axis=1, out=reached[:, 1:])
    return good, (seconds * reached).sum(axis=1)
