"""One terabyte: what the race measured on thousands of rows, carried to terabytes on the visitor's
link, price and weights.

Real: bytes and seconds come from a race run on this machine (``engine.formats.race``), their spread
with them. A projection: rows are multiplied, nothing else changes: bytes a row, seconds a row (the
cost of opening a small file included), one process that reads, a link that does what it promises. A
scan takes as long as the slower of link and reader, because both can work at once. Columnar formats
move the chosen share of their bytes (columns of equal size), row formats move all. The score is the
weighted product model (Bridgman, 1922): the product of each criterion's factor to the best, to the
power of its share of the weights; 1 is best.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import pyarrow as pa

from engine.errors import require
from engine.formats import race
from engine.formats.bytes_read import DEFAULTS as QUESTIONS
from engine.formats.race import RaceParams, RaceResult
from engine.formats.race.result import Lane, Operation
from engine.jobs import Progress, Steps, to_end
from engine.ranges import Params, Range
from engine.units import format_bytes, format_factor, format_seconds, format_share

MEASURED_ROWS = (5_000, 20_000, 50_000, 100_000)
RAW_TB = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 1_000.0)
LINK_GBIT = (0.1, 0.5, 1.0, 2.5, 10.0, 25.0, 100.0)
WEIGHT = Range(0, 10)
CRITERIA = ("storage", "scan", "load", "fidelity")
COLUMNAR = ("Parquet", "Arrow IPC")


@dataclass(frozen=True, slots=True, kw_only=True)
class TerabyteParams(Params):
    """Size, link, price, how the data is read, and the weights."""

    raw_tb: Annotated[float, Range(0.01, 10_000, options=RAW_TB)] = 1.0  # as CSV, in 10¹² bytes
    link_gbit: Annotated[float, Range(0.01, 1_000, options=LINK_GBIT)] = 1.0  # to the storage
    price: Annotated[float, Range(0, 1_000, step=1, most=200)] = 23.0  # USD a TB and month
    scans_a_day: Annotated[int, Range(0, 1_000, most=200)] = 10
    columns_share: Annotated[float, Range(0.05, 1, step=0.05)] = 0.1  # read by each scan
    storage_weight: Annotated[int, WEIGHT] = 3
    scan_weight: Annotated[int, WEIGHT] = 3
    load_weight: Annotated[int, WEIGHT] = 1
    fidelity_weight: Annotated[int, WEIGHT] = 1
    table: Literal["flights", "weather", "synthetic"] = "flights"  # measured on
    n_rows: Annotated[int, Range(1_000, 336_776, options=MEASURED_ROWS)] = 50_000  # measured on

    def check_together(self) -> None:
        """Raise ``InputError`` when nothing counts."""
        require(
            any(map(self.weight, CRITERIA)),
            "The weights must not all be 0. Got 0, 0, 0, 0. Raise at least one.",
        )

    def weight(self, criterion: str) -> int:
        """Return the weight of one of ``CRITERIA``."""
        value: int = getattr(self, f"{criterion}_weight")
        return value

    @property
    def race(self) -> RaceParams:
        """The race that is measured: the Race tab's own formats and repeats, on more rows."""
        columns, predicate = QUESTIONS[self.table]
        return RaceParams(
            table=self.table, n_rows=self.n_rows, columns=columns, predicate_column=predicate
        )


@dataclass(frozen=True, slots=True)
class Span:
    """A projected time in seconds: from the median run, and from the fastest and the slowest."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Projection:
    """One format at full size."""

    name: str
    family: str
    stored_bytes: float
    usd_a_month: float
    load: Span  # writing all of it once, seconds
    scan: Span  # one scan, seconds
    moved_bytes: float  # over the link, by one scan
    bottleneck: Literal["link", "reader"]  # of a scan at the median
    changed_share: float  # of the columns that a round trip changes, 0–1
    score: float = 1.0  # ≥ 1, at the medians
    score_low: float = 1.0  # with this format's fastest runs
    score_high: float = 1.0  # with its slowest


@dataclass(frozen=True, slots=True, eq=False)
class TerabyteResult:
    """Every format of the race at full size, best score first."""

    params: TerabyteParams
    race: RaceResult
    formats: tuple[Projection, ...]
    complete: bool

    def named(self, name: str) -> Projection:
        """Return a format's projection."""
        return next(entry for entry in self.formats if entry.name == name)

    @property
    def best(self) -> Projection:
        """The format that wins under the weights."""
        return self.formats[0]

    @property
    def parquet_gb(self) -> float:
        """What Parquet with zstd stores, in GB."""
        return self.named("Parquet zstd").stored_bytes / 1e9

    @property
    def saved_usd_a_month(self) -> float:
        """What Parquet with zstd saves each month against CSV."""
        return self.named("CSV").usd_a_month - self.named("Parquet zstd").usd_a_month

    @property
    def rivals(self) -> tuple[str, ...]:
        """Formats whose score may be as good as the best one's, given the spread of the runs."""
        return tuple(
            entry.name for entry in self.formats[1:] if entry.score_low <= self.best.score_high
        )

    @property
    def verdict(self) -> str:
        """The best format under the weights: its size, price and seconds of a scan."""
        best, csv, p = self.best, self.named("CSV"), self.params
        early = f"Preview on {self.race.n_rows:,} rows. " if self.race.preview else ""
        rivals = f"{', '.join(self.rivals[:2])}{' and others' * (len(self.rivals) > 2)}"
        tie = f" (tied with {rivals})" if self.rivals else ""
        text = (
            f"{early}Projected to {p.raw_tb:g} TB: **{best.name}** is best{tie}:"
            f" **{best.usd_a_month:,.2f} USD** per month, one scan in"
            f" **{format_seconds(best.scan.middle)}**"
        )
        if best is not csv:
            text += f"; CSV {csv.usd_a_month:,.2f} USD, {format_seconds(csv.scan.middle)}"
        return text + "."

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        best, p = self.best, self.params
        worst = self.formats[-1]
        total = sum(map(p.weight, CRITERIA))
        shares = ", ".join(f"{name} {format_share(p.weight(name) / total)}" for name in CRITERIA)
        daily = p.scans_a_day * best.scan.middle
        limits = {
            kind: sum(e.bottleneck == kind for e in self.formats) for kind in ("link", "reader")
        }
        reasons = [
            f"**Weights**: {shares}. {best.name} scores {best.score:.2f}, {worst.name}"
            f" {worst.score:.2f} (1: best in all)."
        ]
        if self.rivals:
            reasons.append(
                f"**Tie**: the runs vary too much to separate {best.name} from"
                f" {', '.join(self.rivals)}."
            )
        return [
            *reasons,
            f"**One scan** of {best.name} moves {format_bytes(best.moved_bytes)} and waits for the"
            f" {best.bottleneck}. Of all formats, {limits['link']} wait for the link,"
            f" {limits['reader']} for the reader.",
            f"**{p.scans_a_day} scans per day** keep one reader busy for {format_seconds(daily)}"
            + (": more than a day, so read in parallel." if daily > 86_400 else " per day."),
            f"**Projection**: measured on {self.race.n_rows:,} rows of {p.table}, multiplied by"
            f" {format_factor(p.raw_tb * 1e12 / (self._csv_bytes or 1))}. Large columnar files do a"
            " little better than that.",
        ]

    @property
    def _csv_bytes(self) -> int:
        lane = self.race.lane("CSV")
        return lane.file_bytes if lane else 0

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: the measured files, and what they become
        at full size.
        """
        numbers = self.race.headline()
        for lane in self.race.lanes:
            stored = lane.file_bytes * self.params.raw_tb * 1e12 / self._csv_bytes
            numbers[f"{lane.name} stored GB"] = round(stored / 1e9, 3)
            numbers[f"{lane.name} USD a month"] = round(stored / 1e12 * self.params.price, 2)
        return numbers

    def table(self) -> pa.Table:
        """Return one row for each format."""
        return pa.Table.from_pylist([_flat(entry) for entry in self.formats])


def _flat(entry: Projection) -> dict[str, Any]:
    row: dict[str, Any] = {
        "format": entry.name,
        "stored_bytes": entry.stored_bytes,
        "usd_a_month": entry.usd_a_month,
    }
    for name, span in (("load", entry.load), ("scan", entry.scan)):
        row |= {
            f"{name}_seconds": span.middle,
            f"{name}_seconds_low": span.low,
            f"{name}_seconds_high": span.high,
        }
    row |= {
        "moved_bytes": entry.moved_bytes,
        "bottleneck": entry.bottleneck,
        "changed_share": entry.changed_share,
    }
    return row | {
        "score": entry.score,
        "score_low": entry.score_low,
        "score_high": entry.score_high,
    }


def read_seconds(lane: Lane, chosen_share: float, share: float) -> Span:
    """Return the seconds to read ``share`` of the columns: on the line between the chosen columns
    and all of them.

    Parameters
    ----------
    chosen_share
        Share of the columns that "read columns" read, 0–1; below it the time is not extrapolated.
    """
    part = max(0.0, share - chosen_share) / (1 - chosen_share) if chosen_share < 1 else 1.0
    some, all_ = _span(lane, "read columns"), _span(lane, "read all")
    return Span(
        *(
            a + part * (b - a)
            for a, b in ((some.low, all_.low), (some.middle, all_.middle), (some.high, all_.high))
        )
    )


def _span(lane: Lane, operation: Operation) -> Span:
    runs = lane.seconds[operation]
    return Span(min(runs), lane.median_seconds(operation) or 0.0, max(runs))


def _measured(lane: Lane) -> bool:
    """Whether a lane has a run of all that is carried over."""
    return all(lane.seconds.get(operation) for operation in ("write", "read all", "read columns"))


def _project(params: TerabyteParams, measured: RaceResult, lane: Lane, factor: float) -> Projection:
    """Carry one lane to full size; ``factor`` is the number of rows there by the number of rows
    raced.
    """
    stored = lane.file_bytes * factor
    moved = stored * (params.columns_share if lane.family in COLUMNAR else 1.0)
    link = moved * 8 / (params.link_gbit * 1e9)
    reading = read_seconds(
        lane, len(measured.params.columns) / measured.n_columns, params.columns_share
    )
    spans = [seconds * factor for seconds in (reading.low, reading.middle, reading.high)]
    write = _span(lane, "write")
    upload = stored * 8 / (params.link_gbit * 1e9)
    return Projection(
        name=lane.name,
        family=lane.family,
        stored_bytes=stored,
        usd_a_month=stored / 1e12 * params.price,
        load=Span(
            *(max(seconds * factor, upload) for seconds in (write.low, write.middle, write.high))
        ),
        scan=Span(*(max(seconds, link) for seconds in spans)),
        moved_bytes=moved,
        bottleneck="link" if link >= spans[1] else "reader",
        changed_share=measured.n_changed(lane.name) / measured.n_columns,
    )


def _scored(params: TerabyteParams, entries: list[Projection]) -> tuple[Projection, ...]:
    """Return the projections with their scores, best first; each bound moves one format while the
    others stay at the median.
    """
    total = sum(map(params.weight, CRITERIA))
    best = {
        "storage": min(e.stored_bytes for e in entries),
        "scan": min(e.scan.middle for e in entries),
        "load": min(e.load.middle for e in entries),
        "fidelity": min(1 + e.changed_share for e in entries),
    }

    def score(entry: Projection, scan: float, load: float) -> float:
        values = {
            "storage": entry.stored_bytes,
            "scan": scan,
            "load": load,
            "fidelity": 1 + entry.changed_share,
        }
        product = 1.0
        for name in CRITERIA:
            product *= (values[name] / best[name]) ** (params.weight(name) / total)
        return product

    scored = [
        replace(
            entry,
            score=score(entry, entry.scan.middle, entry.load.middle),
            score_low=score(entry, entry.scan.low, entry.load.low),
            score_high=score(entry, entry.scan.high, entry.load.high),
        )
        for entry in entries
    ]
    return tuple(sorted(scored, key=lambda e: e.score))


def project(params: TerabyteParams, measured: RaceResult) -> TerabyteResult | None:
    """Carry a race, finished or under way, to full size; ``None`` until CSV, which the size counts
    in, has run once.
    """
    csv = measured.lane("CSV")
    if csv is None or not _measured(csv):
        return None
    factor = params.raw_tb * 1e12 / csv.file_bytes
    entries = [
        _project(params, measured, lane, factor)
        for lane in measured.lanes
        if not lane.refused and _measured(lane)
    ]
    return TerabyteResult(params, measured, _scored(params, entries), measured.complete)


def steps(params: TerabyteParams) -> Steps:
    """Run the race and project what there is of it at each step; a page shares the Race tab's job
    instead.
    """
    stages = race.steps(params.race)
    while True:
        try:
            stage = next(stages)
        except StopIteration as stop:
            return project(params, stop.value)
        yield Progress(stage.share, stage.message, project(params, stage.partial))


run: Callable[[TerabyteParams], TerabyteResult] = to_end(steps)


TYPICAL_SECONDS = 13.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return the steps and the Params that are computed when the server starts: the race alone."""
    return race.steps, TerabyteParams().race
