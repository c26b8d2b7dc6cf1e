"""What the quality gate is asked for, what each rule found and the effect, in numbers and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import numpy as np
import pyarrow as pa

from engine.errors import require
from engine.etl import rules as quality_rules
from engine.etl.contracts import TableName
from engine.etl.faults import Batch, Fault
from engine.etl.quality.downstream import Metric
from engine.etl.rules import Contract
from engine.ranges import SEED, Params, Range, Text
from engine.units import format_share

Gate = Literal["off", "quarantine", "stop"]
GATES: tuple[Gate, ...] = get_args(Gate)
MAX_RULES = 4_000  # characters
MAX_REASONS = 3  # failed rules that are explained
BATCH_KINDS = ("volume", "hours", "drift")  # of rules on the batch as a whole


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityParams(Params):
    """The batch, its injected fault, what the gate does, and its rules."""

    table: TableName = "weather"
    fault: Fault = "range"
    dose: Annotated[float, Range(0.0, 0.5, step=0.01)] = 0.05  # of the rows
    gate: Gate = "quarantine"
    # of the rows; with more in quarantine the gate stops
    max_quarantined: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.2
    first_day: Annotated[int, Range(1, 364, most=337)] = 39  # of 2013
    n_days: Annotated[int, Range(1, 28)] = 14
    rules: Annotated[str, Text(MAX_RULES)] = ""  # TOML; without any the table's own contract
    seed: Annotated[int, SEED] = 0  # of the corrupted rows

    def check_together(self) -> None:
        """Raise ``InputError`` where the days would reach into the next year."""
        last = 365 - self.n_days
        rule = "first_day must be 1–{} for {} days. Got {}."
        require(self.first_day <= last, rule, last, self.n_days, self.first_day)

    @property
    def fault_rate(self) -> float:
        """``dose`` by the name that it has on the page: links keep the older one."""
        return self.dose

    @property
    def contract(self) -> Contract:
        """The rules, read; an ``InputError`` says what is wrong with them."""
        return quality_rules.parse(self.table, self.rules)


@dataclass(frozen=True, slots=True, eq=False)
class CheckOutcome:
    """What one rule found."""

    text: str
    kind: str
    severity: str  # quarantine, warn or stop (of the batch as a whole)
    rows: np.ndarray  # places of the rows that break it; empty for a rule on the batch
    n_real: int
    n_injected: int
    failed: bool
    n_otherwise: int | None = None  # of unique: rows with nulls taken the other way, if it matters


@dataclass(frozen=True, slots=True, eq=False)
class QualityResult:
    """The batch, each rule's outcome, what the gate did and the numbers downstream."""

    params: QualityParams
    batch: Batch
    checks: tuple[CheckOutcome, ...]
    quarantined: np.ndarray  # (n,) bool
    metrics: tuple[Metric, ...]

    @property
    def n_rows(self) -> int:
        """Rows of the batch as it arrived."""
        return len(self.quarantined)

    @property
    def n_quarantined(self) -> int:
        """Rows that break a rule that quarantines."""
        return int(self.quarantined.sum())

    @property
    def n_injected(self) -> int:
        """Rows with the injected fault (volume: rows cut off)."""
        return int(self.batch.injected.sum()) + self.batch.n_cut

    @property
    def n_real_faults(self) -> int:
        """Rows in quarantine that were not injected: the data's own faults."""
        return int((self.quarantined & ~self.batch.injected).sum())

    @property
    def n_caught(self) -> int:
        """Injected rows in quarantine; all of them if a rule on the batch stops it."""
        if self.params.fault in ("volume", "drift") and self._batch_rule_failed(self.params.fault):
            return self.n_injected
        return int((self.quarantined & self.batch.injected).sum())

    @property
    def caught_share(self) -> float:
        """Share of the injected rows that are caught, 0–1; 1 without any."""
        return self.n_caught / self.n_injected if self.n_injected else 1.0

    @property
    def n_unseen(self) -> int:
        """Injected rows that no rule catches."""
        return self.n_injected - self.n_caught

    def _batch_rule_failed(self, kind: str) -> bool:
        return any(check.failed for check in self.checks if check.kind == kind)

    @property
    def stops(self) -> str:
        """Why nothing is loaded; empty if something is."""
        if self.params.gate == "off":
            return ""
        broken = [check.text for check in self.checks if check.severity == "stop" and check.failed]
        if broken:
            return broken[0]
        share = self.n_quarantined / max(1, self.n_rows)
        if self.params.gate == "stop" and self.n_quarantined:
            return f"{self.n_quarantined:,} rows break a rule"
        if share > self.params.max_quarantined:
            return (
                f"{format_share(share)} of the rows break a rule, more than"
                f" {format_share(self.params.max_quarantined)}"
            )
        return ""

    @property
    def n_loaded(self) -> int:
        """Rows that go downstream."""
        if self.params.gate == "off":
            return self.n_rows
        return 0 if self.stops else self.n_rows - self.n_quarantined

    @property
    def worst_error(self) -> float:
        """Largest relative error of a downstream number with this gate, 0 …; 0 if nothing is
        loaded, 1 for an exception.
        """
        return (
            max((metric.error(self.params.gate) for metric in self.metrics), default=0.0)
            if self.n_loaded
            else 0.0
        )

    @property
    def worst_error_open(self) -> float:
        """The same without a gate."""
        return max((metric.error("off") for metric in self.metrics), default=0.0)

    @property
    def verdict(self) -> str:
        """Share of the faults that the rules catch, and the worst error downstream."""
        own = f"{self.n_real_faults:,} real fault{'s' * (self.n_real_faults != 1)}"
        caught = (
            f"The rules catch **{format_share(self.caught_share)}** of {self.n_injected:,} injected"
            " faults"
            if self.n_injected
            else f"The rules find **{own}**"
        )
        if self.stops:
            return f"The gate **stops** the batch: {self.stops}. {caught}."
        if self.params.gate == "off":
            return (
                f"Gate off: “{self._worst('off')}” downstream is"
                f" **{format_share(self.worst_error_open)} wrong**. {caught}."
            )
        return (
            f"{caught}; {self.n_quarantined:,} of {self.n_rows:,} rows quarantined. Worst number"
            f" downstream: {self._worst('quarantine')}, **{format_share(self.worst_error)}** wrong"
            f" ({format_share(self.worst_error_open)} without the gate)."
        )

    def _worst(self, gate: str) -> str:
        return max(self.metrics, key=lambda metric: metric.error(gate)).name

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        reasons = [f"**The batch**: {self.n_rows:,} rows; {self.batch.description}."]
        failed = [check for check in self.checks if check.failed]
        failed.sort(key=lambda check: (check.severity != "stop", -len(check.rows)))
        reasons += [_reason(check) for check in failed[:MAX_REASONS]]
        if len(failed) > MAX_REASONS:
            reasons.append(f"{len(failed) - MAX_REASONS} more rules failed; the chart has them.")
        if self.n_unseen:
            reasons.append(
                f"**{self.n_unseen:,} injected rows pass every rule**: their values are wrong but"
                " possible. Only a rule on the distribution can see many of them together."
            )
        reasons += [
            _nulls_reason(self.params.contract.unique_nulls, check)
            for check in self.checks
            if check.n_otherwise is not None
        ]
        exception = next((metric for metric in self.metrics if metric.exception), None)
        if exception:
            reasons.append(
                f"**Without a gate** the query “{exception.name}” fails: {exception.exception}"
            )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        numbers: dict[str, int | float | str] = {
            "n_rows": self.n_rows,
            "n_quarantined": self.n_quarantined,
        }
        numbers |= {
            check.text: len(check.rows) for check in self.checks if check.kind not in BATCH_KINDS
        }
        return numbers

    def reasons(self, limit: int = 200) -> pa.Table:
        """Return the rows in quarantine with their reasons, at most ``limit``."""
        places = np.flatnonzero(self.quarantined)[:limit]
        broken: dict[int, list[str]] = {int(place): [] for place in places}
        for check in self.checks:
            if check.severity == "quarantine":
                for place in np.intersect1d(check.rows, places).tolist():
                    broken[place].append(check.text)
        rows = self.batch.table.take(pa.array(places))
        rows = rows.add_column(
            0, "reason", pa.array(["; ".join(texts) for texts in broken.values()], pa.string())
        )
        return rows.add_column(1, "injected", pa.array(self.batch.injected[places]))

    def table(self) -> pa.Table:
        """Return one row for each rule."""
        return pa.table(
            {
                "rule": [check.text for check in self.checks],
                "kind": [check.kind for check in self.checks],
                "severity": [check.severity for check in self.checks],
                "failed": [check.failed for check in self.checks],
                "n_real": [check.n_real for check in self.checks],
                "n_injected": [check.n_injected for check in self.checks],
            }
        )


def _nulls_reason(nulls: quality_rules.Nulls, check: CheckOutcome) -> str:
    found, other = len(check.rows), check.n_otherwise
    equal, distinct = (found, other) if nulls == "equal" else (other, found)
    wish = "distinct" if nulls == "equal" else "equal"
    return (
        f"**Nulls in unique**: {equal:,} rows break it with nulls equal (pandera, `GROUP BY`),"
        f" {distinct:,} with nulls distinct (SQL `UNIQUE`, dbt `unique`). To change it, write"
        f' `unique_nulls = "{wish}"` under `[table]`.'
    )


def _reason(check: CheckOutcome) -> str:
    if check.severity == "quarantine":
        return (
            f"“{check.text}”: {check.n_injected:,} injected and {check.n_real:,} real rows are"
            " quarantined with this reason."
        )
    if check.kind == "hours":
        return f"{check.text}. This only warns: missing rows cannot be quarantined."
    if check.severity == "warn":
        return (
            f"“{check.text}”: {len(check.rows):,} rows. This only warns: the other table is behind,"
            " the row is right."
        )
    return f"{check.text}: a rule on the whole batch, so nothing is loaded."
