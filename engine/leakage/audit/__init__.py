"""Audit of a table for leaks: every detector that has what it needs, each finding with evidence,
rows to look at and a fix.

Real: nothing is modelled but for the adversarial check (boosting, on up to 8,000 rows). Simplified:
columns one by one or in pairs; what three columns only do together is not seen, and neither is what
no table can show (``findings.INVISIBLE``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import overload

import pyarrow as pa

from engine.jobs import Progress, Steps, beside, run_to_end
from engine.leakage.audit import sources
from engine.leakage.audit.detectors import clock, columns, pairs, splits
from engine.leakage.audit.detectors.clock import KnownAt
from engine.leakage.audit.findings import (
    ABOUT,
    DETECTORS,
    INVISIBLE,
    KINDS,
    SEVERITIES,
    Check,
    Detector,
    Finding,
)
from engine.leakage.audit.sources import AuditParams
from engine.leakage.column_scores import Score, score
from engine.leakage.table_columns import Subject, read
from engine.texts import inert

__all__ = ["AuditParams", "AuditResult", "run", "steps", "table_steps"]

COLUMNS_A_STEP = 40
COLUMN_DETECTORS: tuple[Detector, ...] = (
    "single-feature score",
    "one-sided values",
    "missingness",
    "identifier",
)


@dataclass(frozen=True, slots=True, eq=False)
class AuditResult:
    """What the audit found. ``scores``: each column's own cross-fitted score."""

    params: AuditParams
    target: str
    n_rows: int
    n_columns: int
    binary: bool
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    scores: dict[str, Score]
    skipped: dict[str, str]
    remarks: tuple[str, ...]
    complete: bool = False

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """The findings that are not notes."""
        return tuple(finding for finding in self.findings if finding.flagged)

    @property
    def flagged(self) -> tuple[str, ...]:
        """The columns that an alarm names."""
        return tuple(dict.fromkeys(name for finding in self.alarms for name in finding.columns))

    @property
    def n_certain(self) -> int:
        """Findings that are facts, not suspicions."""
        return sum(finding.severity == "certain" for finding in self.findings)

    @property
    def n_alarms(self) -> int:
        """Findings that are certain or suspicious."""
        return len(self.alarms)

    @property
    def n_not_run(self) -> int:
        """Detectors that lacked something."""
        return sum(not check.ran for check in self.checks)

    @property
    def best_kept(self) -> tuple[str, float]:
        """The strongest column that no alarm names, and its score; empty and nan without one."""
        kept = [
            (found.value, name) for name, found in self.scores.items() if name not in self.flagged
        ]
        value, name = max(kept, default=(float("nan"), ""))
        return name, value

    @property
    def best_kept_score(self) -> float:
        """The score of the strongest column that no alarm names."""
        return self.best_kept[1]

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        if not self.complete:
            return (
                f"{len(self.checks)} of {len(DETECTORS)} checks have run; **{len(self.alarms)}**"
                " leaks so far."
            )
        where = f"{self.n_rows:,} rows × {self.n_columns} columns"
        if not self.alarms:
            return (
                f"**No leak** found in {where} by {len(DETECTORS) - self.n_not_run} of"
                f" {len(DETECTORS)} checks."
            )
        worst = self.alarms[0]
        return (
            f"**{len(self.alarms)}** leaks in {where}, {self.n_certain} of them certain. First:"
            f" {worst.mechanism}, {worst.evidence}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        reasons = [
            f"{finding.detector} ({finding.kind}, {finding.severity}): {finding.evidence}."
            for finding in self.findings
        ]
        name, value = self.best_kept
        if name:
            unit = "AUC" if self.binary else "R²"
            reasons.append(
                f"The strongest column left alone is {name}: {unit} {value:.3f}, as an honest one"
                " can have."
            )
        lacking = [f"{check.detector} ({check.why_not})" for check in self.checks if not check.ran]
        if lacking:
            reasons.append("Not run: " + "; ".join(lacking) + ".")
        if self.skipped:
            left_out = [f"{name} ({why})" for name, why in list(self.skipped.items())[:6]]
            n = len(self.skipped)
            reasons.append(f"{n:,} column{'s' * (n > 1)} not audited: {'; '.join(left_out)}.")
        reasons += [f"{remark[0].upper()}{remark[1:]}." for remark in self.remarks]
        reasons.append(
            f"What no table shows, and which check does ({len(INVISIBLE)} leaks), stands under"
            " Coverage."
        )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "rows": self.n_rows,
            "alarms": len(self.alarms),
            "certain": self.n_certain,
            "flagged": ", ".join(sorted(self.flagged)),
        }

    def table(self) -> pa.Table:
        """Return one row for each finding."""
        rows = [
            {
                "severity": finding.severity,
                "detector": finding.detector,
                "mechanism": finding.mechanism,
                "kind": f"{finding.kind} {KINDS[finding.kind]}",
                "columns": ", ".join(finding.columns),
                "score": finding.score,
                "evidence": finding.evidence,
                "rows": ", ".join(map(str, finding.rows)),
                "fix": finding.fix,
            }
            for finding in self.findings
        ]
        names = ("severity", "detector", "mechanism", "kind", "columns", "evidence", "rows", "fix")
        return (
            pa.Table.from_pylist(rows)
            if rows
            else pa.table({name: pa.array([], pa.string()) for name in names})
        )


@overload
def run(table: AuditParams) -> AuditResult: ...
@overload
def run(
    table: pa.Table,
    target: str,
    *,
    time: str | None = None,
    group: str | None = None,
    split: str | None = None,
    known_at: KnownAt | None = None,
) -> AuditResult: ...
def run(
    table: pa.Table | AuditParams,
    target: str = "",
    *,
    time: str | None = None,
    group: str | None = None,
    split: str | None = None,
    known_at: KnownAt | None = None,
) -> AuditResult:
    """Audit a table for leaks about its target.

    Parameters
    ----------
    table
        Any Arrow table; or ``AuditParams``, which name a bundled or uploaded one and its columns.
    target
        Column to predict: two classes, or a number (then scores are R²).
    time, group, split
        Columns with the row's moment of prediction, the unit that must not straddle the split, and
        the side of the split (values with "test", "valid", "hold", … are test rows; else the rarer
        side).
    known_at
        Column -> when its value is known: hours after the row's moment (negative: before), a
        ``timedelta``, a ``datetime``, or the name of a timestamp column.

    Raises
    ------
    InputError
        A named column is not there, or the target has one class, too many, or too few rows.
    """
    asked = table if isinstance(table, AuditParams) else None
    result: AuditResult = run_to_end(
        steps(asked)
        if asked is not None
        else table_steps(
            table, target, time=time, group=group, split=split, known_at=known_at or {}
        )
    )
    return result


def steps(params: AuditParams) -> Steps:
    """Audit the table that ``params`` name: a ``Progress`` with the findings so far at least once a
    second.
    """
    with ThreadPoolExecutor(1) as caller:
        source = yield from beside(
            caller, lambda: sources.load(params), Progress(0.0, "reading the table")
        )
    return (
        yield from table_steps(
            source.table,
            source.target,
            time=source.time,
            group=source.group,
            split=source.split,
            known_at=source.known_at,
            params=params,
        )
    )


def table_steps(
    table: pa.Table,
    target: str,
    *,
    time: str | None = None,
    group: str | None = None,
    split: str | None = None,
    known_at: KnownAt | None = None,
    params: AuditParams | None = None,
) -> Steps:
    """Audit a table: a ``Progress`` with the findings so far at least once a second.

    Returns
    -------
    AuditResult
        With ``complete`` set; findings by severity, then score.
    """
    with ThreadPoolExecutor(1) as caller:
        return (
            yield from _search(
                caller, table, target, time, group, split, known_at or {}, params or AuditParams()
            )
        )


def _search(
    caller: ThreadPoolExecutor,
    table: pa.Table,
    target: str,
    time: str | None,
    group: str | None,
    split: str | None,
    known_at: KnownAt,
    params: AuditParams,
) -> Steps:
    reading = Progress(0.0, "reading the table")
    subject = yield from beside(
        caller, lambda: read(table, target, time=time, group=group, split=split), reading
    )
    skipped = {
        name: why for name, why in subject.skipped.items() if name not in (time, group, split)
    }
    result = AuditResult(
        params, target, subject.n, table.num_columns, subject.binary, (), (), {}, skipped, ()
    )
    result = replace(result, remarks=tuple(subject.remarks))
    names = list(subject.columns)
    for start in range(0, len(names), COLUMNS_A_STEP if subject.n < 50_000 else 1):
        part = names[start : start + (COLUMNS_A_STEP if subject.n < 50_000 else 1)]
        yield Progress(
            0.6 * start / len(names),
            f"column {start + 1:,} of {len(names):,}: {inert(part[0])}",
            result,
        )
        scores = {name: score(subject.columns[name], subject) for name in part}
        found = [finding for name in part for finding in _of_column(subject, name, scores[name])]
        result = replace(
            result, scores=result.scores | scores, findings=_ranked([*result.findings, *found])
        )
    result = replace(result, checks=tuple(Check(detector) for detector in COLUMN_DETECTORS))
    others = _others(subject, result.scores, known_at, {"time": time, "group": group})
    for turn, (detector, why_not, search) in enumerate(others):
        done = 0.6 + 0.4 * turn / len(others)
        yield Progress(done, detector, result)
        found = (
            []
            if why_not
            else (
                yield from beside(caller, partial(list, search), Progress(done, detector, result))
            )
        )
        check = Check(detector, why_not)
        result = replace(
            result, findings=_ranked([*result.findings, *found]), checks=(*result.checks, check)
        )
    return replace(result, complete=True)


def _of_column(subject: Subject, name: str, found: Score) -> Iterator[Finding]:
    column = subject.columns[name]
    checks = (
        columns.single_feature(column, found, subject),
        columns.one_sided(column, subject),
        columns.missingness(column, subject),
        columns.identifier(column, subject),
    )
    yield from (finding for finding in checks if finding is not None)


def _others(
    subject: Subject, scores: dict[str, Score], known_at: KnownAt, named: dict[str, str | None]
) -> list[tuple[Detector, str, Iterable[Finding]]]:
    """Return each detector that reads more than one column: why it cannot run (or ""), and its
    search, not begun yet.
    """
    alone = {name: found.value for name, found in scores.items()}
    no_split = subject.split_why_not or (
        "" if subject.is_test is not None else "no split column named"
    )
    no_time = "" if subject.time is not None else _lacking("time", named, subject)
    if not no_time and subject.time is not None and subject.time.numbers is None:
        no_time = f"{subject.time.name} holds text, not moments: cast it to a timestamp or a number"
    no_group = "" if subject.group is not None else _lacking("group", named, subject)
    stamps = any(column.kind == "time" for column in subject.columns.values())
    few = "" if len(splits.continuous(subject)) >= 3 else "fewer than three continuous columns"
    numeric = (
        ""
        if not no_time and subject.time is not None and subject.time.kind == "time"
        else "the time column is a number"
    )
    return [
        ("target encoding", "", pairs.target_encodings(subject)),
        ("columns that add up", "", pairs.columns_that_add_up(subject, alone)),
        ("exact duplicates", no_split, splits.exact_duplicates(subject)),
        ("near duplicates", no_split or few, splits.near_duplicates(subject)),
        ("group overlap", no_split or no_group, splits.group_overlap(subject, alone)),
        ("time overlap", no_split or no_time, splits.time_overlap(subject)),
        ("adversarial validation", no_split, splits.adversarial(subject)),
        (
            "timing",
            "" if known_at else "known_at not given",
            clock.timing(subject, known_at, scores),
        ),
        (
            "sharpening",
            no_time or ("" if stamps else "no other timestamp in the table") or numeric,
            clock.sharpening(subject),
        ),
        ("truncated history", no_time or no_group, clock.truncated_history(subject)),
    ]


def _lacking(role: str, named: dict[str, str | None], subject: Subject) -> str:
    name = named[role]
    return (
        f"no {role} column named"
        if name is None
        else f"{name}: {subject.skipped.get(name, 'it is another role already')}"
    )


def _ranked(found: list[Finding]) -> tuple[Finding, ...]:
    return tuple(
        sorted(
            found,
            key=lambda f: (SEVERITIES.index(f.severity), DETECTORS.index(f.detector), -f.score),
        )
    )


def coverage() -> list[dict[str, str]]:
    """Return every detector and everything that no table shows, by type of the taxonomy: what sees
    it, what it is blind to.
    """
    rows = [
        {
            "kind": f"{about.kind} {KINDS[about.kind]}",
            "mechanism": about.mechanism,
            "seen by": detector,
            "rule": about.rule,
            "blind to": about.blind,
        }
        for detector, about in ABOUT.items()
    ]
    rows += [
        {
            "kind": f"{kind} {KINDS[kind]}",
            "mechanism": what,
            "seen by": "no table shows it",
            "rule": check,
            "blind to": "—",
        }
        for what, kind, check in INVISIBLE
    ]
    return sorted(rows, key=lambda row: row["kind"])
