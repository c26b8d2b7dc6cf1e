"""Samples of days: what each temporal scheme says of level, weekday profile and trend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SERIES_DAYS = 36  # a tenth of the year, by each temporal scheme


@dataclass(frozen=True, slots=True)
class SeriesTally:
    """What a temporal scheme's samples say of level, season and trend: root mean squared errors."""

    name: str
    level: float  # in the measure's unit
    season: float  # of the departures from the level of those weekdays that were seen
    trend: float  # per month
    n_unseen: float  # weekdays that a sample never saw, mean


def series(
    daily: np.ndarray, every_days: int, n_samples: int, rng: np.random.Generator
) -> tuple[SeriesTally, ...]:
    """Return what samples of days say of the year's daily means: level, weekday profile, trend."""
    n_days = len(daily)
    days = np.arange(n_days)
    truth = describe(daily, days)
    recent = 2.0 ** ((days - n_days) / 90)
    draws: dict[str, Callable[[], np.ndarray]] = {
        "random days": lambda: np.sort(rng.choice(n_days, SERIES_DAYS, replace=False)),
        f"every {every_days} days": lambda: days[rng.integers(every_days) :: every_days],
        "one block of days": lambda: (
            int(rng.integers(n_days - SERIES_DAYS + 1)) + np.arange(SERIES_DAYS)
        ),
        "recent days weighted": lambda: np.sort(
            rng.choice(n_days, SERIES_DAYS, replace=False, p=recent / recent.sum())
        ),
    }
    tallies = []
    for name, draw in draws.items():
        found = np.array([describe(daily, draw()) for _ in range(n_samples)])
        gap, unseen = found - truth, np.isnan(found).sum(axis=1)
        level, season, trend = (
            float(np.sqrt(np.nanmean(gap[:, part] ** 2))) for part in (0, slice(2, 9), 1)
        )
        tallies.append(SeriesTally(name, level, season, trend, float(unseen.mean())))
    return tuple(tallies)


def describe(daily: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return level, trend a month, then the seven weekdays' departures from the level (nan where
    none was seen), (9,).
    """
    values, weekdays = daily[days], days % 7
    level = values.mean()
    slope = np.cov(days, values)[0, 1] / days.var(ddof=1)
    seen = [values[weekdays == weekday] for weekday in range(7)]
    profile = [group.mean() - level if len(group) else np.nan for group in seen]
    return np.array([level, 30 * slope, *profile])
