"""What the codecs gave: bytes in every order of the rows, every single run, and the answer in
words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Literal

import pyarrow as pa

from engine.formats.codecs.params import ORDERS, SORT_BY, CodecsParams, Order
from engine.units import format_bytes, format_factor, format_range, format_share, format_time


@dataclass(frozen=True, slots=True)
class Trial:
    """One codec at one level: bytes in each order of the rows, and every single timed run."""

    codec: str
    level: int | None
    file_bytes: int = 0  # in the order asked for; 0: not written yet
    order_bytes: dict[Order, int] = field(default_factory=dict)  # the same rows in every order
    column_bytes: dict[str, int] = field(
        default_factory=dict
    )  # packed, by column, in the order asked for
    column_bytes_sorted: dict[str, int] = field(default_factory=dict)  # the same, rows sorted
    write_seconds: tuple[float, ...] = ()
    read_seconds: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """Codec and level as people say them: ``zstd 3``."""
        return self.codec if self.level is None else f"{self.codec} {self.level}"

    @property
    def ready(self) -> bool:
        """Whether it was written and read once at least."""
        return bool(self.order_bytes and self.write_seconds and self.read_seconds)

    def seconds(self, against: Literal["write", "read"]) -> tuple[float, ...]:
        """Return every run of one kind."""
        return self.write_seconds if against == "write" else self.read_seconds


def pareto(points: list[tuple[float, float]]) -> list[bool]:
    """Return which points no other point beats: at least as good (larger) in both numbers and
    better in one.
    """
    return [not any(a >= x and b >= y and (a > x or b > y) for a, b in points) for x, y in points]


@dataclass(frozen=True, slots=True, eq=False)
class CodecsResult:
    """Every trial, as far as it has come."""

    params: CodecsParams
    trials: tuple[Trial, ...]
    n_rows: int
    table_bytes: int  # of the rows as Arrow memory: what ratio and MB/s count
    measured_at: datetime
    complete: bool = False
    preview: bool = False  # of a few rows, shown until a trial of the run is measured

    @property
    def ready(self) -> tuple[Trial, ...]:
        """Trials that can be shown."""
        return tuple(trial for trial in self.trials if trial.ready)

    def named(self, name: str) -> Trial | None:
        """Return a trial by codec and level, ``None`` if it was not made."""
        return next((trial for trial in self.ready if trial.name == name), None)

    def ratio(self, trial: Trial) -> float:
        """Return Arrow bytes by file bytes."""
        return self.table_bytes / trial.file_bytes

    def speed(self, trial: Trial, against: Literal["write", "read"]) -> float:
        """Return MB of Arrow memory a second, at the median run."""
        return self.table_bytes / median(trial.seconds(against)) / 1e6

    def front(self, against: Literal["write", "read"]) -> list[Trial]:
        """Return the trials on the Pareto front of ratio and speed, fastest first."""
        kept = pareto([(self.ratio(trial), self.speed(trial, against)) for trial in self.ready])
        on_it = [trial for trial, keep in zip(self.ready, kept, strict=True) if keep]
        return sorted(on_it, key=lambda trial: -self.speed(trial, against))

    @property
    def smallest(self) -> Trial | None:
        """The trial with the smallest file."""
        return min(self.ready, key=lambda trial: trial.file_bytes, default=None)

    @property
    def codec_saving_share(self) -> float:
        """What the tightest codec takes off the file of the loosest trial, 0–1."""
        sizes = [trial.file_bytes for trial in self.ready]
        return 1 - min(sizes) / max(sizes) if sizes else 0.0

    @property
    def sort_saving_share(self) -> float:
        """What sorting the rows takes off the file as it came, in the median over the trials, 0–1
        (negative: it adds).
        """
        known = [trial.order_bytes for trial in self.ready]
        return median(1 - sizes["sorted"] / sizes["as is"] for sizes in known) if known else 0.0

    @property
    def verdict(self) -> str:
        """gzip against Snappy where both were tried, else the smallest; and what sorting saves."""
        snappy, gzip = self.named("snappy"), self.named("gzip 6")
        early = f"Preview on {self.n_rows:,} rows: " if self.preview else ""
        if snappy and gzip:
            slower = median(gzip.write_seconds) / median(snappy.write_seconds)
            less = 1 - gzip.file_bytes / snappy.file_bytes
            return (
                f"{early}gzip files are **{format_share(abs(less))}**"
                f" {'smaller' if less >= 0 else 'larger'} than Snappy's, but writing takes"
                f" **{format_factor(slower)}** as long. Sorting the rows {self.sorting}."
            )
        if not self.ready or self.smallest is None:
            return "The first files are being written."
        return (
            f"{early}{self.smallest.name} gives the smallest file:"
            f" **{format_factor(self.ratio(self.smallest))}** smaller than in memory. Sorting the"
            f" rows {self.sorting}."
        )

    @property
    def sorting(self) -> str:
        """What sorting the rows does to the file, from the codec that gains least to the one that
        gains most.
        """
        shares = [
            round(1 - trial.order_bytes["sorted"] / trial.order_bytes["as is"], 2) + 0.0
            for trial in self.ready
        ]  # no -0
        low, high = min(shares, default=0.0), max(shares, default=0.0)
        if low == high == 0:
            return "changes nothing with any codec"
        if high <= 0:
            return f"adds {_by_codec(abs(high), -low)}"
        if low >= 0:
            return f"saves {_by_codec(low, high)}"
        return f"adds up to {format_share(-low)} or saves up to {format_share(high)}"

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        reasons = [
            self._why_front("write"),
            self._why_front("read"),
            self._why_dictionary(),
            self._why_sorted(),
        ]
        runs = [
            seconds for trial in self.ready for seconds in (trial.write_seconds, trial.read_seconds)
        ]
        spreads = [max(seconds) / min(seconds) for seconds in runs]
        n = max((len(trial.read_seconds) for trial in self.ready), default=0)
        worst = f", slowest / fastest run at most {format_factor(max(spreads))}" if n > 1 else ""
        reasons.append(
            f"Measured {format_time(self.measured_at)} UTC, in memory, {n} runs each{worst}."
        )
        return [reason for reason in reasons if reason]

    def _why_front(self, against: Literal["write", "read"]) -> str:
        front = self.front(against)
        points = ", ".join(
            f"{t.name} ({format_factor(self.ratio(t))}, {self.speed(t, against):,.0f} MB/s)"
            for t in front
        )
        return (
            f"**Pareto front**, {against} speed (no other codec is better in both): {points}."
            if front
            else ""
        )

    def _why_dictionary(self) -> str:
        none = self.named("none")
        if none is None or self.smallest is None:
            return ""
        encoded = "dictionary and run lengths" if self.params.dictionary else "no dictionary"
        return (
            f"**Encoding first**: with {encoded} and no codec, the file is"
            f" {format_factor(self.ratio(none))} smaller than memory. {self.smallest.name} saves"
            f" another {format_share(1 - self.smallest.file_bytes / none.file_bytes)}."
        )

    def _why_sorted(self) -> str:
        best, plain = self.smallest, self.named("snappy") or self.named("none")
        if best is None or plain is None:
            return ""
        gains = {
            name: size - best.column_bytes_sorted[name] for name, size in best.column_bytes.items()
        }
        top = [name for name in sorted(gains, key=lambda name: -gains[name])[:3] if gains[name] > 0]
        columns = ", ".join(
            f"{name} {format_bytes(best.column_bytes[name])} →"
            f" {format_bytes(best.column_bytes_sorted[name])}"
            for name in top
        )
        sizes = format_bytes(plain.order_bytes["sorted"]), format_bytes(best.order_bytes["as is"])
        return (
            f"**Sorted by {', '.join(SORT_BY[self.params.table])}**, equal values are neighbors:"
            f" {sizes[0]} with {plain.name}, against {sizes[1]} unsorted with {best.name}."
            + (f" Largest gain: {columns}." if top else "")
        )

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: bytes, never a time."""
        numbers: dict[str, int | float | str] = {"n_rows": self.n_rows}
        for trial in self.trials:
            numbers |= {f"{trial.name}, {order}": size for order, size in trial.order_bytes.items()}
        return numbers

    def table(self) -> pa.Table:
        """Return one row for each trial, with every single run."""
        rows = [
            {
                "codec": trial.codec,
                "level": trial.level,
                "file_bytes": trial.file_bytes,
                "ratio": self.ratio(trial),
                **{
                    f"bytes_{order.replace(' ', '_')}": trial.order_bytes.get(order)
                    for order in ORDERS
                },
                "write_megabytes_per_second": self.speed(trial, "write"),
                "read_megabytes_per_second": self.speed(trial, "read"),
                "write_runs_seconds": " ".join(f"{s:.6f}" for s in trial.write_seconds),
                "read_runs_seconds": " ".join(f"{s:.6f}" for s in trial.read_seconds),
            }
            for trial in self.ready
        ]
        return pa.Table.from_pylist(rows)


def _by_codec(low: float, high: float) -> str:
    if low == high:
        return format_share(low)
    return f"{format_range(low, high, format_share)} (by codec)"
