"""A pipeline for 1 TB per day, drawn by choices: what it costs, how fresh it is, and what breaks
when rows are late or come twice.

Real: throughputs, sizes and faults are this machine's (``engine.practice.measures``). Assumed, and
adjustable on the page: prices, the memory and cores that can be rented, retention and the age that
readers accept. A projection: bytes are multiplied, nothing else changes; Spark's cost per byte
falls with the number of cores, without a network. Each rule is a function here with its case by
hand in ``tests/engine/practice/test_design.py``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from engine.errors import require
from engine.practice.measures import EngineFigures, FormatFigures, Measures
from engine.ranges import Choices, Params, Range
from engine.units import format_bytes, format_factor, format_number, format_seconds, format_share

Source = Literal["file per day", "query with a cursor", "change log (CDC)", "event stream"]
Load = Literal["append", "upsert", "overwrite partition", "delete-insert", "overwrite"]
Format = Literal["CSV", "JSON Lines", "Avro deflate", "Parquet snappy", "Parquet zstd"]
Partitioning = Literal["none", "by arrival day", "by event day", "by event day and customer"]
Engine = Literal["pandas", "Polars", "DuckDB", "Spark"]
Schedule = Literal["once a day", "every hour", "every 5 minutes"]
CHECKS = ("schema contract", "row counts", "unique keys", "value rules", "freshness alert")
RUNS = {"once a day": 1, "every hour": 24, "every 5 minutes": 288}  # per day
DAY = 86_400.0
WHOLE_FILE = 512e6  # bytes: a run writes no larger file
SMALL_FILE, TINY_FILE = 16e6, 1e6  # bytes: below them the cost of opening a file is most of it
MONTH = 30.0  # days
MUCH = 0.5  # relative error downstream that is worth a remark
FOLLOWUPS = Path(__file__).with_name("design.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignParams(Params):
    """The choices on the canvas, and the assumptions."""

    source: Source = "query with a cursor"
    load: Load = "append"
    format: Format = "CSV"
    partitioning: Partitioning = "none"
    engine: Engine = "pandas"
    schedule: Schedule = "once a day"
    checks: Annotated[tuple[str, ...], Choices(CHECKS, least=0)] = ()
    lookback_days: Annotated[int, Range(0, 14)] = 0  # earlier days that each run builds again
    tb_per_day: Annotated[float, Range(0.01, 100, options=(0.01, 0.1, 1.0, 5.0, 20.0))] = 1.0
    retention_days: Annotated[int, Range(1, 3_650, options=(30, 90, 365, 1_095))] = 365
    wanted_hours: Annotated[int, Range(1, 168, options=(1, 2, 6, 12, 36, 72))] = 36  # age accepted
    memory_gb: Annotated[int, Range(1, 24_000, options=(16, 64, 256, 1_024))] = 256  # one machine
    spark_cores: Annotated[int, Range(1, 10_000, options=(16, 64, 256, 1_000))] = 64
    customers: Annotated[int, Range(1, 1_000_000, options=(100, 1_000, 10_000))] = 1_000
    storage_price: Annotated[float, Range(0, 1_000, step=1, most=100)] = 23.0  # USD a TB and month
    core_price: Annotated[float, Range(0, 10, step=0.01, most=0.5)] = 0.05  # USD a core and hour

    @property
    def day_bytes(self) -> float:
        """Bytes of one day, as CSV."""
        return self.tb_per_day * 1e12

    @property
    def n_runs(self) -> int:
        """Runs per day."""
        return RUNS[self.schedule]

    @property
    def has_days(self) -> bool:
        """Whether the table is partitioned by a day."""
        return self.partitioning != "none"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from one choice. ``severity`` 0: a fact; 1: watch it; 2: wrong or expensive;
    3: it does not work.
    """

    rule: str
    choice: str  # the field that it follows from
    severity: int
    text: str
    sources: tuple[str, ...] = ()  # experiments whose figures are in the text


@dataclass(frozen=True, slots=True)
class Totals:
    """Bytes, seconds and money of a design; ``None`` where an experiment has not run."""

    stored_bytes: float | None  # one day, in the format
    processed_bytes: float  # per day, as CSV: new rows and rows built again
    busy_seconds: float | None  # of the engine, per day
    core_hours: float | None  # per day
    age_seconds: float | None  # of the oldest new row when readers get it
    storage_usd: float | None  # per month, with the retention time full
    compute_usd: float | None  # per month


def processed_bytes(p: DesignParams) -> float:
    """Return the bytes that all runs of a day process: rows that are new, and rows built again.

    Append, upsert and delete-insert take the new rows alone. Overwriting a partition builds the day
    so far again in each run, (runs + 1) / 2 days in all, and the lookback days in each. Overwriting
    the table builds all retained days in each run.
    """
    if p.load == "overwrite" or (p.load == "overwrite partition" and not p.has_days):
        return p.day_bytes * p.retention_days * p.n_runs
    if p.load == "overwrite partition":
        return p.day_bytes * ((p.n_runs + 1) / 2 + p.lookback_days * p.n_runs)
    return p.day_bytes


def totals(p: DesignParams, m: Measures) -> Totals:
    """Return the sums of a design."""
    form, engine = m.formats.get(p.format), m.engines.get(p.engine)
    processed = processed_bytes(p)
    stored = None if form is None else p.day_bytes * form.stored
    busy = None if engine is None else busy_seconds(p, engine, processed, m.cores)
    hours = None
    if busy is not None:
        hours = busy / 3_600 * (p.spark_cores if p.engine == "Spark" else m.cores)
    source_gap = DAY if p.source == "file per day" else 0.0
    return Totals(
        stored,
        processed,
        busy,
        hours,
        None if busy is None else max(source_gap, DAY / p.n_runs) + busy / p.n_runs,
        None if stored is None else stored * p.retention_days / 1e12 * p.storage_price,
        None if hours is None else hours * p.core_price * MONTH,
    )


def busy_seconds(p: DesignParams, engine: EngineFigures, processed: float, cores: int) -> float:
    """Return the seconds per day in which the engine works: its start in each run, and its measured
    cost of a byte, which for Spark is divided by the cores of the cluster.
    """
    each = engine.each_seconds * (cores / p.spark_cores if p.engine == "Spark" else 1)
    return p.n_runs * engine.start_seconds + processed * each


def consequences(p: DesignParams, m: Measures) -> list[Consequence]:
    """Return what follows from the choices, the worst first; of equal ones in the order of the
    rules.
    """
    found = [one for rule in RULES for one in rule(p, m)]
    return sorted(found, key=lambda one: -one.severity)


def _keeps_up(p: DesignParams, m: Measures) -> Iterator[Consequence]:
    busy = totals(p, m).busy_seconds
    if busy is None:
        return
    share, of = busy / DAY, ("spark.crossover",)
    if share > 1:
        backlog = format_bytes(p.day_bytes * (1 - 1 / share))
        text = (
            f"{p.engine} needs {format_seconds(busy)} for each day of data: it never catches up,"
            f" and the backlog grows by {backlog} per day."
        )
        yield Consequence("engine_slow", "engine", 3, text, of)
    else:
        reserve = " A rerun of one day has little room." if share > 0.5 else ""
        text = f"{p.engine} works {format_seconds(busy)} per day, {format_share(share)} of it."
        yield Consequence("engine_busy", "engine", int(share > 0.5), text + reserve, of)


def _memory(p: DesignParams, m: Measures) -> Iterator[Consequence]:
    engine = m.engines.get(p.engine)
    if engine is None or engine.memory is None or p.engine not in ("pandas", "Polars"):
        return
    whole = p.load == "overwrite" or (p.load == "overwrite partition" and not p.has_days)
    batch = p.day_bytes / p.n_runs
    if p.load == "overwrite partition" and not whole:
        batch = p.day_bytes * (1 + p.lookback_days)
    if whole:
        batch = p.day_bytes * p.retention_days
    needed = batch * engine.memory
    if needed > p.memory_gb * 1e9:
        text = (
            f"One run holds {format_bytes(needed)} in memory ({p.engine} needs"
            f" {format_factor(engine.memory)} the bytes of its input); the machine has"
            f" {format_bytes(p.memory_gb * 1e9)}. The run is killed."
        )
        yield Consequence("memory", "engine", 3, text, ("spark.crossover",))


def _rewrite(p: DesignParams, _: Measures) -> Iterator[Consequence]:
    factor = processed_bytes(p) / p.day_bytes
    if factor > 3:
        text = (
            f"Each row is processed {format_factor(factor)} on average: most of the compute builds"
            " rows again that have not changed."
        )
        yield Consequence("rewrite", "load", 2 if factor > 10 else 1, text)


def _fresh(p: DesignParams, m: Measures) -> Iterator[Consequence]:
    age = totals(p, m).age_seconds
    if age is None:
        return
    wanted = p.wanted_hours * 3_600
    text = (
        f"A row is up to {format_seconds(age)} old when readers get it; they accept"
        f" {format_seconds(wanted)}."
    )
    yield Consequence("freshness", "schedule", 2 * (age > wanted), text, ("spark.crossover",))
    if p.source == "file per day" and p.n_runs > 1:
        text = f"The source delivers once a day: {p.n_runs - 1} of {p.n_runs} runs find no new row."
        yield Consequence("idle_runs", "schedule", 1, text)


def _late(p: DesignParams, m: Measures) -> Iterator[Consequence]:
    if not m.late:
        return
    of, first = ("etl.late",), m.late[0]
    if p.partitioning == "by arrival day" and first:
        text = (
            f"Late rows are in the partition of the day they arrived: {format_share(first)} of the"
            " rows are in another day than the one they belong to."
        )
        yield Consequence("arrival_day", "partitioning", 2, text, of)
    if p.load != "overwrite partition" or not p.has_days:
        return
    if p.source != "file per day" and p.lookback_days == 0 and m.partial_lost is not None:
        text = (
            "The source delivers changes, not whole days: a few late rows replace a whole"
            f" partition. {format_share(m.partial_lost)} of the rows were lost that way."
        )
        yield Consequence("partial", "load", 3, text, ("etl.loads",))
        return
    missed = m.late[p.lookback_days]
    if missed and p.partitioning != "by arrival day":
        text = (
            f"With a lookback of {p.lookback_days} days, {format_share(missed)} of the rows are"
            f" never counted: {format_bytes(missed * p.day_bytes)} per day."
        )
        yield Consequence("late", "lookback_days", 2, text, of)


def _twice(p: DesignParams, m: Measures) -> Iterator[Consequence]:
    factor = m.repeated.get(p.load)
    if factor is None:
        return
    of = ("etl.loads",)
    if factor > 1:
        stopped = "unique keys" in p.checks
        end = " The unique check stops it, and somebody must repair the table." if stopped else ""
        text = (
            f"A run that is repeated leaves {format_factor(factor)} the rows: {p.load} is not"
            f" idempotent.{end}"
        )
        yield Consequence("twice", "load", 2 if stopped else 3, text, of)
    else:
        text = f"A run that is repeated changes nothing: {p.load} is idempotent."
        yield Consequence("repeatable", "load", 0, text, of)


def _deletes(p: DesignParams, m: Measures) -> Iterator[Consequence]:
    if p.source == "query with a cursor" and m.undeleted:
        text = (
            f"The cursor misses {format_share(m.undeleted)} of the deletes: rows that the source"
            " has deleted stay in the table."
        )
        yield Consequence("deletes", "source", 2, text, ("etl.change_capture",))


def _schema(p: DesignParams, m: Measures) -> Iterator[Consequence]:
    contract = "schema contract" in p.checks
    family = p.format.partition(" ")[0]
    wrong, of = m.silent.get(family, (0, 9))
    if wrong:
        end = " The contract stops the batch first." if contract else ""
        text = (
            f"{wrong} of {of} schema changes give wrong values in {family} without an error.{end}"
        )
        rule = Consequence("schema", "format", 1 if contract else 2, text, ("formats.evolution",))
        yield rule
    elif not contract:
        text = "A renamed or removed column is noticed by a reader first: no contract is checked."
        yield Consequence("contract", "checks", 1, text)


def files_of_day(p: DesignParams, stored: float) -> tuple[float, float]:
    """Return the number of files that a day leaves and the bytes of each: one for each run and
    partition, none larger than 512 MB.
    """
    parts = p.customers if p.partitioning == "by event day and customer" else 1
    n = max(p.n_runs * parts, stored / WHOLE_FILE)
    return n, stored / n


def _files(p: DesignParams, m: Measures) -> Iterator[Consequence]:
    stored = totals(p, m).stored_bytes
    form, of = m.formats.get(p.format), ("formats.race",)
    if not p.has_days:
        text = f"A question about one day reads all {p.retention_days} days"
        if stored is None or form is None:
            yield Consequence("no_partitions", "partitioning", 2, f"{text}.")
            return
        kept, seconds = stored * p.retention_days, form.scan_seconds * p.day_bytes
        text += f" ({format_bytes(kept)}): {format_seconds(seconds * p.retention_days)}"
        yield Consequence("no_partitions", "partitioning", 2, f"{text} on one process.", of)
    elif form is not None:
        yield _scan(p, form)
    if stored is not None and (size := files_of_day(p, stored)[1]) < SMALL_FILE:
        field = "partitioning" if p.partitioning == "by event day and customer" else "schedule"
        text = (
            f"Each day leaves {format_number(files_of_day(p, stored)[0])} files of"
            f" {format_bytes(size)}: opening them costs more than reading. Compact them."
        )
        yield Consequence("small_files", field, 1 + (size < TINY_FILE), text, of)


def _scan(p: DesignParams, form: FormatFigures) -> Consequence:
    seconds = form.scan_seconds * p.day_bytes
    text = (
        f"A question about one day and {format_share(form.scanned)} of the columns takes"
        f" {format_seconds(seconds)} on one process, in {p.format}."
    )
    return Consequence(
        "scan", "format", int(p.format in ("CSV", "JSON Lines")), text, ("formats.race",)
    )


def _quality(p: DesignParams, m: Measures) -> Iterator[Consequence]:
    of = ("etl.quality",)
    if "value rules" not in p.checks and m.wrong_open is not None:
        text = (
            "No value rules: a faulty batch is published. The worst number downstream is off by"
            f" {_off(m.wrong_open)}."
        )
        yield Consequence("no_rules", "checks", 2, text, of)
    elif m.wrong_gate is not None:
        text = (
            "Value rules quarantine what they see. A fault inside the allowed range passes: the"
            f" worst number is still off by {_off(m.wrong_gate)}."
        )
        yield Consequence("rules", "checks", int(m.wrong_gate > MUCH), text, of)


def _off(error: float) -> str:
    """Return a relative error as people say it: ``"23%"``, ``"29× its value"``."""
    return format_share(error) if error < 1 else f"{format_factor(error)} its value"


def _unseen(p: DesignParams, _: Measures) -> Iterator[Consequence]:
    if "row counts" not in p.checks:
        text = "Nobody compares row counts with the source: lost rows are found by readers."
        yield Consequence("no_counts", "checks", 1, text)
    if "freshness alert" not in p.checks:
        text = "A run that never started raises no error, and no alert on freshness is set."
        yield Consequence("no_freshness", "checks", 1, text)


Rule = Callable[[DesignParams, Measures], Iterator[Consequence]]
RULES: tuple[Rule, ...] = (
    _twice,
    _keeps_up,
    _memory,
    _late,
    _deletes,
    _quality,
    _schema,
    _files,
    _fresh,
    _rewrite,
    _unseen,
)


@lru_cache(maxsize=1)
def followups() -> dict[str, tuple[str, str]]:
    """Return the follow-up question and a short answer for each rule, and for ``none``.

    Raises
    ------
    InputError
        An entry of ``design.toml`` lacks one of them.
    """
    content = tomllib.loads(FOLLOWUPS.read_text(encoding="utf-8"))
    for rule, entry in content.items():
        fits = isinstance(entry, dict) and set(entry) == {"text", "answer"}
        require(fits, "{} [{}]: must have text and answer.", FOLLOWUPS.name, rule)
    return {rule: (entry["text"], entry["answer"]) for rule, entry in content.items()}


def weakest(found: list[Consequence]) -> Consequence | None:
    """Return the worst consequence, ``None`` where none needs a remark."""
    return found[0] if found and found[0].severity else None
