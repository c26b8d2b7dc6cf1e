"""Fix it: for each leak the wrong and the right pipeline, run unchanged on several seeds, scored on
their test rows and in production.

Real: the texts on screen are what runs. Production rows come from the same process as the table;
see ``rounds.cases``. And a pytest file for one's own columns (``repairs.leak_tests``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
import pyarrow as pa

from engine.jobs import Progress, Steps, to_end
from engine.leakage import rounds
from engine.leakage.repairs.cases import MECHANISMS, REPAIRS, case_of, codes
from engine.ranges import Choice, Params, Range
from engine.units import format_signed

WAYS = ("wrong", "right")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairsParams(Params):
    """Which leak, on how many tables."""

    mechanism: Annotated[str, Choice(MECHANISMS)] = MECHANISMS[0]
    repeats: Annotated[int, Range(1, 10)] = 3  # seeds
    seed: Annotated[int, Range(0, 2**31 - 11, most=99)] = 0  # the first


@dataclass(frozen=True, slots=True, eq=False)
class RepairsResult:
    """``scores``: (way, "reported" or "production") -> AUC of each seed so far."""

    params: RepairsParams
    scores: dict[tuple[str, str], list[float]]
    complete: bool = False

    def mean(self, way: str, where: str) -> float:
        """Return the mean AUC over the seeds; nan before the first."""
        found = self.scores.get((way, where), [])
        return float(np.mean(found)) if found else float("nan")

    @property
    def wrong_gap(self) -> float:
        """Reported less production, the wrong way."""
        return self.mean("wrong", "reported") - self.mean("wrong", "production")

    @property
    def right_gap(self) -> float:
        """Reported less production, the right way."""
        return self.mean("right", "reported") - self.mean("right", "production")

    @property
    def right_production(self) -> float:
        """AUC in production of the right way."""
        return self.mean("right", "production")

    @property
    def closed(self) -> float:
        """How much of the gap the repair closes."""
        return self.wrong_gap - self.right_gap

    @property
    def verdict(self) -> str:
        """The gap between reported and production AUC, both ways."""
        if not self.scores:
            return "The first repeat is running both ways."
        return (
            f"The fix changes the gap from {format_signed(self.wrong_gap)} to"
            f" **{format_signed(self.right_gap)}** AUC: wrong reports"
            f" {self.mean('wrong', 'reported'):.3f} (production"
            f" {self.mean('wrong', 'production'):.3f}), right {self.mean('right', 'reported'):.3f}"
            f" ({self.right_production:.3f})."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        if not self.scores:
            return []
        n = len(self.scores["wrong", "reported"])
        gaps = {
            way: np.subtract(self.scores[way, "reported"], self.scores[way, "production"])
            for way in WAYS
        }
        spans = {
            way: f"{format_signed(gap.min())} to {format_signed(gap.max())}"
            for way, gap in gaps.items()
        }
        reasons = [
            f"**Rule.** {REPAIRS[self.params.mechanism].rule}",
            (
                f"**Gap,** reported less production, over {n} repeat{'s' * (n > 1)}: wrong"
                f" {format_signed(self.wrong_gap)} ({spans['wrong']}), right"
                f" {format_signed(self.right_gap)} ({spans['right']})."
            ),
        ]
        better = self.right_production - self.mean("wrong", "production")
        if better > 0.02:
            reasons.append(
                f"**Better model.** The fixed one gains {better:.3f} AUC in production: it does not"
                " rely on what is missing there."
            )
        elif abs(self.closed) < 0.01:
            reasons.append(
                "**No measurable effect** of the fix here. Fix it anyway: the habit prevents the"
                " leaks that matter."
            )
        else:
            reasons.append(
                "**Same model.** Production hardly changes: the leak did not harm the model, only"
                " its reported score."
            )
        if self.right_gap > 0.05:
            reasons.append(
                f"**Remaining gap:** {format_signed(self.right_gap)}. Production differs from the"
                " table for other reasons too."
            )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces, of the first seed."""
        return {
            f"{way} {where}": round(values[0], 4) for (way, where), values in self.scores.items()
        }

    def table(self) -> pa.Table:
        """Return one row for each way, place and seed."""
        rows = [
            {"way": way, "scored": where, "seed": self.params.seed + turn, "auc": auc}
            for (way, where), values in self.scores.items()
            for turn, auc in enumerate(values)
        ]
        return pa.Table.from_pylist(rows) if rows else pa.table({"way": pa.array([], pa.string())})


def execute(code: str, case: int, seed: int) -> tuple[float, float]:
    """Run a pipeline on the table of a case; return reported and production AUC."""
    from sklearn.metrics import roc_auc_score

    table, fresh = rounds.tables(case, seed)
    names: dict[str, Any] = {"table": table}
    exec(compile(code, "<pipeline>", "exec"), names)
    return float(names["score"]), float(roc_auc_score(fresh["y"], names["predict"](fresh)))


@lru_cache(maxsize=256)
def _both(mechanism: str, seed: int) -> tuple[tuple[float, float], ...]:
    return tuple(execute(code, case_of(mechanism)[0], seed) for code in codes(mechanism))


def steps(params: RepairsParams) -> Steps:
    """Run both ways on every seed: a ``Progress`` with the result so far for each.

    Returns
    -------
    RepairsResult
        With ``complete`` set.
    """
    result = RepairsResult(params, {})
    for turn in range(params.repeats):
        yield Progress(turn / params.repeats, f"repeat {turn + 1} of {params.repeats}", result)
        scores = {key: list(values) for key, values in result.scores.items()}
        for way, pair in zip(WAYS, _both(params.mechanism, params.seed + turn), strict=True):
            for where, auc in zip(("reported", "production"), pair, strict=True):
                scores.setdefault((way, where), []).append(auc)
        result = replace(result, scores=scores)
    return replace(result, complete=True)


run: Callable[[RepairsParams], RepairsResult] = to_end(steps)


TYPICAL_SECONDS = 0.5  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server computes before the first visit."""
    return steps, RepairsParams()
