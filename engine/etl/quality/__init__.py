"""The quality gate: pandera checks a batch against its contract; rows that break a rule are
quarantined with the reason, or nothing is loaded.

Real: the tables with their own faults (a wind of 1,048 mph, missing hours, unknown planes),
pandera's verdict on each row, and the downstream queries, which DuckDB runs on what the gate lets
through (or their exception). Injected: one kind of fault in a share of the rows
(``engine.etl.faults``). Simplified: one batch, one gate.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pyarrow as pa

from engine.etl import faults, flight_days
from engine.etl import rules as quality_rules
from engine.etl.contracts import TABLES, TableName
from engine.etl.faults import FAULTS, Batch, Fault
from engine.etl.quality.downstream import Metric, answers, measure, typed
from engine.etl.quality.result import GATES, CheckOutcome, QualityParams, QualityResult
from engine.etl.rules import Contract

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


@lru_cache(maxsize=32)
def batch_of(
    table: TableName, fault: Fault, dose: float, first_day: int, n_days: int, seed: int
) -> Batch:
    """Return the batch of some days with the fault injected."""
    return faults.inject(table, faults.real(table, first_day, n_days), fault, dose, seed)


def check(contract: Contract, table: pa.Table) -> dict[str, np.ndarray]:
    """Check a batch against the row rules with pandera; return the places of the rows that break
    each rule.
    """
    from engine.etl import gate as quality_gate

    frame = table.select(contract.names).to_pandas()
    rows = quality_gate.broken(
        contract.rules,
        list(contract.unique),
        contract.unique_nulls,
        quality_rules.known(contract),
        frame,
    )
    return {
        text: np.array(sorted(rows.get(text, ())), np.int64)
        for text in quality_rules.texts(contract)
    }


def _otherwise(contract: Contract, table: pa.Table) -> int | None:
    """Return how many rows break the unique rule if nulls are taken the other way, ``None`` where
    no column of it may hold any.
    """
    if not any(contract.rule(name).nullable for name in contract.unique):
        return None
    other: quality_rules.Nulls = "equal" if contract.unique_nulls == "distinct" else "distinct"
    turned = replace(contract, unique_nulls=other)
    return len(check(turned, table)[quality_rules.unique_text(turned)])


def _batch_rules(
    contract: Contract, table: pa.Table, params: QualityParams
) -> list[tuple[str, str, bool]]:
    """Return (text, kind, failed) of the rules on the batch as a whole."""
    days = 1 if contract.table == "planes" else params.n_days
    rules = []
    for key, limits in (("rows per day", contract.rows_a_day), ("rows", contract.rows)):
        if limits is not None:
            n = len(table) / (days if key == "rows per day" else 1)
            rules.append(
                (
                    f"{key} must be {limits[0]:,}–{limits[1]:,}: {n:,.1f}",
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
                f"every hour of {contract.every_hour_of} must be present: {n_gaps:,} are missing",
                "hours",
                n_gaps > 0,
            )
        )
    if contract.drift:
        before = faults.reference(contract.table, params.first_day, params.n_days)
        values = [_numbers(part[contract.drift]) for part in (table, before)]
        ks = quality_rules.ks_statistic(*values)
        text = (
            f"{contract.drift} must be within {contract.max_ks:g} of the last batch (KS): {ks:.3f}"
        )
        rules.append((text, "drift", ks > contract.max_ks))
    return rules


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return np.zeros(0)  # came as text: the type rule reports it
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
                _otherwise(contract, batch.table) if kind == "unique" else None,
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
    """Check the batch against its rules and compute the numbers downstream."""
    return QualityResult(params, *_run(replace(params, gate="off", max_quarantined=0.0)))
