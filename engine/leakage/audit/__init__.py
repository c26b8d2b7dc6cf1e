"""Audit of a table for leaks: every detector that has what it needs, each finding with evidence,
rows to look at and a fix.

Real: nothing is modelled but for the adversarial check (boosting, on up to 8,000 rows). Simplified:
columns one by one or in pairs; what three columns only do together is not seen, and neither is what
no table can show (``findings.INVISIBLE``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa

from engine.jobs import Progress, Steps, in_thread, run_to_end, to_end
from engine.leakage.audit import sources
from engine.leakage.audit.detectors import (
    clock,
    columns,
    copies,
    history,
    identifiers,
    pairs,
    row_order,
    splits,
)
from engine.leakage.audit.detectors.clock import KnownAt
from engine.leakage.audit.findings import (
    ABOUT,
    DETECTORS,
    SEVERITIES,
    Check,
    Detector,
    Finding,
    Needs,
)
from engine.leakage.audit.result import AuditResult
from engine.leakage.audit.sources import AuditParams, Named
from engine.leakage.column_scores import Score, score
from engine.leakage.table_columns import Subject, read
from engine.texts import inert

__all__ = ["AuditParams", "AuditResult", "audit_table", "run", "steps"]

COLUMNS_A_STEP = 40
MANY_ROWS = 50_000  # from here on one column a step: it may take a second
COLUMN_DETECTORS: tuple[Detector, ...] = (
    "single-feature score",
    "one-sided values",
    "missingness",
)
COLUMN_SHARE = 0.6  # of the work: the detectors that read one column at a time


def steps(params: AuditParams) -> Steps:
    """Audit the table that ``params`` name: a ``Progress`` with the findings so far at least once a
    second.

    Returns
    -------
    AuditResult
        With ``complete`` set; findings by severity, then score.

    Raises
    ------
    InputError
        There is no such table or column, or the target cannot be one.
    """
    with ThreadPoolExecutor(1) as caller:
        reading = Progress(0.0, "reading the table")
        named = yield from in_thread(caller, partial(sources.load, params), reading)
        return (yield from _search(caller, named, params))


run: Callable[[AuditParams], AuditResult] = to_end(steps)


TYPICAL_SECONDS = 0.5  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server computes before the first visit."""
    return steps, AuditParams()


def audit_table(
    table: pa.Table,
    target: str,
    *,
    time: str | None = None,
    group: str | None = None,
    split: str | None = None,
    known_at: KnownAt | None = None,
) -> AuditResult:
    """Audit a table of one's own for leaks about its target.

    Parameters
    ----------
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
    named = Named(table, target, time, group, split, known_at or {})
    with ThreadPoolExecutor(1) as caller:
        result: AuditResult = run_to_end(_search(caller, named, AuditParams()))
    return result


def _search(caller: ThreadPoolExecutor, named: Named, params: AuditParams) -> Steps:
    """Run every detector that has what it needs: first column by column, then over the table."""
    roles = {"time": named.time, "group": named.group, "split": named.split}
    subject = yield from in_thread(
        caller,
        partial(read, named.table, named.target, **roles),
        Progress(0.0, "reading the table"),
    )
    result = AuditResult(
        params,
        named.target,
        subject.n,
        named.table.num_columns,
        subject.binary,
        findings=(),
        checks=(),
        scores={},
        skipped={name: why for name, why in subject.skipped.items() if name not in roles.values()},
        remarks=tuple(subject.remarks),
    )
    result = yield from _search_columns(subject, result)
    result = yield from _search_table(caller, subject, named, result)
    return replace(result, complete=True)


def _search_columns(subject: Subject, result: AuditResult) -> Steps:
    """Add what is found in one column at a time, and each column's own score."""
    names = list(subject.columns)
    n_a_step = COLUMNS_A_STEP if subject.n < MANY_ROWS else 1
    for start in range(0, len(names), n_a_step):
        part = names[start : start + n_a_step]
        message = f"column {start + 1:,} of {len(names):,}: {inert(part[0])}"
        yield Progress(COLUMN_SHARE * start / len(names), message, result)
        scores = {name: score(subject.columns[name], subject) for name in part}
        found = [finding for name in part for finding in _check_column(subject, name, scores[name])]
        result = replace(
            result,
            scores=result.scores | scores,
            findings=_rank([*result.findings, *found]),
        )
    return replace(result, checks=tuple(Check(detector) for detector in COLUMN_DETECTORS))


def _check_column(subject: Subject, name: str, found: Score) -> Iterator[Finding]:
    column = subject.columns[name]
    checks = (
        columns.single_feature(column, found, subject),
        columns.one_sided(column, subject),
        columns.missingness(column, subject),
    )
    yield from (finding for finding in checks if finding is not None)


def _search_table(
    caller: ThreadPoolExecutor, subject: Subject, named: Named, result: AuditResult
) -> Steps:
    """Add what the detectors find that read more than one column, or say why one cannot run."""
    lacking = _find_lacking(subject, named)
    searches = _list_searches(subject, result.scores, named.known_at)
    for turn, (detector, (unfit, search)) in enumerate(searches.items()):
        done = COLUMN_SHARE + (1 - COLUMN_SHARE) * turn / len(searches)
        yield Progress(done, detector, result)
        why_not = next((lacking[need] for need in ABOUT[detector].needs if lacking[need]), unfit)
        found: list[Finding] = []
        if not why_not:
            search_all = partial(_collect, search)
            found = yield from in_thread(caller, search_all, Progress(done, detector, result))
        result = replace(
            result,
            findings=_rank([*result.findings, *found]),
            checks=(*result.checks, Check(detector, why_not)),
        )
    return result


def _collect(search: Callable[[], Iterable[Finding]]) -> list[Finding]:
    return list(search())


def _list_searches(
    subject: Subject, scores: dict[str, Score], known_at: KnownAt
) -> dict[Detector, tuple[str, Callable[[], Iterable[Finding]]]]:
    """Return each detector that reads more than one column: why the columns do not suit it (or ""),
    and its search.
    """
    alone = {name: found.value for name, found in scores.items()}
    few = "" if len(copies.continuous(subject)) >= 3 else "fewer than three continuous columns"
    no_moments = ""
    if not any(column.kind == "time" for column in subject.columns.values()):
        no_moments = "no other timestamp in the table"
    elif subject.time is not None and subject.time.kind != "time":
        no_moments = "the time column is a number"
    return {
        "identifier": ("", partial(identifiers.identifiers, subject, alone)),
        "row order": ("", partial(row_order.row_order, subject)),
        "target encoding": ("", partial(pairs.target_encodings, subject)),
        "columns that add up": ("", partial(pairs.columns_that_add_up, subject, alone)),
        "exact duplicates": ("", partial(copies.exact_duplicates, subject)),
        "near duplicates": (few, partial(copies.near_duplicates, subject)),
        "group overlap": ("", partial(splits.group_overlap, subject, alone)),
        "time overlap": ("", partial(splits.time_overlap, subject)),
        "adversarial validation": ("", partial(splits.adversarial, subject)),
        "timing": ("", partial(clock.timing, subject, known_at, scores)),
        "sharpening": (no_moments, partial(clock.sharpening, subject)),
        "truncated history": ("", partial(history.truncated_history, subject)),
    }


def _find_lacking(subject: Subject, named: Named) -> dict[Needs, str]:
    """Return, for each thing that a detector may need, why the table does not have it, or ""."""

    def explain(role: str, name: str | None) -> str:
        if name is None:
            return f"no {role} column named"
        return f"{name}: {subject.skipped.get(name, 'it is another role already')}"

    no_split = "" if subject.is_test is not None else "no split column named"
    no_time = "" if subject.time is not None else explain("time", named.time)
    if subject.time is not None and subject.time.numbers is None:
        no_time = f"{subject.time.name} holds text, not moments: cast it to a timestamp or a number"
    return {
        "split": subject.split_why_not or no_split,
        "time": no_time,
        "group": "" if subject.group is not None else explain("group", named.group),
        "known_at": "" if named.known_at else "known_at not given",
    }


def _rank(found: list[Finding]) -> tuple[Finding, ...]:
    """Return findings by severity, then detector, then score, the highest first."""

    def order(finding: Finding) -> tuple[int, int, float]:
        severity = SEVERITIES.index(finding.severity)
        return severity, DETECTORS.index(finding.detector), -finding.score

    return tuple(sorted(found, key=order))
