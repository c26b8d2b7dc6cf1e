"""The quality gate: pandera holds a batch to its contract; rows that break a rule wait with the
reason, or nothing passes.

Real: the tables with their own faults (a wind of 1,048 mph, hours that are missing, planes that are
not there), pandera's verdict on each row, and the downstream queries, which DuckDB runs on what the
gate lets through (or their exception). Injected: one kind of fault with a dose
(``engine.etl.faults``). Simplified: one batch, one gate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import pyarrow as pa

from engine.errors import require, require_choice
from engine.etl import faults, flight_days
from engine.etl import rules as quality_rules
from engine.etl.faults import FAULTS, Batch, Fault
from engine.etl.quality.downstream import Metric, answers, measure, typed
from engine.etl.rules import TABLES, Contract, TableName

__all__ = [
    "FAULTS",
    "GATES",
    "TABLES",
    "CheckOutcome",
    "QualityParams",
    "QualityResult",
    "batch_of",
    "check",
    "run",
]

Gate = Literal["off", "quarantine", "stop"]
GATES: tuple[Gate, ...] = get_args(Gate)
MAX_RULES = 4_000  # characters
BATCH_KINDS = ("volume", "hours", "drift")  # of rules on the batch as a whole


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityParams:
    """The batch, what is wrong with it, what the gate does, and its rules."""

    table: TableName = "weather"
    fault: Fault = "range"
    dose: float = 0.05  # of the rows, 0 … 0.5
    gate: Gate = "quarantine"
    max_quarantined: float = 0.2  # of the rows; with more in quarantine the gate stops, 0 … 1
    first_day: int = 39  # of 2013, 1 … 365
    n_days: int = 14  # 1 … 28
    rules: str = ""  # TOML; without any the built-in contract of the table
    seed: int = 0  # of the rows struck

    def __post_init__(self) -> None:
        require_choice("table", self.table, TABLES)
        require_choice("fault", self.fault, FAULTS)
        require_choice("gate", self.gate, GATES)
        require(0 <= self.dose <= 0.5, "dose must be 0 … 0.5. Got {}.", self.dose)
        require(
            0 <= self.max_quarantined <= 1,
            "max_quarantined must be 0 … 1. Got {}.",
            self.max_quarantined,
        )
        require(1 <= self.n_days <= 28, "n_days must be 1 … 28. Got {}.", self.n_days)
        last = 365 - self.n_days
        require(
            1 <= self.first_day <= last,
            "first_day must be 1 … {} for {} days. Got {}.",
            last,
            self.n_days,
            self.first_day,
        )
        require(
            len(self.rules) <= MAX_RULES,
            "rules must be at most {:,} characters. Got {:,}.",
            MAX_RULES,
            len(self.rules),
        )
        require(0 <= self.seed < 2**31, "seed must be 0 … 2,147,483,647. Got {}.", self.seed)

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


@dataclass(frozen=True, slots=True, eq=False)
class QualityResult:
    """The batch, each rule's outcome, what the gate did and what is seen downstream."""

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
        """Rows struck by the injected fault (volume: rows cut off)."""
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
        """Injected rows that no rule sees."""
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
                f"{share:.1%} of the rows break a rule, more than {self.params.max_quarantined:.0%}"
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
    def wind_decimals_caught(self) -> float:
        """Share caught of the misplaced decimal points in the wind; 0 for another table or fault."""
        return (
            self.caught_share
            if (self.params.table, self.params.fault) == ("weather", "range") and self.n_injected
            else 0.0
        )

    @property
    def harmless_at_a_fifth(self) -> bool:
        """Whether flights with a fifth of their rows struck are loaded, and no number downstream is
        more than 1 % wrong.
        """
        struck = (
            self.params.table == "flights"
            and self.params.fault != "none"
            and self.params.dose >= 0.2
        )
        return struck and self.n_loaded > 0 and self.worst_error <= 0.01

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        open_ = self._worst("off")
        own = f"{self.n_real_faults:,} real fault{'s' * (self.n_real_faults != 1)}"
        if self.n_injected:
            found = (
                f"The rules catch **{self.caught_share:.0%}** of {self.n_injected:,} injected"
                f" faults and {own}"
            )
        else:
            found = f"Nothing is injected; the rules find **{own}**"
        if self.stops:
            return (
                f"{found}; the gate **stops** the batch ({self.stops}): downstream keeps the last"
                " batch's numbers."
            )
        if self.params.gate == "off":
            return (
                f"{found}, but the gate is off: “{open_}” downstream is"
                f" **{_percent(self.worst_error_open)}** wrong."
            )
        return (
            f"{found}: {self.n_quarantined:,} of {self.n_rows:,} rows wait in quarantine."
            f" Downstream, “{self._worst('quarantine')}” is worst, **{_percent(self.worst_error)}**"
            f" wrong; without a gate “{open_}”, {_percent(self.worst_error_open)}."
        )

    def _worst(self, gate: str) -> str:
        return max(self.metrics, key=lambda metric: metric.error(gate)).name

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        reasons = [
            f"What was done to the batch of {self.n_rows:,} rows: {self.batch.told}. The rest is as"
            " it was recorded."
        ]
        for outcome in self.checks:
            if outcome.failed and outcome.severity == "quarantine":
                reasons.append(
                    f"“{outcome.text}”: {outcome.n_injected:,} injected and {outcome.n_real:,} real"
                    " rows break it and wait in quarantine with this reason."
                )
            elif outcome.failed and outcome.kind == "hours":
                reasons.append(
                    f"{outcome.text}. It only warns: rows that are not there cannot be set aside."
                )
            elif outcome.failed and outcome.severity == "warn":
                reasons.append(
                    f"“{outcome.text}”: {len(outcome.rows):,} rows break it. It only warns: the"
                    " other table is behind, and the row itself is right."
                )
            elif outcome.failed:
                reasons.append(
                    f"{outcome.text}: a rule on the batch as a whole; no row is to blame, so"
                    " nothing passes."
                )
        if self.n_unseen:
            reasons.append(
                f"{self.n_unseen:,} injected rows keep every rule: a value that is wrong and"
                " possible is seen by no limit. A rule on the distribution sees many of them at"
                " once, none of them alone."
            )
        errors = [metric for metric in self.metrics if metric.exception]
        reasons += [
            f"Downstream, “{metric.name}” without a gate: {metric.exception}"
            for metric in errors[:1]
        ]
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
        told: dict[int, list[str]] = {int(place): [] for place in places}
        for check in self.checks:
            if check.severity == "quarantine":
                for place in np.intersect1d(check.rows, places).tolist():
                    told[place].append(check.text)
        rows = self.batch.table.take(pa.array(places))
        rows = rows.add_column(
            0, "reason", pa.array(["; ".join(texts) for texts in told.values()], pa.string())
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


def _percent(error: float) -> str:
    return f"{error:,.0%}" if error >= 0.1 or error == 0 else f"{error:.1%}"


@lru_cache(maxsize=32)
def batch_of(
    table: TableName, fault: Fault, dose: float, first_day: int, n_days: int, seed: int
) -> Batch:
    """Return the batch of some days with the fault injected."""
    return faults.inject(table, faults.real(table, first_day, n_days), fault, dose, seed)


def check(contract: Contract, table: pa.Table) -> dict[str, np.ndarray]:
    """Hold a batch to the row rules with pandera; return the places of the rows that break each
    rule.
    """
    from engine.etl import gate as quality_gate

    frame = table.select(contract.names).to_pandas()
    rows = quality_gate.broken(
        contract.rules, list(contract.unique), quality_rules.known(contract), frame
    )
    return {
        text: np.array(sorted(rows.get(text, ())), np.int64)
        for text in quality_rules.texts(contract)
    }


def _batch_rules(
    contract: Contract, table: pa.Table, params: QualityParams
) -> list[tuple[str, str, bool]]:
    """Return (text, kind, failed) of the rules on the batch as a whole."""
    days = 1 if contract.table == "planes" else params.n_days
    rules = []
    for key, limits in (("rows a day", contract.rows_a_day), ("rows", contract.rows)):
        if limits is not None:
            n = len(table) / (days if key == "rows a day" else 1)
            rules.append(
                (
                    f"{key} must be {limits[0]:,} … {limits[1]:,}: {n:,.1f}",
                    "volume",
                    not limits[0] <= n <= limits[1],
                )
            )
    if contract.every_hour_of:
        frame = table.select([contract.every_hour_of, "time_hour"]).to_pandas()
        first = params.first_day - 1
        span = flight_days.midnight(first + days) - flight_days.midnight(first)
        n_gaps = quality_rules.missing_hours(
            frame, contract.every_hour_of, round(span / np.timedelta64(1, "h"))
        )
        rules.append(
            (
                f"every hour of {contract.every_hour_of} should be there: {n_gaps:,} are missing",
                "hours",
                n_gaps > 0,
            )
        )
    if contract.drift:
        before = faults.reference(contract.table, params.first_day, params.n_days)
        values = [_numbers(part[contract.drift]) for part in (table, before)]
        ks = quality_rules.ks_statistic(*values)
        text = (
            f"{contract.drift} must lie within {contract.max_ks:g} of the last batch (KS): {ks:.3f}"
        )
        rules.append((text, "drift", ks > contract.max_ks))
    return rules


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return np.zeros(0)  # came as text: the type rule speaks for it
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), float)


@lru_cache(maxsize=16)
def _truth(
    contract: Contract, first_day: int, n_days: int
) -> tuple[pa.Schema, dict[str, tuple[float, str]]]:
    """Return the types, and the numbers downstream from the real rows that keep every rule that
    quarantines.
    """
    rows = faults.real(contract.table, first_day, n_days)
    kept, kinds = np.ones(len(rows), bool), quality_rules.texts(contract)
    for text, places in check(contract, rows).items():
        if kinds[text][2] == "quarantine":
            kept[places] = False
    return rows.schema, answers(contract.table, rows.filter(pa.array(kept)))


@lru_cache(maxsize=32)
def _run(
    params: QualityParams,
) -> tuple[Batch, tuple[CheckOutcome, ...], np.ndarray, tuple[Metric, ...]]:
    p, contract = params, params.contract
    batch = batch_of(p.table, p.fault, p.dose, p.first_day, p.n_days, p.seed)
    injected, quarantined = batch.injected, np.zeros(len(batch.table), bool)
    outcomes = []
    kinds = quality_rules.texts(contract)
    for text, places in check(contract, batch.table).items():
        kind, _, severity = kinds[text]
        n_injected = int(injected[places].sum())
        outcomes.append(
            CheckOutcome(
                text,
                kind,
                severity,
                places,
                len(places) - n_injected,
                n_injected,
                bool(len(places)),
            )
        )
        quarantined[places if severity == "quarantine" else places[:0]] = True
    for text, kind, failed in _batch_rules(contract, batch.table, p):
        severity = "warn" if kind == "hours" else "stop"
        outcomes.append(
            CheckOutcome(
                text, kind, severity, np.zeros(0, np.int64), 0, batch.n_cut if failed else 0, failed
            )
        )
    schema, right = _truth(contract, p.first_day, p.n_days)
    passed = typed(batch.table.filter(pa.array(~quarantined)), schema)
    metrics = measure(p.table, right, batch.table, passed)
    return batch, tuple(outcomes), quarantined, metrics


def run(params: QualityParams) -> QualityResult:
    """Hold the batch to its rules and look downstream (the gate itself costs nothing: it only
    decides).
    """
    return QualityResult(params, *_run(replace(params, gate="off", max_quarantined=0.0)))
