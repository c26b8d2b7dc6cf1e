"""Skew clinic: a join on a Zipf key and five remedies, all run for real, ranked, and checked to
give the same answer.

Real: every task, byte and second is Spark's own (REST API). Limits: the tables are small, so
AQE's thresholds are lowered (visibly) from 256 MiB; one machine crosses no network, so a shuffle
costs less here than on a cluster.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pyarrow as pa

from engine.jobs import Progress, Steps, to_end
from engine.ranges import SEED, Choices, Params, Range
from engine.spark import keys, session, skew, tasks
from engine.spark.keys import Source
from engine.spark.partitioning import hash_partition
from engine.spark.restarts import repeat_if_spark_ends
from engine.spark.skew import PLAIN, REMEDIES, Remedy
from engine.units import format_bytes, format_factor, format_seconds, format_share

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

N_ROWS = (50_000, 100_000, 200_000, 500_000, 1_000_000)
SKEW_FACTOR = 3.0  # longest by median task
LONG_SECONDS = 0.1  # below it a factor says nothing
TINY_SECONDS = 0.05
IDLE_SHARE = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class SkewClinicParams(Params):
    """Which rows, which remedies, their knobs."""

    exponent: Annotated[float, Range(0, 3, step=0.1)] = 1.2  # of the Zipf key
    cures: Annotated[tuple[Remedy, ...], Choices(REMEDIES, least=0)] = REMEDIES  # named as in links
    n_partitions: Annotated[int, Range(2, 200)] = 16  # of the shuffle
    n_salts: Annotated[int, Range(2, 64)] = 8
    # AQE: a partition is skewed beyond it, and is split into pieces of it
    threshold_kb: Annotated[int, Range(16, 4_096, step=16)] = 64
    n_rows: Annotated[int, Range(10_000, N_ROWS[-1], options=N_ROWS)] = 200_000
    seed: Annotated[int, SEED] = 0

    @property
    def source(self) -> Source:
        """The rows with the Zipf key."""
        return Source("zipf", self.exponent, self.n_rows, self.seed)

    @property
    def asked(self) -> tuple[Remedy, ...]:
        """The remedies in their order; the plain join is always the first."""
        return tuple(remedy for remedy in REMEDIES if remedy == PLAIN or remedy in self.cures)


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that an experienced eye would see in the run, and the rule by which it was seen."""

    kind: str
    finding: str  # of this run
    rule: str


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One remedy, run."""

    remedy: Remedy
    trace: tasks.Trace
    answer: str  # digest of the sorted rows
    n_joined: int  # rows behind the sums

    @property
    def largest(self) -> int:
        """Rows of the largest task of the stage that joins; 0 where it reads no shuffle
        (broadcast).
        """
        joining = self.trace.widest if self.trace.reads_a_shuffle else []
        return max((task.n_rows_read for task in joining), default=0)

    @property
    def busy_share(self) -> float:
        """Share of the cores' time between the first start and the last end in which a task ran,
        0–1.
        """
        ran = self.trace.tasks
        span = max((t.start_seconds + t.seconds for t in ran), default=0.0)
        lanes = {(t.executor, t.lane) for t in ran}
        return sum(t.run_seconds for t in ran) / max(span * len(lanes), 1e-9)

    @property
    def alerts(self) -> list[Alert]:
        """Return what is unusual: skew, spill, tiny tasks, wasted cores."""
        found = []
        times = [task.run_seconds for task in self.trace.widest]
        if self.trace.unevenness > SKEW_FACTOR and max(times) > LONG_SECONDS:
            rule = (
                f"longest task of the join > {SKEW_FACTOR:g}× the median one, and >"
                f" {LONG_SECONDS * 1000:.0f} ms"
            )
            found.append(
                Alert(
                    "Skew",
                    f"{format_factor(self.trace.unevenness)} the median of {len(times)}",
                    rule,
                )
            )
        if self.trace.spill_bytes:
            found.append(
                Alert(
                    "Spill",
                    f"{format_bytes(self.trace.spill_bytes)} went to disk",
                    "spilled bytes > 0",
                )
            )
        if times and statistics.median(times) < TINY_SECONDS and len(times) > 8:
            finding = (
                f"half of {len(times)} take less than {format_seconds(statistics.median(times))}"
            )
            rule = (
                f"median task < {TINY_SECONDS * 1000:.0f} ms, about the cost of starting"
                " one, and more than 8 of them"
            )
            found.append(Alert("Tiny tasks", finding, rule))
        if self.busy_share < IDLE_SHARE:
            found.append(
                Alert(
                    "Wasted cores",
                    f"busy {format_share(self.busy_share)} of the time",
                    f"busy share < {format_share(IDLE_SHARE)}",
                )
            )
        return found


@dataclass(frozen=True, slots=True, eq=False)
class SkewClinicResult:
    """Every remedy as far as it has come."""

    params: SkewClinicParams
    outcomes: tuple[Outcome, ...]
    expected: str  # the answer's digest, computed by NumPy alone
    plain_largest: int  # rows of the largest partition by key, of the many rows
    salted_largest: int  # and by (key, salt)
    hot_share: float  # of the most frequent key, 0–1
    complete: bool = False

    @property
    def ranked(self) -> list[Outcome]:
        """The remedies, fastest first."""
        return sorted(self.outcomes, key=lambda outcome: outcome.trace.seconds)

    @property
    def alerts(self) -> list[str]:
        """Return one line for each kind of alert, for a page: the rule, and each remedy for
        which it fired.
        """
        fired: dict[tuple[str, str], list[str]] = {}
        for outcome in self.outcomes:
            for alert in outcome.alerts:
                fired.setdefault((alert.kind, alert.rule), []).append(
                    f"{outcome.remedy} ({alert.finding})"
                )
        return [
            f"**{kind}** · {', '.join(remedies)} :gray[Rule: {rule}.]"
            for (kind, rule), remedies in fired.items()
        ]

    def traces(self) -> dict[str, tasks.Trace]:
        """Return what ran for each remedy, in order."""
        return {outcome.remedy: outcome.trace for outcome in self.outcomes}

    @property
    def same_answers(self) -> bool:
        """Whether every remedy gave the rows that NumPy gives."""
        return all(outcome.answer == self.expected for outcome in self.outcomes)

    @property
    def salting_gain(self) -> float:
        """Rows of the largest partition without salt by those with it."""
        return self.plain_largest / self.salted_largest

    def outcome_of(self, remedy: Remedy) -> Outcome | None:
        """Return the outcome of a remedy if it has run."""
        return next((outcome for outcome in self.outcomes if outcome.remedy == remedy), None)

    @property
    def verdict(self) -> str:
        """Which remedy is fastest; before a run, the partition sizes that the hash predicts."""
        plain = self.outcome_of(PLAIN)
        if plain is None:
            p = self.params
            return (
                f"Not measured yet. Expected from the hash: the largest of {p.n_partitions}"
                f" partitions has **{self.plain_largest:,}** of {p.n_rows:,} rows; with"
                f" {p.n_salts} salts {self.salted_largest:,}."
            )
        best, took = self.ranked[0], format_seconds(plain.trace.seconds)
        if best.remedy == PLAIN:
            if len(self.outcomes) == 1:
                return f"The plain join takes {took}; its largest task has {plain.largest:,} rows."
            return f"The **plain join** is fastest ({took}): each remedy costs more than it saves."
        effect = (
            f"The largest task has {best.largest:,} rows, not {plain.largest:,}."
            if best.largest
            else f"No task of {plain.largest:,} rows is left: the large table is not shuffled."
        )
        factor = format_factor(plain.trace.seconds / best.trace.seconds)
        return (
            f"**{best.remedy}** is {factor} faster than the plain join:"
            f" {format_seconds(best.trace.seconds)} against {took}. {effect}"
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p = self.params
        mean = p.n_rows / p.n_partitions
        reasons = [
            f"**Skew:** the most frequent key has {format_share(self.hot_share)} of {p.n_rows:,}"
            f" rows. The largest partition is {format_factor(self.plain_largest / mean)} the mean.",
            f"**Salting** splits each key over {p.n_salts} salts: the largest partition has"
            f" {self.salted_largest:,} rows, not {self.plain_largest:,}.",
        ]
        aqe, salted, broadcast = (
            self.outcome_of(remedy) for remedy in ("AQE skew join", "salting", "broadcast")
        )
        if aqe is not None:
            reasons.append(
                f"**AQE** read the shuffle's sizes: {p.n_partitions} partitions became"
                f" {len(aqe.trace.widest)} tasks. Partitions over {p.threshold_kb} KiB were split."
            )
        if salted is not None:
            reasons[1] += (
                f" The price: {p.n_salts} copies of the small table, and"
                f" {format_bytes(salted.trace.shuffle_bytes)} of shuffle."
            )
        if broadcast is not None:
            reasons.append(
                "**Broadcast** sends the small table to each executor. Only the sums are shuffled:"
                f" {format_bytes(broadcast.trace.shuffle_bytes)}."
            )
        if self.outcomes:
            proof = (
                "the same rows as NumPy" if self.same_answers else "rows that DIFFER from NumPy's"
            )
            reasons.append(
                f"**Checked:** all {len(self.outcomes)} runs give {proof} (digest {self.expected})."
                " Each ran once after a warm-up run (not timed)."
            )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: no seconds."""
        return {
            "answer": self.expected,
            "largest partition by key": self.plain_largest,
            "largest partition by key and salt": self.salted_largest,
        }

    def table(self) -> pa.Table:
        """Return one row a task."""
        rows = [
            {
                "remedy": outcome.remedy,
                "stage": task.stage,
                "partition": task.index,
                "executor": task.executor,
                "core": task.lane,
                "start_seconds": task.start_seconds,
                "seconds": task.seconds,
                "rows_read": task.n_rows_read,
                "shuffle_read_bytes": task.shuffle_read_bytes,
                "shuffle_write_bytes": task.shuffle_write_bytes,
                "spill_bytes": task.spill_bytes,
            }
            for outcome in self.outcomes
            for task in outcome.trace.tasks
        ]
        return (
            pa.Table.from_pylist(rows) if rows else pa.table({"remedy": pa.array([], pa.string())})
        )

    def rows(self) -> list[dict[str, str]]:
        """Return one line per remedy for a table on the page, fastest first."""
        return [
            {
                "remedy": outcome.remedy,
                "seconds": f"{outcome.trace.seconds:.2f}",
                "longest / median task": f"{outcome.trace.unevenness:.1f}",
                "largest task, rows": f"{outcome.largest:,}" if outcome.largest else "none moved",
                "shuffle": format_bytes(outcome.trace.shuffle_bytes),
                "spill": format_bytes(outcome.trace.spill_bytes),
                "tasks": f"{len(outcome.trace.tasks)}",
                "answer": outcome.answer,
            }
            for outcome in self.ranked
        ]


@lru_cache(maxsize=16)
def expected_answer(source: Source) -> str:
    """Return the digest of the answer, by NumPy alone."""
    table = skew.facts(source)
    region = table["key"].to_numpy() % skew.N_REGIONS
    amounts = np.bincount(region, weights=table["amount"].to_numpy(), minlength=skew.N_REGIONS)
    counts = np.bincount(region, minlength=skew.N_REGIONS)
    rows = [
        (f"region {i}", int(amounts[i]), int(counts[i])) for i in range(skew.N_REGIONS) if counts[i]
    ]
    return skew.digest(sorted(rows))


@lru_cache(maxsize=16)
def preview(params: SkewClinicParams) -> SkewClinicResult:
    """Return what is known before Spark runs: partition sizes with and without salt, and the
    expected answer.
    """
    table = skew.facts(params.source)
    salt = pa.array(np.arange(table.num_rows) % params.n_salts, pa.int32())
    plain = np.bincount(hash_partition([table["key"]], params.n_partitions))
    salted = np.bincount(hash_partition([table["key"], salt], params.n_partitions))
    hot = keys.distinct(params.source, ("key",))["n_rows"][0].as_py() / table.num_rows
    return SkewClinicResult(
        params, (), expected_answer(params.source), int(plain.max()), int(salted.max()), hot
    )


def _run_remedy(live: SparkSession, params: SkewClinicParams, remedy: Remedy) -> Outcome:
    for key, value in skew.settings(remedy, params.n_partitions, params.threshold_kb).items():
        live.conf.set(key, value)
    action = skew.query(live, remedy, params.source, params.n_salts)
    answer, trace = tasks.traced(live, action)
    return Outcome(remedy, trace, skew.digest(answer), sum(row[2] for row in answer))


@repeat_if_spark_ends
def steps(params: SkewClinicParams) -> Steps:
    """Run every remedy; the result so far comes before each.

    Returns
    -------
    SkewClinicResult
        With ``complete`` set.

    Raises
    ------
    InputError
        No Spark to be had, or one without a SparkContext (Spark Connect).
    """
    result = preview(params)
    yield from session.begin("task list to draw", result)
    first = Progress(0.02, "warm-up run (not timed)", result)
    yield from session.act(partial(_run_remedy, params=params, remedy=PLAIN), first)
    for turn, remedy in enumerate(params.asked):
        progress = Progress(turn / len(params.asked), remedy, result)
        run_once = partial(_run_remedy, params=params, remedy=remedy)
        outcome = yield from session.act(run_once, progress)
        result = replace(result, outcomes=(*result.outcomes, outcome))
    return replace(result, complete=True)


TYPICAL_SECONDS = 25.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server's warm-up runs."""
    return steps, SkewClinicParams()


run: Callable[[SkewClinicParams], SkewClinicResult] = to_end(steps)
