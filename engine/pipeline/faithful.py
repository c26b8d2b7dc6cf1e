"""How close an enlarged year is to the real one: each measure's marginal distribution, and how each
two move together.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from engine import data
from engine.etl import flight_days
from engine.pipeline.enlarge import enlarge

MEASURES = ("sched_dep", "dep_delay", "arr_delay", "air_time", "distance")
QUANTILES = (0.05, 0.5, 0.95)
COLUMNS = ("sched_dep_time", "dep_delay", "arr_delay", "air_time", "distance")


def frames(days: Iterable[date], scale: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the measures of the real flights of some days, and of the flights added to them."""
    flights = data.load("flights")
    dates = flight_days.dates(flights)
    real, added = [], []
    for number, day in enumerate(days):
        rows = flights.filter(pc.equal(dates, pa.scalar(day)))
        real.append(rows)
        added.append(enlarge(rows, scale, seed * 366 + number).slice(len(rows)))
    first, second = (pa.concat_tables(part).select(COLUMNS).to_pandas() for part in (real, added))
    return _measures(first), _measures(second)


def _measures(frame: pd.DataFrame) -> pd.DataFrame:
    clock = frame.pop("sched_dep_time")  # hhmm
    frame.insert(0, "sched_dep", clock // 100 * 60 + clock % 100)
    return frame


def marginals(real: pd.DataFrame, added: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one row for each measure: mean, standard deviation and quantiles of both, in minutes
    or miles, and the largest distance of their distribution functions (Kolmogorov–Smirnov, 0–1).
    """
    from scipy.stats import ks_2samp

    found = []
    for name in MEASURES:
        parts = {"real": real[name].dropna(), "added": added[name].dropna()}
        row: dict[str, Any] = {"measure": name}
        for which, values in parts.items():
            row |= {f"{which}_mean": float(values.mean()), f"{which}_sd": float(values.std())}
            row[f"{which}_quantiles"] = [float(x) for x in np.quantile(values, QUANTILES)]
        row["ks"] = float(ks_2samp(parts["real"], parts["added"], method="asymp").statistic)
        row["real_missing"], row["added_missing"] = (
            float(frame[name].isna().mean()) for frame in (real, added)
        )
        found.append(row)
    return found


def correlations(real: pd.DataFrame, added: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one row for each two measures: their Pearson correlation in both."""
    matrices = [frame[list(MEASURES)].corr() for frame in (real, added)]
    return [
        {
            "measures": f"{one}, {two}",
            "real": float(matrices[0].loc[one, two]),
            "added": float(matrices[1].loc[one, two]),
        }
        for one, two in combinations(MEASURES, 2)
    ]


def as_text(margins: list[dict[str, Any]], pairs: list[dict[str, Any]]) -> str:
    """Return both tables as lines."""
    rows = ["measure          mean            sd              5%, 50%, 95%                    KS"]
    for row in margins:
        quantiles = " → ".join(
            " ".join(f"{x:g}" for x in row[f"{which}_quantiles"]) for which in ("real", "added")
        )
        mean, sd = (
            f"{row[f'real_{what}']:.1f} → {row[f'added_{what}']:.1f}" for what in ("mean", "sd")
        )
        rows.append(f"{row['measure']:17}{mean:16}{sd:16}{quantiles:32}{row['ks']:.3f}")
    rows.append("correlation of")
    rows += [f"{row['measures']:25}{row['real']:.3f} → {row['added']:.3f}" for row in pairs]
    return "\n".join(rows)
