"""What cleaning and the joins came to: cells put right, rows with and without a partner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from engine.etl.enrich.params import EnrichParams
from engine.units import format_share

JOINS = ("airlines", "planes", "weather")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What cleaning did to one column: counts of cells, and one of those that were put right."""

    column: str
    n_right: int  # before it
    n_fixed: int  # put right
    n_wrong: int  # still not what they were before the fault
    before: str
    after: str
    type: str


@dataclass(frozen=True, slots=True)
class Joined:
    """What one join found: counts of rows."""

    source: str
    n_rows: int  # that came in
    n_matched: int  # with a partner; more than came in where one has several
    n_null: int  # whose key is null
    n_unmatched: int  # whose key is in no row of the source
    n_extra: int  # rows more than came in: a key that the source has twice
    n_wrong: int  # matched to the row of another hour


@dataclass(frozen=True, slots=True, eq=False)
class EnrichResult:
    """The batch before and after cleaning, each joined with every source."""

    params: EnrichParams
    n_rows: int
    cleaned: tuple[Cleaned, ...]
    joined_before: tuple[Joined, ...]
    joined_after: tuple[Joined, ...]
    n_out_before: int
    n_out_after: int
    rows_after: Any  # pandas frame: the enriched batch

    def join_of(self, source: str, *, cleaned: bool = True) -> Joined:
        """Return one join, after cleaning or without it."""
        found = self.joined_after if cleaned else self.joined_before
        return next(one for one in found if one.source == source)

    @property
    def n_fixed(self) -> int:
        """Cells that cleaning put right."""
        return sum(one.n_fixed for one in self.cleaned)

    @property
    def n_saved(self) -> int:
        """Matches that there are only because the keys were cleaned, over all joins."""
        return sum(one.n_matched for one in self.joined_after) - sum(
            one.n_matched for one in self.joined_before
        )

    @property
    def plane_unmatched_share(self) -> float:
        """Share of the cleaned rows that find no plane, 0–1."""
        planes = self.join_of("planes")
        return (planes.n_null + planes.n_unmatched) / max(1, planes.n_rows)

    @property
    def n_dropped(self) -> int:
        """Cleaned rows that are not in the output."""
        return self.n_rows - self.n_out_after

    @property
    def verdict(self) -> str:
        """What found no partner after cleaning, and what an inner join or a wrong clock does."""
        planes = self.join_of("planes")
        lost = planes.n_null + planes.n_unmatched
        wrong = self.join_of("weather").n_wrong
        if wrong:
            return (
                f"**{wrong:,} of {self.n_rows:,} flights get the weather of another hour**, and no"
                " count of unmatched keys shows it: the key exists, it is the wrong one."
            )
        if self.params.join == "inner":
            return (
                f"Inner joins drop **{self.n_dropped:,} of {self.n_rows:,} flights**"
                f" ({format_share(self.n_dropped / self.n_rows)}) without an error:"
                f" {lost:,} have no plane record."
            )
        return (
            f"**{lost:,} of {self.n_rows:,} flights"
            f" ({format_share(self.plane_unmatched_share)}) have no plane record**, cleaned or not."
            f" Cleaning finds {self.n_saved:,} other partners."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        planes, weather = self.join_of("planes"), self.join_of("weather")
        dirty = self.join_of("airlines", cleaned=False)
        return [
            (
                f"**Types put right**: {self.n_fixed:,} cells, such as “{self.cleaned[3].before}” →"
                f" {self.cleaned[3].after}. {sum(one.n_wrong for one in self.cleaned):,} cells stay"
                " wrong."
            ),
            (
                "**Keys first**: “ ua” is no airline. Without cleaning"
                f" {dirty.n_unmatched:,} flights find no airline, with it"
                f" {self.join_of('airlines').n_unmatched:,}."
            ),
            (
                f"**Null or unknown?** {planes.n_null:,} flights have no tail number,"
                f" {planes.n_unmatched:,} have one that the planes' table lacks. The first is a"
                " fact of the flight (cancelled), the second a gap of the source."
            ),
            (
                f"**Weather**: {weather.n_null + weather.n_unmatched:,} flights have none."
                f" {weather.n_wrong:,} have that of another hour."
            ),
            (
                f"**Rows in, rows out**: {self.n_rows:,} in, {self.n_out_after:,} out. Count both"
                " after each join: fewer are dropped, more are a key that is there twice."
            ),
        ]

    def headline(self) -> dict[str, int]:
        """Return the numbers that the script reproduces."""
        planes = self.join_of("planes")
        return {
            "n_rows": self.n_rows,
            "n_out": self.n_out_after,
            "planes: null key": planes.n_null,
            "planes: unmatched": planes.n_unmatched,
            "weather: wrong hour": self.join_of("weather").n_wrong,
        }

    def cleaning_rows(self) -> list[dict[str, str]]:
        """Return one row for each column, as texts."""
        return [
            {
                "column": one.column,
                "right already": f"{one.n_right:,}",
                "put right": f"{one.n_fixed:,}",
                "still wrong": f"{one.n_wrong:,}",
                "as it came": f"“{one.before}”",
                "cleaned": one.after,
                "type": one.type,
            }
            for one in self.cleaned
        ]

    def join_rows(self) -> list[dict[str, str]]:
        """Return one row for each join, without cleaning and with it, as texts."""
        return [
            {
                "join": one.source,
                "keys": keys,
                "rows in": f"{one.n_rows:,}",
                "matched": f"{one.n_matched:,}",
                "key is null": f"{one.n_null:,}",
                "no partner": f"{one.n_unmatched:,}",
                "rows added": f"{one.n_extra:,}",
                "wrong hour": f"{one.n_wrong:,}",
            }
            for keys, found in (
                ("as they came", self.joined_before),
                ("cleaned", self.joined_after),
            )
            for one in found
        ]

    def table(self) -> pa.Table:
        """Return the enriched batch."""
        return pa.Table.from_pandas(self.rows_after, preserve_index=False)
