"""What a run made, stage by stage, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from engine.pipeline.compare import flatten
from engine.pipeline.flow.counts import expected_counts
from engine.pipeline.flow.params import FlowParams
from engine.pipeline.records import Count, Run, StageRecord
from engine.pipeline.stages import STAGES
from engine.units import (
    format_bytes,
    format_interval,
    format_number,
    format_seconds,
    format_share,
    format_signed,
)

DIGEST_DIGITS, FACT_DIGITS = 6, 16  # of the content hash on a chart, in a table
UNEXPLAINED = "without a reason"


@dataclass(frozen=True, slots=True)
class Hop:
    """One stage as it is drawn: ``record`` is ``None`` until it is over."""

    name: str
    title: str
    needs: tuple[str, ...]
    record: StageRecord | None
    share: float | None  # done in 0–1 while it is at work
    expected: Count  # from the source alone

    @property
    def state(self) -> str:
        """``waiting``, ``running``, ``done``, ``kept`` or ``failed``."""
        if self.record is not None:
            return self.record.state
        return "waiting" if self.share is None else "running"

    @property
    def n_unexplained(self) -> int:
        """Rows that are neither passed on nor dropped for a reason."""
        return self.record.count.n_unexplained if self.record else 0

    @property
    def note(self) -> str:
        """Rows, bytes, seconds and content hash in one line."""
        if self.record is None:
            at_work = "waiting" if self.share is None else f"running, {format_share(self.share)}"
            return f"{at_work} · expected {in_and_out(self.expected)}"
        if self.record.state == "failed":
            return "failed"
        one = self.record
        rows = in_and_out(one.count)
        if self.n_unexplained:
            rows = f"⚠ {format_number(self.n_unexplained)} {UNEXPLAINED} · {rows}"
        size, seconds = format_bytes(one.n_bytes), format_seconds(one.seconds)
        return f"{rows} · {size} · {seconds} · {one.digest[:DIGEST_DIGITS]}"


@dataclass(frozen=True, slots=True, eq=False)
class FlowResult:
    """A run, or as much of it as there is; without a ``run`` the stages before they begin."""

    params: FlowParams
    run: Run | None
    at_work: str = ""  # name of the stage at work
    share: float = 0.0  # of it done, 0–1

    @property
    def complete(self) -> bool:
        """Whether every stage is over."""
        return self.run is not None and self.run.state == "done"

    @property
    def hops(self) -> list[Hop]:
        """Every stage in order."""
        made = {record.stage: record for record in self.records}
        expected = expected_counts(self.params.pipeline)
        return [
            Hop(
                stage.name,
                stage.title,
                stage.needs,
                made.get(stage.name),
                self.share if stage.name == self.at_work else None,
                expected[stage.name],
            )
            for stage in STAGES
        ]

    @property
    def records(self) -> list[StageRecord]:
        """The stages that are over."""
        return list(self.run.stages) if self.run else []

    @property
    def n_unexplained(self) -> int:
        """Rows that a stage neither passed on nor dropped for a reason."""
        return sum(abs(record.count.n_unexplained) for record in self.records)

    @property
    def n_dropped(self) -> int:
        """Rows that stages dropped for a reason."""
        return sum(sum(record.dropped.values()) for record in self.records)

    @property
    def n_affected(self) -> int:
        """Stages that read a setting which is not the default, or what such a stage made."""
        mine, default = self.params.pipeline, FlowParams().pipeline
        affected: set[str] = set()
        for stage in STAGES:  # in order: a stage comes after those that it needs
            reads = {getattr(mine, name) != getattr(default, name) for name in stage.settings}
            if True in reads or affected & {*stage.needs}:
                affected.add(stage.name)
        return len(affected)

    @property
    def gain(self) -> float:
        """AUC of the model less that of the schedule alone, on the compared days."""
        return float(self.details("train")["gain"])

    def details(self, stage: str) -> dict[str, Any]:
        """Return a stage's own numbers, empty until it is over."""
        record = self.run.stage(stage) if self.run else None
        return record.details if record else {}

    @property
    def verdict(self) -> str:
        """What the run says, the title of the first chart."""
        failed = next((one for one in self.records if one.state == "failed"), None)
        if failed is not None:
            return f"**{failed.stage} failed**. Everything stored before is whole."
        if not self.complete:
            n, gone = len(self.records), self.hops[4].expected
            return (
                f"**{n} of {len(STAGES)} stages** are done. Expected: {gone.n_in:,} flights in,"
                f" {sum(gone.dropped.values()):,} of them never arrive and have no answer."
            )
        rows = (
            "every dropped row has a reason"
            if not self.n_unexplained
            else f"**{self.n_unexplained:,} rows dropped without a reason**"
        )
        scores = self.details("train")
        model, schedule = scores["model"]["auc"], scores["baseline"]["auc"]
        return (
            f"{self.records[0].n_in:,} flights in, {rows}; AUC **{model:.3f}** against"
            f" {schedule:.3f} for the schedule alone."
        )

    @property
    def why(self) -> list[str]:
        """The reasons, with this run's numbers."""
        if not self.complete:
            done = [f"**{hop.title}**: {hop.note}." for hop in self.hops if hop.record]
            return [
                "**Expected rows** (pale) are counted in the source: flights, flights that never"
                " arrived, flights of the served day. The quality gate may drop more.",
                *done[-4:],
            ]
        scores, decision = self.details("train"), self.details("register")
        low, high = decision["gain_interval"]
        verb = "is registered" if decision["registered"] else "is not registered"
        named = [
            f"**{n:,} rows**: {why}."
            for record in self.records
            for why, n in record.dropped.items()
            if n
        ]
        return [
            *named[:3],
            f"**The model {verb}.** Its AUC gain over the {decision['rival']} is"
            f" {format_signed(decision['gain'])} ({format_interval(low, high)}, whole days"
            " resampled).",
            f"**A leak**: with the departure delay, known only afterwards, AUC is"
            f" {scores['leaky']['auc']:.3f}. That model is never registered.",
            f"**Skew**: {format_share(self.details('serve')['skewed_shares']['temp'])} of the"
            " served temperatures differ from training.",
        ]

    def headline(self) -> dict[str, Any]:
        """Return the numbers that the script reproduces."""
        found: dict[str, Any] = {f"{one.stage} out": one.n_out for one in self.records}
        found[UNEXPLAINED] = self.n_unexplained
        scores = self.details("train")
        for name in ("model", "baseline"):
            if scores:
                found[f"AUC {name}"] = round(scores[name]["auc"], 4)
        return found

    def table(self) -> pa.Table:
        """Return one row for each stage."""
        rows = [
            {
                "stage": hop.title,
                "state": hop.state,
                "rows in": hop.record.n_in if hop.record else None,
                "rows out": hop.record.n_out if hop.record else None,
                "dropped": reasons(hop.record),
                "bytes": hop.record.n_bytes if hop.record else None,
                "seconds": round(hop.record.seconds, 3) if hop.record else None,
                "content": hop.record.digest[:DIGEST_DIGITS] if hop.record else "",
            }
            for hop in self.hops
        ]
        return pa.Table.from_pylist(rows)

    def facts(self, title: str) -> list[dict[str, str]]:
        """Return one row for each thing that is known of a stage: what made it, then its own
        numbers.
        """
        (stage,) = [one for one in STAGES if one.title == title]
        record = self.run.stage(stage.name) if self.run else None
        if self.run is None or record is None:
            return []
        given = {name: self.run.params[name] for name in stage.settings}
        named = {
            "state": record.error or record.state,
            "stored": f"{format_bytes(record.n_bytes)} in {format_seconds(record.seconds)}",
            "content": record.digest[:FACT_DIGITS],
            **{f"from {name}": made[:FACT_DIGITS] for name, made in record.inputs.items()},
            **{f"setting {name}": value for name, value in flatten(given).items()},
            **flatten(record.details),
        }
        return [{"what": as_words(what), "value": shown(value)} for what, value in named.items()]


def in_and_out(count: Count) -> str:
    """Return rows in → out, one number where they are the same."""
    rows = [format_number(n) for n in dict.fromkeys((count.n_in, count.n_out))]
    return " → ".join(rows)


def as_words(name: str) -> str:
    """Return a path of names as words."""
    return name.replace(".", " · ").replace("_", " ")


def shown(value: Any) -> str:
    """Return a plain value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return format_number(value, 0 if isinstance(value, int) else 3)
    return "none" if value in ([], {}) else str(value)


def reasons(record: StageRecord | None) -> str:
    """Return what a stage dropped and why, in one line."""
    if record is None or record.state == "failed":
        return record.error if record else ""
    parts = [f"{n:,}: {why}" for why, n in record.dropped.items() if n]
    unexplained = record.count.n_unexplained
    return "; ".join([*parts, *([f"{unexplained:,} {UNEXPLAINED}"] if unexplained else [])])
