"""Enrich: clean a batch of flights, join airlines, planes and weather to it, and count what found
no partner.

Real: four sources in four forms (``engine.etl.enrich.sources``), pandas' parsing and merges, the
flights without a plane record and the hours without weather. Simulated: the text faults. Every
cleaned cell is checked against what it was before.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.etl.enrich import sources
from engine.etl.enrich.params import EnrichParams
from engine.etl.enrich.result import JOINS, Cleaned, EnrichResult, Joined
from engine.etl.enrich.sources import COLUMNS, DAY_FIRST, TIME

__all__ = ["EnrichParams", "EnrichResult", "clean", "run"]

KEYS = {"airlines": ["carrier"], "planes": ["tailnum"], "weather": ["origin", "time_hour"]}


def clean(rows: pd.DataFrame) -> pd.DataFrame:
    """Return text rows with keys trimmed and in capitals, times and numbers as such; what cannot be
    read is null.
    """
    return pd.DataFrame(
        {
            **{name: _key(rows[name]) for name in ("carrier", "origin", "tailnum")},
            "departs": _times(rows["departs"], TIME).fillna(_times(rows["departs"], DAY_FIRST)),
            "distance": _numbers(rows["distance"].str.removesuffix(" mi")),
            "dep_delay": _numbers(rows["dep_delay"].str.removesuffix(" min")),
        }
    )


def typed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return text rows with the types alone, as a first program does it: nothing is trimmed, one
    form of time is known.
    """
    return pd.DataFrame(
        {
            **{name: rows[name].replace("", None) for name in ("carrier", "origin", "tailnum")},
            "departs": _times(rows["departs"], TIME),
            "distance": _numbers(rows["distance"]),
            "dep_delay": _numbers(rows["dep_delay"]),
        }
    )


def _key(column: pd.Series) -> pd.Series:
    return column.str.strip().str.upper().replace("", None)


def _times(column: pd.Series, form: str) -> pd.Series:
    return pd.to_datetime(column, format=form, errors="coerce")


def _numbers(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce")


def hour_in_utc(departs: pd.Series, clock: str) -> pd.Series:
    """Return the hour of each departure as UTC: of New York time, or as if it were UTC already."""
    zone = "America/New_York" if clock == "New York time" else "UTC"
    zoned = departs.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    return zoned.dt.tz_convert("UTC").dt.floor("h")


def enrich(rows: pd.DataFrame, params: EnrichParams) -> tuple[pd.DataFrame, tuple[Joined, ...]]:
    """Return typed rows joined with every other source, one join after the other, and the count of
    each.
    """
    rows = rows.assign(time_hour=hour_in_utc(rows["departs"], params.clock))
    right_hour = hour_in_utc(rows["departs"], "New York time")
    joined, counts = rows.assign(right_hour=right_hour), []
    for name in JOINS:
        keys, other = KEYS[name], sources.others()[name]
        other = other.assign(time_hour=other["time_hour"].astype(rows["time_hour"].dtype)) if (
            name == "weather"
        ) else other  # fmt: skip
        known = joined[keys].notna().all(axis=1)
        # a null meets no partner, as in SQL; pandas alone would let it meet another null
        found = joined.merge(
            other[other[keys].notna().all(axis=1)], on=keys, how="left", indicator="partner",
            suffixes=("", f"_{name}"),
        )  # fmt: skip
        matched = found["partner"] == "both"
        wrong = matched & (found["time_hour"] != found["right_hour"]) if name == "weather" else (
            np.zeros(len(found), bool)
        )  # fmt: skip
        n_null = int((~known).sum())
        counts.append(
            Joined(
                name,
                len(joined),
                int(matched.sum()),
                n_null,
                int((~matched).sum()) - n_null,
                len(found) - len(joined),
                int(wrong.sum()),
            )
        )
        joined = found[matched] if params.join == "inner" else found
        joined = joined.drop(columns="partner").reset_index(drop=True)
    return joined.drop(columns="right_hour"), tuple(counts)


def counted(
    raw: pd.DataFrame,
    first: pd.DataFrame,
    after: pd.DataFrame,
    truth: pd.DataFrame,
    faulty: pd.DataFrame,
) -> tuple[Cleaned, ...]:
    """Return what cleaning did to each column, from ``first`` to ``after``: cells that were right,
    put right, still wrong.
    """
    found = []
    for name in COLUMNS:
        before = _same(first[name], truth[name])
        now = _same(after[name], truth[name])
        example = faulty[name].to_numpy().argmax() if faulty[name].any() else 0
        found.append(
            Cleaned(
                name,
                int(before.sum()),
                int((now & ~before).sum()),
                int((~now).sum()),
                str(raw[name].iloc[example]),
                str(after[name].iloc[example]),
                str(after[name].dtype),
            )
        )
    return tuple(found)


def _same(column: pd.Series, truth: pd.Series) -> np.ndarray:
    """Whether each value equals the true one, both null included, (n,)."""
    return np.asarray((column == truth) | (column.isna() & truth.isna()))


def run(params: EnrichParams) -> EnrichResult:
    """Read the four sources, clean the flights, and join the others to them: without cleaning, and
    with it.
    """
    asked = sources.flights(params.first_day, params.n_days)
    wrong, faulty = sources.with_faults(asked, params.fault_share, params.seed)
    raw = sources.through_a_file(wrong)
    first, cleaned = typed(raw), clean(raw)
    before, joined_before = enrich(first, params)
    after, joined_after = enrich(cleaned, params)
    columns = counted(raw, first, cleaned, typed(asked), faulty)
    return EnrichResult(
        params, len(raw), columns, joined_before, joined_after, len(before), len(after), after
    )
