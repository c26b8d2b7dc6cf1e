"""Result of an audit: findings, checks and scores of columns, and the answer in words."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from engine.leakage.audit.findings import DETECTORS, INVISIBLE, KINDS, Check, Finding
from engine.leakage.audit.sources import AuditParams
from engine.leakage.column_scores import Score


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
    def verdict(self) -> str:
        """How many leaks were found, how many of them are certain, and the first."""
        n_checks = len(DETECTORS)
        if not self.complete:
            return (
                f"**{self.n_alarms}** findings so far; {len(self.checks)} of {n_checks} checks have"
                " run."
            )
        where = f"{self.n_rows:,} rows × {self.n_columns} columns"
        if not self.alarms:
            n_ran = n_checks - self.n_not_run
            return f"**Nothing flagged** in {where} by {n_ran} of {n_checks} checks."
        first = self.alarms[0]
        columns = f" in {', '.join(first.columns[:2])}" if first.columns else ""
        return (
            f"**{self.n_alarms}** finding{'s' * (self.n_alarms > 1)} in {where}, {self.n_certain}"
            f" certain. First: {first.mechanism}{columns}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        reasons = []
        for severity, meaning in (("certain", "a fact"), ("suspicious", "a judgement")):
            found = [finding for finding in self.findings if finding.severity == severity]
            if found:
                detectors = ", ".join(dict.fromkeys(finding.detector for finding in found))
                reasons.append(
                    f"**{severity.capitalize()}** ({len(found)}, {meaning} each): {detectors}."
                )
        name, value = self.best_kept
        if name:
            unit = "AUC" if self.binary else "R²"
            reasons.append(
                f"**Strongest column not flagged:** {name}, {unit} {value:.3f}. No check found a"
                " leak in it. That does not make it legitimate: ask when it is known."
            )
        lacking = [f"{check.detector} ({check.why_not})" for check in self.checks if not check.ran]
        if lacking:
            reasons.append("**Not run:** " + "; ".join(lacking) + ".")
        if self.skipped:
            left_out = [f"{name} ({why})" for name, why in list(self.skipped.items())[:6]]
            n = len(self.skipped)
            reasons.append(f"**Not audited:** {n:,} column{'s' * (n > 1)}: {'; '.join(left_out)}.")
        reasons += [f"{remark[0].upper()}{remark[1:]}." for remark in self.remarks]
        reasons.append(
            f"**Not visible in a table:** {len(INVISIBLE)} kinds of leak. Coverage lists the check"
            " that finds each."
        )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "rows": self.n_rows,
            "alarms": self.n_alarms,
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
