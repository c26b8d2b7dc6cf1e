"""What a run made, stage by stage, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from engine.pipeline.flow.params import FlowParams
from engine.pipeline.records import Run, StageRecord
from engine.pipeline.stages import STAGES
from engine.units import (
    format_bytes,
    format_interval,
    format_number,
    format_seconds,
    format_share,
    format_signed,
)

DIGEST_DIGITS = 8  # of the content hash on a page


@dataclass(frozen=True, slots=True)
class Hop:
    """One stage as it is drawn: ``record`` is ``None`` until it is over."""

    name: str
    title: str
    needs: tuple[str, ...]
    record: StageRecord | None
    share: float | None  # done in 0–1 while it is at work

    @property
    def state(self) -> str:
        """``waiting``, ``running``, ``done``, ``kept`` or ``failed``."""
        if self.record is not None:
            return self.record.state
        return "waiting" if self.share is None else "running"

    @property
    def note(self) -> str:
        """Rows, bytes, seconds and content hash in one line."""
        if self.record is None:
            return "waiting" if self.share is None else f"running, {format_share(self.share)}"
        if self.record.state == "failed":
            return "failed"
        one = self.record
        rows = f"{format_number(one.n_in)} → {format_number(one.n_out)}"
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
        made = {record.stage: record for record in self.run.stages} if self.run else {}
        return [
            Hop(
                stage.name,
                stage.title,
                stage.needs,
                made.get(stage.name),
                self.share if stage.name == self.at_work else None,
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

    def details(self, stage: str) -> dict[str, Any]:
        """Return a stage's own numbers, empty until it is over."""
        record = self.run.stage(stage) if self.run else None
        return record.details if record else {}

    @property
    def verdict(self) -> str:
        """What the run says, the title of the first chart."""
        failed = next((one for one in self.records if one.state == "failed"), None)
        if failed is not None:
            return f"**{failed.stage} failed**; everything stored before is whole."
        if not self.complete:
            n = len(self.records)
            return f"**{n} of {len(STAGES)} stages** are over."
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
            return [f"{hop.title}: {hop.note}." for hop in self.hops if hop.record]
        scores, decision = self.details("train"), self.details("register")
        low, high = scores["gain_interval"]
        named = [
            f"{n:,} rows: {why}." for record in self.records for why, n in record.dropped.items()
        ]
        verb = "is registered" if decision["registered"] else "is not registered"
        return [
            *named,
            f"Gain over the {decision['rival']}: {format_signed(decision['gain'])} AUC"
            f" ({format_interval(low, high)} over the schedule; whole days resampled)."
            f" The model {verb}: the interval must lie above 0.",
            f"With the departure delay, known only afterwards, AUC would be"
            f" {scores['leaky']['auc']:.3f}: a leak. That model is never registered.",
            f"{format_share(self.details('serve')['skewed_shares']['temp'])} of the served"
            " temperatures differ from training: the online store is filled once an hour.",
        ]

    def headline(self) -> dict[str, Any]:
        """Return the numbers that the script reproduces."""
        found: dict[str, Any] = {f"{one.stage} out": one.n_out for one in self.records}
        found["without a reason"] = self.n_unexplained
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


def reasons(record: StageRecord | None) -> str:
    """Return what a stage dropped and why, in one line."""
    if record is None or record.state == "failed":
        return record.error if record else ""
    parts = [f"{n:,}: {why}" for why, n in record.dropped.items()]
    unexplained = record.count.n_unexplained
    return "; ".join([*parts, *([f"{unexplained:,} without a reason"] if unexplained else [])])
