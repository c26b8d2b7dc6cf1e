"""What the famous leaks come to: scores reported and in production, and the checks that find
them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from engine.leakage.famous.cases import CASES, FACTS
from engine.leakage.famous.params import FamousParams
from engine.units import format_range


@dataclass(frozen=True, slots=True)
class Found:
    """Checks that name the leak, and columns named although they are none."""

    detectors: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseRun:
    """One table of a case: AUCs, and what the audit finds with the split named, and the group."""

    case: str
    seed: int
    reported: float
    production: float
    without: float  # in production, of the model without the columns that leak
    plain: Found | None  # None: not audited yet
    named: Found | None


@dataclass(frozen=True, slots=True, eq=False)
class FamousResult:
    """Every case, as far as it has come."""

    params: FamousParams
    runs: tuple[CaseRun, ...]
    complete: bool = False

    def runs_of(self, case: str) -> list[CaseRun]:
        """Return the runs of one case."""
        return [run for run in self.runs if run.case == case]

    def mean(self, case: str, score: str) -> float:
        """Return the mean of a score over a case's tables."""
        return float(np.mean([getattr(run, score) for run in self.runs_of(case)]))

    @property
    def audited(self) -> bool:
        """Whether the audit has read every case."""
        return all(run.plain is not None for run in self.runs)

    def _sides(self, case: str | None = None) -> list[Found]:
        """Return what the audit found of one case or of all, with the group named or without."""
        runs = self.runs if case is None else self.runs_of(case)
        sides = [run.named if self.params.named else run.plain for run in runs]
        return [side for side in sides if side is not None]

    def found(self, case: str) -> tuple[str, ...]:
        """Return the checks that find a case in every one of its tables, as it is audited."""
        sides = self._sides(case)
        common = set.intersection(*({*side.detectors} for side in sides)) if sides else set()
        return tuple(sorted(common))

    @property
    def n_found(self) -> int:
        """Cases that some check finds in every table."""
        return sum(bool(self.found(case)) for case in CASES)

    @property
    def not_found(self) -> tuple[str, ...]:
        """Cases that no check finds in every table."""
        return tuple(case for case in CASES if self.runs_of(case) and not self.found(case))

    @property
    def detectors(self) -> tuple[str, ...]:
        """The checks that find at least one case."""
        return tuple(sorted({name for case in CASES for name in self.found(case)}))

    @property
    def n_false(self) -> int:
        """Columns named although they do not leak, over all tables."""
        return sum(len(side.others) for side in self._sides())

    @property
    def verdict(self) -> str:
        """What the models report and what they give; with the audit, how many leaks it finds."""
        reported = [self.mean(case, "reported") for case in CASES]
        production = [self.mean(case, "production") for case in CASES]
        scores = (
            f"**Five published leaks report AUC {format_range(min(reported), max(reported), 2)};"
            f" production gives {format_range(min(production), max(production), 2)}.**"
        )
        if not self.params.audit:
            return f"{scores} Switch Audit on: which check finds which?"
        if not self.audited:
            return f"{scores} The audit is under way."
        missed = f" Not found: {', '.join(self.not_found)}." if self.not_found else ""
        return (
            f"The audit finds **{self.n_found} of {len(CASES)}** published leaks, by"
            f" {len(self.detectors)} different checks.{missed}"
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        lines = [
            f"**{case.capitalize()}**: {self.mean(case, 'reported'):.2f} reported,"
            f" {self.mean(case, 'production'):.2f} in production,"
            f" {self.mean(case, 'without'):.2f} without the column. {FACTS[case].what}"
            f" ({FACTS[case].source}.)"
            for case in CASES
        ]
        if not (self.params.audit and self.audited):
            return lines
        found = [f"{case}: {', '.join(self.found(case)) or 'no check'}" for case in CASES]
        hospital = (
            "**The hospital** is a strong column and no more, until somebody names it as the group:"
            " then its rows on both sides of the split are the finding."
        )
        return [f"**Found by**: {'; '.join(found)}.", hospital, *lines]

    def headline(self) -> dict[str, int | float]:
        """Return the numbers that the script reproduces."""
        return {
            "n_found": self.n_found,
            **{f"{case}: reported": round(self.mean(case, "reported"), 4) for case in CASES},
        }

    def rows(self) -> list[dict[str, str]]:
        """Return one row for each case, as texts."""
        return [
            {
                "leak": case,
                "what happened": FACTS[case].what,
                "source": FACTS[case].source,
                "AUC reported": f"{self.mean(case, 'reported'):.3f}",
                "in production": f"{self.mean(case, 'production'):.3f}",
                "without the leak": f"{self.mean(case, 'without'):.3f}",
                **(
                    {"found by": ", ".join(self.found(case)) or "no check"}
                    if self.params.audit and self.audited
                    else {}
                ),
            }
            for case in CASES
        ]

    def table(self) -> pa.Table:
        """Return one row for each table of each case."""
        return pa.Table.from_pylist(
            [
                {
                    "case": run.case,
                    "seed": run.seed,
                    "reported": run.reported,
                    "production": run.production,
                    "without": run.without,
                    "found_by": _joined(run.plain),
                    "found_by_with_group": _joined(run.named),
                }
                for run in self.runs
            ]
        )


def _joined(found: Found | None) -> str | None:
    return None if found is None else ", ".join(found.detectors)
