"""Spot the leak: blind rounds of a pipeline, its data and its scores; name the leak, or say that
there is none.

Real: the pipeline on screen is what runs, unchanged; three rounds use real flights. The
production score is the same fitted model's, on rows that it and its pipeline never saw, with every
column as production has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

import numpy as np
import pyarrow as pa

from engine.leakage.column_scores import auc_error
from engine.leakage.rounds.cases import ANSWERS, CASES, NONE, Case
from engine.ranges import SEED, Choice, Params, Range
from engine.units import format_share, format_signed

Level = Literal["all", "1", "2", "3"]
LEVELS: tuple[Level, ...] = get_args(Level)
UNDECIDED = "not yet"
GUESSES = (UNDECIDED, *ANSWERS)
TRAIN, TEST, PRODUCTION = "training rows", "test rows (reported)", "production"
HEAD_ROWS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundsParams(Params):
    """Which round, and the learner's answer."""

    level: Level = "all"
    number: Annotated[int, Range(1, len(CASES))] = 1  # past a level's last round it starts again
    seed: Annotated[int, SEED] = 0  # of the order and of every table
    guess: Annotated[str, Choice(GUESSES)] = UNDECIDED
    revealed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """A round as it ran: its table's head and columns, three scores (AUC) with rows of each class,
    and the evidence.
    """

    head: pa.Table
    columns: list[dict[str, Any]]
    n_rows: int
    scores: dict[str, float]
    counts: dict[str, tuple[int, int]]
    evidence: str


@dataclass(frozen=True, slots=True, eq=False)
class RoundsResult:
    """One round, blind until ``params.revealed``."""

    params: RoundsParams
    case: Case
    played: Played

    @property
    def reported_score(self) -> float:
        """AUC on the pipeline's own test rows."""
        return self.played.scores[TEST]

    @property
    def production_score(self) -> float:
        """AUC of the same model in production."""
        return self.played.scores[PRODUCTION]

    @property
    def gap(self) -> float:
        """Reported less production."""
        return self.reported_score - self.production_score

    @property
    def answer(self) -> str:
        """The leak's name, or "no leak"."""
        return self.case.answer

    @property
    def right(self) -> bool:
        """Whether the answer is revealed and was named."""
        return self.params.revealed and self.params.guess == self.case.answer

    def error(self, name: str) -> float:
        """Return the standard error of a score."""
        return auc_error(self.played.scores[name], *self.played.counts[name])

    @property
    def verdict(self) -> str:
        """The question, or once revealed the answer, in one sentence."""
        reported = f"AUC **{self.reported_score:.3f}** ± {self.error(TEST):.3f}"
        if not self.params.revealed:
            return f"{self.case.story} Reported {reported}. Do you trust it?"
        judged = "Correct: " if self.right else f"Not {self.params.guess}: "
        if self.params.guess == UNDECIDED:
            judged = ""
        what = "there is **no leak**" if self.answer == NONE else f"it is **{self.answer}**"
        text = (
            f"{judged}{what}. Reported {reported}, in production {self.production_score:.3f} ±"
            f" {self.error(PRODUCTION):.3f}."
        )
        return text[0].upper() + text[1:]

    @property
    def why(self) -> list[str]:
        """What to ask, or once revealed the evidence from the data."""
        if not self.params.revealed:
            return [
                "**Columns.** Is each one known at the moment of prediction?",
                "**Lines above the split.** Does one use the answers or the test rows?",
                "**Split.** Can rows of one customer, or of one day, be on both sides?",
                "**Score.** How often was this test set used?",
                "Then choose an answer and switch on Reveal.",
            ]
        evidence = self.played.evidence
        reasons = [f"**Evidence.** {evidence[0].upper()}{evidence[1:]}."]
        if self.answer == NONE:
            reasons.append(
                f"**Gap.** Reported less production is {format_signed(self.gap)}: random variation"
                " of the test rows."
            )
        else:
            reasons.append(
                f"**Gap.** The leak added {format_signed(self.gap)} AUC to the reported score. It"
                " is missing in production."
            )
        reasons.append(
            f"**Training rows.** The model scores {self.played.scores[TRAIN]:.3f} on them."
        )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "reported AUC": round(self.reported_score, 4),
            **({"production AUC": round(self.production_score, 4)} if self.params.revealed else {}),
        }

    def table(self) -> pa.Table:
        """Return the scores, production's once it is revealed."""
        names = [name for name in self.played.scores if name != PRODUCTION or self.params.revealed]
        return pa.table(
            {
                "scored on": names,
                "auc": [self.played.scores[n] for n in names],
                "error": [self.error(n) for n in names],
            }
        )


def deal(level: Level, number: int, seed: int) -> int:
    """Return the case of a round: the cases of its level are in an order that the seed draws."""
    chosen = [
        place for place, case in enumerate(CASES) if level == "all" or case.level == int(level)
    ]
    return int(np.random.default_rng([seed, 77]).permutation(chosen)[(number - 1) % len(chosen)])


def tables(case: int, seed: int) -> tuple[Any, Any]:
    """Return the table of a case and its production rows (pandas)."""
    return CASES[case].make(np.random.default_rng([seed, case]))


@lru_cache(maxsize=64)
def play(case: int, seed: int) -> Played:
    """Run the pipeline of a case unchanged, and score it in production."""
    from sklearn.metrics import roc_auc_score

    table, fresh = tables(case, seed)
    names: dict[str, Any] = {"table": table.copy()}
    exec(compile(CASES[case].code, f"<round {CASES[case].name}>", "exec"), names)
    parts = {TRAIN: names["train"], TEST: names["test"], PRODUCTION: fresh}
    scores = {
        name: float(roc_auc_score(rows["y"], names["predict"](rows)))
        for name, rows in parts.items()
    }
    scores[TEST] = float(names["score"])
    counts = {
        name: (int(rows["y"].sum()), int(len(rows) - rows["y"].sum()))
        for name, rows in parts.items()
    }
    code = CASES[case].code
    shown = sorted(
        (name for name in table if name in code or name == "y"), key=lambda name: name != "y"
    )
    shown = table[(shown + [name for name in table if name not in shown])[:8]]
    head = pa.Table.from_pandas(shown.iloc[:HEAD_ROWS], preserve_index=False)
    return Played(head, _summary(shown), len(table), scores, counts, CASES[case].evidence(table))


def _summary(table: Any) -> list[dict[str, Any]]:
    """Return what one would look at first: type, empty cells, distinct values, and the mean for
    each answer.
    """
    rows = []
    for name in table.columns:
        values = table[name]
        numeric = values.dtype.kind in "ifb" and name != "y"
        means = [f"{values[table['y'] == side].mean():,.2f}" if numeric else "—" for side in (0, 1)]
        rows.append(
            {
                "column": name,
                "type": str(values.dtype),
                "empty": format_share(values.isna().mean()),
                "distinct": f"{values.nunique():,}",
                "mean where y = 0": means[0],
                "where y = 1": means[1],
            }
        )
    return rows


def run(params: RoundsParams) -> RoundsResult:
    """Play a round."""
    place = deal(params.level, params.number, params.seed)
    return RoundsResult(params, CASES[place], play(place, params.seed))
