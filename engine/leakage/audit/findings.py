"""What an audit can say: findings, checks that ran or could not, and Kapoor and Narayanan's eight
types of leakage.

Taxonomy: Kapoor and Narayanan (2023), "Leakage and the reproducibility crisis in
machine-learning-based science", Patterns 4(9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Severity = Literal["certain", "suspicious", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
Detector = Literal[
    "single-feature score",
    "one-sided values",
    "missingness",
    "identifier",
    "row order",
    "target encoding",
    "columns that add up",
    "exact duplicates",
    "near duplicates",
    "group overlap",
    "time overlap",
    "adversarial validation",
    "timing",
    "sharpening",
    "truncated history",
]
DETECTORS: tuple[Detector, ...] = get_args(Detector)
Kind = Literal["L1.1", "L1.2", "L1.3", "L1.4", "L2", "L3.1", "L3.2", "L3.3"]
KINDS: dict[Kind, str] = {
    "L1.1": "no test set",
    "L1.2": "preprocessing on training and test set",
    "L1.3": "feature selection on training and test set",
    "L1.4": "duplicates in the data set",
    "L2": "features that are not legitimate",
    "L3.1": "temporal leakage",
    "L3.2": "training and test samples depend on each other",
    "L3.3": "sampling bias in the test distribution",
}
Needs = Literal["time", "group", "split", "known_at"]


@dataclass(frozen=True, slots=True)
class About:
    """A detector: its mechanism, type, the roles it needs, how it decides, what it cannot see."""

    mechanism: str
    kind: Kind
    needs: tuple[Needs, ...]
    rule: str
    blind: str


ABOUT: dict[Detector, About] = {
    "single-feature score": About(
        "target leak",
        "L2",
        (),
        "one column alone reaches AUC 0.94 (R² 0.94) out of fold; AUC 0.9995 or r = 1 is certain",
        "a noisy effect scores like a strong legitimate feature: declare when it is known",
    ),
    "one-sided values": About(
        "target leak",
        "L2",
        (),
        "a value that only one answer ever has, where nine times the usual odds would have shown "
        "the other (p < 1e-5)",
        "values of fewer than 14 rows; effects without a value of their own",
    ),
    "missingness": About(
        "missingness as signal",
        "L2",
        (),
        "whether the cell is empty multiplies the odds by more than 3 (lower bound), or only one "
        "answer has empty cells",
        "cells that were filled in before the table was saved",
    ),
    "identifier": About(
        "identifier",
        "L2",
        (),
        "a name of rows or things, dense or sparse, once or repeated, whose order, digits or "
        "characters score AUC 0.05 (R² 0.1) above names given out at random (p ≤ 0.0025, permuted "
        "within what another column explains); or whose rows share one answer, or explain each "
        "other (r ≥ 0.25)",
        "sparse or repeated numbers without an id's name (they may be amounts); under 20 things",
    ),
    "row order": About(
        "row order",
        "L2",
        (),
        "place, neighbours or turn score AUC 0.15 (R² 0.1) above orders at random among rows that "
        "share what the table is sorted by (p ≤ 0.0025), or AUC 0.94",
        "a weak order (a note); an order by a column of the table; what was shuffled afterwards",
    ),
    "target encoding": About(
        "target encoding on all rows",
        "L1.2",
        (),
        "a column that is a function of another one, and equals its mean target over all rows, "
        "own row and test rows included",
        "encodings of a column that is not in the table; encodings with noise added",
    ),
    "columns that add up": About(
        "target rebuilt from columns",
        "L2",
        (),
        "two columns whose sum, difference, product or ratio is the target, or parts its classes "
        "without one error",
        "three columns or more; beyond the 300 numeric columns nearest to the target",
    ),
    "exact duplicates": About(
        "duplicates across the split",
        "L1.4",
        (),
        "test rows that equal a training row in every cell, or in every cell but ids and times, "
        "more than ten times as many as by chance; without a split: rows that equal another row",
        "copies with a changed cell that is no id, time or continuous number",
    ),
    "near duplicates": About(
        "duplicates across the split",
        "L1.4",
        (),
        "test rows (without a split: rows) ten times nearer to one row than to its twelfth "
        "nearest, more often than in smooth data",
        "fewer than three continuous columns; copies with noise as wide as the gaps between rows",
    ),
    "group overlap": About(
        "group overlap",
        "L3.2",
        ("split", "group"),
        "groups on both sides of the split; certain where a group's other rows explain what the "
        "columns do not (r ≥ 0.1)",
        "groups that nobody named",
    ),
    "time overlap": About(
        "random split over time",
        "L3.1",
        ("split", "time"),
        "training rows later than the first test row",
        "labels that look ahead: leave a gap as long as the label takes",
    ),
    "adversarial validation": About(
        "test rows unlike training rows",
        "L3.3",
        ("split",),
        "a model separates test rows from training rows: AUC 0.55 or more (0.52 less 3.3 standard "
        "errors)",
        "whether test rows or training rows resemble production",
    ),
    "timing": About(
        "known too late",
        "L2",
        ("known_at",),
        "a column that becomes known after the moment of prediction",
        "columns whose moment nobody declared",
    ),
    "sharpening": About(
        "updated after the event",
        "L2",
        ("time",),
        "a moment later than the row's own; columns that predict the target better in those rows",
        "updates that left no timestamp",
    ),
    "truncated history": About(
        "look-ahead window",
        "L3.1",
        ("time", "group"),
        "a column recomputed from rows up to its moment and with the rows after it: the later "
        "rows explain most of the rest",
        "windows whose base column is not in the table; beyond 60 numeric columns",
    ),
}

INVISIBLE: tuple[tuple[str, Kind, str], ...] = (  # mechanism, kind, the check that can find it
    (
        "no test set at all",
        "L1.1",
        "code: is any score taken on rows that the fit never saw? Here: name the split column",
    ),
    (
        "scaling, imputing or resampling fitted on all rows",
        "L1.2",
        (
            "code: fit inside a Pipeline; test: refit on training rows alone and compare the"
            " statistics (Fix it)"
        ),
    ),
    (
        "feature selection on all rows",
        "L1.3",
        (
            "permuted target: shuffle the target, run the whole pipeline again; a score above"
            " chance is the leak"
        ),
    ),
    (
        "data snooping: best of many models on one test set",
        "L1.1",
        "a fresh test set, used once; count the models compared",
    ),
    (
        "look-ahead in a column whose base is not in the table",
        "L3.1",
        "truncation: run the pipeline on the data as of an earlier day and compare the columns",
    ),
    (
        "a weak effect without a declared moment",
        "L2",
        "ask who writes the column, and when; then declare known_at",
    ),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One leak found, or a note. ``score`` is the detector's statistic; ``rows`` are row numbers
    worth a look (0-based).
    """

    detector: Detector
    columns: tuple[str, ...]
    severity: Severity
    evidence: str
    fix: str
    score: float
    rows: tuple[int, ...] = ()

    @property
    def mechanism(self) -> str:
        """The leak's mechanism, in words."""
        return ABOUT[self.detector].mechanism

    @property
    def kind(self) -> Kind:
        """The type in Kapoor and Narayanan's taxonomy."""
        return ABOUT[self.detector].kind

    @property
    def where(self) -> str:
        """The columns, or what else in the table the finding is about."""
        if self.columns:
            return ", ".join(self.columns)
        return "the row order" if self.detector == "row order" else "the rows"

    @property
    def flagged(self) -> bool:
        """Whether this counts as an alarm; a note does not."""
        return self.severity != "note"


@dataclass(frozen=True, slots=True)
class Check:
    """A detector that ran (``why_not`` empty) or could not, and what it left out."""

    detector: Detector
    why_not: str = ""
    remark: str = ""

    @property
    def ran(self) -> bool:
        """Whether the detector had what it needs."""
        return not self.why_not


def coverage() -> list[dict[str, str]]:
    """Return every detector and everything that no table shows, by type of the taxonomy: what sees
    it, what it cannot see.
    """
    rows = [
        {
            "kind": f"{about.kind} {KINDS[about.kind]}",
            "mechanism": about.mechanism,
            "seen by": detector,
            "rule": about.rule,
            "not seen": about.blind,
        }
        for detector, about in ABOUT.items()
    ]
    rows += [
        {
            "kind": f"{kind} {KINDS[kind]}",
            "mechanism": what,
            "seen by": "no table shows it",
            "rule": check,
            "not seen": "—",
        }
        for what, kind, check in INVISIBLE
    ]
    return sorted(rows, key=lambda row: row["kind"])
