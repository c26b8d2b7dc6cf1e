"""Codecs: what each compression codec and level of Parquet saves, and what it costs to write and to
read.

Real: pyarrow writes and reads every file, in memory, with its own defaults but for codec, level and
dictionary; every time is one call's wall-clock time in one thread, after an untimed call. The
trials take turns in an order drawn anew for each round. Simplified: memory instead of a disk, so
that the codec is what is timed; the order of rows "sorted" is one sort a table, known to suit it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from statistics import median
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.errors import require, require_choice
from engine.formats import tables
from engine.jobs import Progress, Steps, beside, run_to_end, timed
from engine.units import human_bytes, human_factor

Table = Literal["flights", "weather", "synthetic"]
TABLES: tuple[Table, ...] = get_args(Table)
Order = Literal["as is", "sorted", "shuffled"]
ORDERS: tuple[Order, ...] = get_args(Order)
Levels = Literal["default", "all"]
LEVEL_CHOICES: tuple[Levels, ...] = get_args(Levels)
LEVELS: dict[
    str, tuple[int | None, ...]
] = {  # codec -> levels tried; the first is the default one, None: it has none
    "none": (None,),
    "snappy": (None,),
    "lz4": (None,),
    "gzip": (6, 1, 9),
    "zstd": (3, 1, 9, 19),
    "brotli": (5, 1, 8),
}
SORT_BY: dict[Table, tuple[str, ...]] = {
    "flights": ("carrier", "flight", "time_hour"),
    "weather": ("origin", "time_hour"),
    "synthetic": ("category", "event_time"),
}
N_ROWS = (5_000, 10_000, 20_000, 50_000, 100_000, 336_776)
WHOLE = "all columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecsParams:
    """Which rows are packed, how they lie, and by which codecs."""

    table: Table = "flights"
    n_rows: int = 50_000  # 1,000 … 336,776, taken evenly from the table, at most all of it
    column: str = WHOLE  # or one column of the table, packed by itself
    codecs: tuple[str, ...] = ("none", "snappy", "lz4", "gzip", "zstd", "brotli")
    levels: Levels = "all"
    order: Order = "as is"
    dictionary: bool = (
        True  # distinct values once, then small numbers: Parquet's encoding before any codec
    )
    repeats: int = 3  # rounds, 1 … 9
    seed: int = 0  # of the shuffle, the order of turns and the synthetic table

    def __post_init__(self) -> None:
        require_choice("table", self.table, TABLES)
        require_choice("order", self.order, ORDERS)
        require_choice("levels", self.levels, LEVEL_CHOICES)
        require(
            1_000 <= self.n_rows <= N_ROWS[-1],
            "n_rows must be 1,000 … {:,}. Got {}.",
            N_ROWS[-1],
            self.n_rows,
        )
        require(
            len(self.codecs) > 0,
            "codecs must name at least one codec. Got none. Choose two to compare them.",
        )
        for name in self.codecs:
            require_choice("codecs", name, tuple(LEVELS))
        require_choice("column", self.column, (WHOLE, *tables.column_names(self.table)))
        require(1 <= self.repeats <= 9, "repeats must be 1 … 9. Got {}.", self.repeats)
        require(0 <= self.seed < 2**31, "seed must be 0 … 2,147,483,647. Got {}.", self.seed)

    @property
    def trials(self) -> list[tuple[str, int | None]]:
        """Codec and level of each trial."""
        return [
            (name, level)
            for name in self.codecs
            for level in LEVELS[name][: None if self.levels == "all" else 1]
        ]


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
    def best_when_sorted_bytes(self) -> int:
        """The smallest file of all, rows sorted."""
        return min((trial.order_bytes["sorted"] for trial in self.ready), default=0)

    @property
    def verdict(self) -> str:
        """The answer in one sentence: Snappy against gzip by name where both were tried."""
        snappy, gzip = self.named("snappy"), self.named("gzip 6")
        if snappy and gzip:
            slower = median(gzip.write_seconds) / median(snappy.write_seconds)
            less = 1 - gzip.file_bytes / snappy.file_bytes
            return (
                f"gzip takes **{less:.0%}** off Snappy's bytes ({human_bytes(gzip.file_bytes)}"
                f" against {human_bytes(snappy.file_bytes)}) and writes {human_factor(slower)} as"
                f" long; sorting the rows {self.sorting}."
            )
        if not self.ready or self.smallest is None:
            return "The first files are being written."
        return (
            f"{self.smallest.name} packs tightest: **{human_factor(self.ratio(self.smallest))}**"
            f" smaller than in memory; sorting the rows {self.sorting}. Snappy against gzip is told"
            " once both are chosen."
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
            return "changes nothing, whatever the codec"
        if high <= 0:
            return f"adds {_percent_range(abs(high), -low)}"
        if low >= 0:
            return f"takes off {_percent_range(low, high)}"
        return f"adds up to {-low:.0%} or takes off up to {high:.0%}, by codec"

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
        worst = f", slowest over fastest run at worst {human_factor(max(spreads))}" if n > 1 else ""
        reasons.append(
            f"Measured {self.measured_at:%Y-%m-%d %H:%M} UTC, in memory, {n} runs each{worst}."
        )
        return [reason for reason in reasons if reason]

    def _why_front(self, against: Literal["write", "read"]) -> str:
        front = self.front(against)
        told = ", ".join(
            f"{t.name} ({human_factor(self.ratio(t))}, {self.speed(t, against):,.0f} MB/s)"
            for t in front
        )
        return (
            f"Pareto front of ratio and {against} speed, no other is better in both: {told}."
            if front
            else ""
        )

    def _why_dictionary(self) -> str:
        none = self.named("none")
        if none is None or self.smallest is None:
            return ""
        encoded = "dictionary and run lengths" if self.params.dictionary else "no dictionary"
        return (
            f"Encoding comes first: with {encoded} and no codec, Parquet is"
            f" {human_factor(self.ratio(none))} smaller than memory. The tightest codec,"
            f" {self.smallest.name}, takes off another"
            f" {1 - self.smallest.file_bytes / none.file_bytes:.0%}."
        )

    def _why_sorted(self) -> str:
        best, plain = self.smallest, self.named("snappy") or self.named("none")
        if best is None or plain is None:
            return ""
        gains = {
            name: size - best.column_bytes_sorted[name] for name, size in best.column_bytes.items()
        }
        top = [name for name in sorted(gains, key=lambda name: -gains[name])[:3] if gains[name] > 0]
        told = ", ".join(
            f"{name} {human_bytes(best.column_bytes[name])} →"
            f" {human_bytes(best.column_bytes_sorted[name])}"
            for name in top
        )
        sizes = human_bytes(plain.order_bytes["sorted"]), human_bytes(best.order_bytes["as is"])
        return (
            f"Sorted by {', '.join(SORT_BY[self.params.table])}, equal values lie together: sorted"
            f" rows with {plain.name} take {sizes[0]}, rows as they came with {best.name}"
            f" {sizes[1]}." + (f" With {best.name}, most is won in {told}." if top else "")
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


def _percent_range(low: float, high: float) -> str:
    return f"{low:.0%}" if low == high else f"{low:.0%} to {high:.0%}, by codec"


def rows_of(params: CodecsParams) -> dict[Order, pa.Table]:
    """Return the rows in every order, in one chunk each, with the column or columns asked for."""
    names = list(tables.column_names(params.table))
    source = tables.source(params.table, params.n_rows, params.seed, "").select(names)
    table = tables.thin(source, params.n_rows).combine_chunks()
    wanted = names if params.column == WHOLE else [params.column]
    by_key = pc.sort_indices(table, [(name, "ascending") for name in SORT_BY[params.table]])
    at_random = np.random.default_rng(params.seed).permutation(table.num_rows)
    kept = table.select(wanted)
    return {
        "as is": kept,
        "sorted": kept.take(by_key).combine_chunks(),
        "shuffled": kept.take(pa.array(at_random)).combine_chunks(),
    }


def write(table: pa.Table, codec: str, level: int | None, dictionary: bool) -> pa.Buffer:
    """Return ``table`` as a Parquet file in memory."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table, sink, compression=codec, compression_level=level, use_dictionary=dictionary
    )
    return sink.getvalue()


def read(file: pa.Buffer) -> pa.Table:
    """Read a Parquet file in memory, in one thread: the codec's own speed, as ``write`` has it."""
    return pq.read_table(pa.BufferReader(file), use_threads=False)


def packed_bytes(file: pa.Buffer) -> dict[str, int]:
    """Return the bytes that each column takes up in a Parquet file, over all row groups."""
    metadata = pq.read_metadata(pa.BufferReader(file))
    sizes: dict[str, int] = {}
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(number)
            sizes[chunk.path_in_schema] = (
                sizes.get(chunk.path_in_schema, 0) + chunk.total_compressed_size
            )
    return sizes


def _with_orders(trial: Trial, files: dict[Order, pa.Buffer], order: Order) -> Trial:
    return replace(
        trial,
        file_bytes=files[order].size,
        order_bytes={name: file.size for name, file in files.items()},
        column_bytes=packed_bytes(files[order]),
        column_bytes_sorted=packed_bytes(files["sorted"]),
    )


def steps(params: CodecsParams) -> Steps:
    """Write and read every trial in turn, round by round; a ``Progress`` with the result so far
    before each call.

    Returns
    -------
    CodecsResult
        With ``complete`` set.
    """
    orders = rows_of(params)
    table = orders[params.order]
    trials = [Trial(codec, level) for codec, level in params.trials]
    result = CodecsResult(params, tuple(trials), table.num_rows, table.nbytes, datetime.now(UTC))
    rng = np.random.default_rng(params.seed)
    n_turns = params.repeats * len(trials)
    with ThreadPoolExecutor(1) as caller:
        for turn in range(params.repeats):
            for done, place in enumerate(rng.permutation(len(trials))):
                trial = trials[place]
                result = replace(result, trials=tuple(trials))
                message = f"{trial.name} (round {turn + 1} of {params.repeats})"
                progress = Progress((turn * len(trials) + done) / n_turns, message, result)
                yield progress
                packing = partial(
                    write, codec=trial.codec, level=trial.level, dictionary=params.dictionary
                )
                if not trial.order_bytes:
                    files: dict[Order, pa.Buffer] = {}
                    for order in ORDERS:
                        files[order] = yield from beside(
                            caller, partial(packing, orders[order]), progress
                        )
                    trial = _with_orders(trial, files, params.order)
                    yield from beside(caller, partial(read, files[params.order]), progress)
                write_seconds, file = yield from beside(
                    caller, partial(timed, partial(packing, table)), progress
                )
                read_seconds, _ = yield from beside(
                    caller, partial(timed, partial(read, file)), progress
                )
                trial = replace(
                    trial,
                    write_seconds=(*trial.write_seconds, write_seconds),
                    read_seconds=(*trial.read_seconds, read_seconds),
                )
                trials[place] = trial
    return replace(result, trials=tuple(trials), complete=True)


def run(params: CodecsParams) -> CodecsResult:
    """Make every trial here and now."""
    result: CodecsResult = run_to_end(steps(params))
    return result
