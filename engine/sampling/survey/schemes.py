"""Sampling schemes over a known population: which rows each of many samples holds, its estimate of
the mean, its interval.

Every function draws ``n_samples`` samples at once and returns ``Draws``. Sources: Cochran,
*Sampling Techniques*, 1977 (simple, systematic, stratified, cluster); Neyman 1934; Madow 1949
(systematic with probability proportional to size); Vitter 1985 and Li 1994 (reservoir, algorithm
L); Särndal et al., *Model Assisted Survey Sampling*, 1992 (the ratio of Horvitz-Thompson
estimates). Simplified: Neyman's allocation knows the true deviations; where no unbiased estimate of
the variance exists (systematic) or none is due (convenience, quota), the formula of simple random
sampling is used, as people do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Rows in time order whose mean is known: ``value``, and what schemes look at, each (n,)."""

    value: np.ndarray
    stratum: np.ndarray  # codes from 0
    cluster: np.ndarray  # codes from 0
    size: np.ndarray  # positive
    easy: np.ndarray  # bool: rows within reach of a convenience sample
    place: np.ndarray  # codes of where and on which day a row has to be looked up

    @property
    def truth(self) -> float:
        """The mean that all samples try to find."""
        return float(self.value.mean())


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Estimates and standard errors of many samples, and how many places each visits."""

    estimate: np.ndarray  # (n_samples,)
    error: np.ndarray
    n_places: np.ndarray


def allocate(n: int, weights: np.ndarray, capacity: np.ndarray) -> np.ndarray:
    """Return whole numbers near ``n * weights`` that sum to ``n``, at least 2 and at most the
    capacity of each stratum.
    """
    wanted = n * weights / weights.sum()
    whole = np.clip(np.floor(wanted).astype(int), 2, capacity)
    order = np.argsort(-(wanted - np.floor(wanted)), kind="stable")
    while whole.sum() != n:
        step = 1 if whole.sum() < n else -1
        movable = [h for h in order if (whole[h] < capacity[h] if step > 0 else whole[h] > 2)]
        if not movable:
            break
        for h in movable[: abs(n - int(whole.sum()))]:
            whole[h] += step
    return np.asarray(whole)


def simple_rows(rng: np.random.Generator, n_rows: int, n: int, n_samples: int) -> np.ndarray:
    """Return (n_samples, n) row numbers, each sample without repeats."""
    return np.stack([rng.choice(n_rows, n, replace=False, shuffle=False) for _ in range(n_samples)])


def systematic_rows(rng: np.random.Generator, n_rows: int, n: int, n_samples: int) -> np.ndarray:
    """Return (n_samples, n) row numbers, one from each n-th part of the rows, evenly spaced from a
    random start.
    """
    starts = rng.random((n_samples, 1))
    return np.asarray(np.floor((starts + np.arange(n)) * n_rows / n).astype(int))


def pps_rows(rng: np.random.Generator, size: np.ndarray, n: int, n_samples: int) -> np.ndarray:
    """Return (n_samples, n) row numbers with chances n · size / total (Madow's systematic draw);
    large rows can repeat.
    """
    ends = np.cumsum(size)
    points = (rng.random((n_samples, 1)) + np.arange(n)) * ends[-1] / n
    return np.asarray(np.minimum(np.searchsorted(ends, points, side="right"), len(size) - 1))


def reservoir_rows(rng: np.random.Generator, n_rows: int, n: int, n_samples: int) -> np.ndarray:
    """Return (n_samples, n) row numbers kept from one pass over the rows, whose number need not be
    known (algorithm L).
    """
    kept = np.tile(np.arange(n), (n_samples, 1))
    place = np.full(n_samples, n - 1)
    log_w = np.log(rng.random(n_samples)) / n
    samples = np.arange(n_samples)
    while len(samples):
        skip = np.floor(np.log(rng.random(len(samples))) / np.log1p(-np.exp(log_w)))
        place += skip.astype(int) + 1
        goes_on = place < n_rows
        if not goes_on.all():
            samples, place, log_w = samples[goes_on], place[goes_on], log_w[goes_on]
        kept[samples, rng.integers(n, size=len(samples))] = place
        log_w += np.log(rng.random(len(samples))) / n
    return kept


def _places(population: Population, rows: np.ndarray) -> np.ndarray:
    visited = np.sort(population.place[rows], axis=1)
    return np.asarray(1 + (np.diff(visited, axis=1) > 0).sum(axis=1))


def unweighted(population: Population, rows: np.ndarray, n_rows: int) -> Draws:
    """Return the plain means of samples (n_samples, n), with the error of simple random sampling
    from ``n_rows``.
    """
    values = population.value[rows]
    n = rows.shape[1]
    error = values.std(axis=1, ddof=1) * np.sqrt((1 - n / n_rows) / n)
    return Draws(values.mean(axis=1), error, _places(population, rows))


def simple(population: Population, n: int, n_samples: int, rng: np.random.Generator) -> Draws:
    """Simple random sampling without replacement."""
    n_rows = len(population.value)
    return unweighted(population, simple_rows(rng, n_rows, n, n_samples), n_rows)


def systematic(population: Population, n: int, n_samples: int, rng: np.random.Generator) -> Draws:
    """Every (N / n)-th row in time order, from a random start."""
    n_rows = len(population.value)
    return unweighted(population, systematic_rows(rng, n_rows, n, n_samples), n_rows)


def reservoir(population: Population, n: int, n_samples: int, rng: np.random.Generator) -> Draws:
    """One pass over a stream of unknown length."""
    n_rows = len(population.value)
    return unweighted(population, reservoir_rows(rng, n_rows, n, n_samples), n_rows)


def stratified(
    population: Population, n: int, n_samples: int, rng: np.random.Generator, *, neyman: bool
) -> Draws:
    """A simple random sample in each stratum, as large as its share, or as its share times its
    deviation (Neyman).
    """
    counts = np.bincount(population.stratum)
    members = [np.flatnonzero(population.stratum == h) for h in range(len(counts))]
    spread = (
        np.array([population.value[m].std() for m in members]) if neyman else np.ones(len(counts))
    )
    sizes = allocate(n, counts * spread, counts)
    estimate, variance, all_rows = np.zeros(n_samples), np.zeros(n_samples), []
    for m, n_h in zip(members, sizes, strict=True):
        rows = m[simple_rows(rng, len(m), int(n_h), n_samples)]
        share, values = len(m) / len(population.value), population.value[rows]
        estimate += share * values.mean(axis=1)
        variance += share**2 * values.var(axis=1, ddof=1) / n_h * (1 - n_h / len(m))
        all_rows.append(rows)
    return Draws(estimate, np.sqrt(variance), _places(population, np.concatenate(all_rows, axis=1)))


def pps(population: Population, n: int, n_samples: int, rng: np.random.Generator) -> Draws:
    """Chances proportional to size, weighted back by their inverse; the error as if drawn with
    replacement.
    """
    rows = pps_rows(rng, population.size, n, n_samples)
    estimate, error = weighted(population.value[rows], 1 / population.size[rows])
    return Draws(estimate, error, _places(population, rows))


def weighted(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted means of samples (n_samples, n) and their linearised errors, as if drawn with
    replacement.
    """
    total = weights.sum(axis=1, keepdims=True)
    estimate = (weights * values).sum(axis=1, keepdims=True) / total
    n = values.shape[1]
    residual = weights * (values - estimate) / total
    return estimate[:, 0], np.sqrt(n / (n - 1) * (residual**2).sum(axis=1))


def cluster(population: Population, n: int, n_samples: int, rng: np.random.Generator) -> Draws:
    """Whole clusters, as many as hold about ``n`` rows; the mean is the ratio of the clusters'
    totals.
    """
    counts = np.bincount(population.cluster)
    totals = np.bincount(population.cluster, population.value)
    n_clusters = max(2, round(n / counts.mean()))
    chosen = simple_rows(rng, len(counts), n_clusters, n_samples)
    sizes, sums = counts[chosen], totals[chosen]
    estimate = sums.sum(axis=1) / sizes.sum(axis=1)
    residual = sums - estimate[:, np.newaxis] * sizes
    left = 1 - n_clusters / len(counts)
    error = np.sqrt(left / n_clusters * (residual**2).sum(axis=1) / (n_clusters - 1)) / sizes.mean(
        axis=1
    )
    return Draws(estimate, error, np.full(n_samples, n_clusters))


def convenience(population: Population, n: int, n_samples: int, rng: np.random.Generator) -> Draws:
    """A random sample of the easy rows only, used as if it were of the whole."""
    easy = np.flatnonzero(population.easy)
    return unweighted(
        population,
        easy[simple_rows(rng, len(easy), min(n, len(easy)), n_samples)],
        len(population.value),
    )


def quota_rows(
    population: Population, n: int, n_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Return (n_samples, ~n) rows: each stratum's share, from easy rows, or where they are too few,
    from its first ones.
    """
    counts = np.bincount(population.stratum)
    rows = []
    for h, n_h in enumerate(allocate(n, counts, counts)):
        members = np.flatnonzero((population.stratum == h) & population.easy)
        if len(members) < n_h:
            members = np.flatnonzero(population.stratum == h)[: max(int(n_h), len(members))]
        rows.append(members[simple_rows(rng, len(members), int(n_h), n_samples)])
    return np.concatenate(rows, axis=1)


def quota(population: Population, n: int, n_samples: int, rng: np.random.Generator) -> Draws:
    """Each stratum has its share, but within it the interviewer takes the easy rows first."""
    return unweighted(population, quota_rows(population, n, n_samples, rng), len(population.value))
