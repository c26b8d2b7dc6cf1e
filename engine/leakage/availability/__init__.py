"""Known when? Real flights, the moment at which each column becomes known, and the score from a
given moment.

Real: every number. A model is trained with the columns that were asked for, whether known yet or
not, and its score is reported, on a random split; then the same model is served at the moment of
prediction, where later columns are still empty; and a leak-free model is trained without them.
Assumed moments: see ``engine.leakage.flights``. Sources: Kaufman et al., "Leakage in Data Mining",
2012 (legitimacy by time stamp).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Annotated, Any

import numpy as np
import pyarrow as pa

from engine.jobs import Progress, Steps, in_thread, run_to_end
from engine.leakage import flights, logistic
from engine.leakage.flights import GROUPS, KNOWN_AT, MOMENTS, SPLITS, Group, Moment, Split
from engine.leakage.trial import interval
from engine.ranges import SEED, Choices, Params, Range

__all__ = ["AvailabilityParams", "AvailabilityResult", "base", "default_job", "run", "steps"]

TEMPTING: tuple[Group, ...] = (
    "schedule",
    "date",
    "weather 2 h before",
    "weather of the hour",
    "departure delay",
    "air time",
)


ROWS = Range(2_000, 50_000, options=(4_000, 8_000, 16_000, 50_000))
DRAWS = Range(2, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityParams(Params):
    """When the prediction is due, and which columns the model is given."""

    moment: Moment = "booking"
    columns: Annotated[tuple[Group, ...], Choices(GROUPS)] = TEMPTING
    n_rows: Annotated[int, ROWS] = 8_000  # to train on, and as many to test on
    n_seeds: Annotated[int, DRAWS] = 4  # draws of rows
    seed: Annotated[int, SEED] = 0  # the first of them

    @property
    def chosen(self) -> tuple[Group, ...]:
        """The groups in the model, in the order in which they become known."""
        return tuple(group for group in GROUPS if group in self.columns)

    def known(self, moment: Moment) -> tuple[Group, ...]:
        """Return the groups in the model that are known at a moment."""
        return tuple(group for group in self.chosen if KNOWN_AT[group] <= MOMENTS.index(moment))

    @property
    def later(self) -> tuple[Group, ...]:
        """The groups in the model that are not known yet at the moment of prediction."""
        return tuple(group for group in self.chosen if group not in self.known(self.moment))


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """AUC for each seed (n_seeds,) from one moment; ``None`` where no column is known yet, or not
    computed so far.
    """

    leak_free: dict[Split, np.ndarray | None]  # trained on what is known alone
    served: np.ndarray  # trained with everything, later columns empty, on the last quarter


@dataclass(frozen=True, slots=True, eq=False)
class AvailabilityResult:
    """Scores with every column that was asked for, and from each moment."""

    params: AvailabilityParams
    with_all: dict[Split, np.ndarray]  # (n_seeds,) AUC
    by_moment: dict[Moment, Served]
    complete: bool = False

    def mean(self, values: np.ndarray | None) -> float:
        """Return the mean over the seeds, nan if there are none."""
        return float("nan") if values is None else float(values.mean())

    @property
    def reported_auc(self) -> float:
        """What would be reported: all columns asked for, random split."""
        return self.mean(self.with_all.get("random"))

    @property
    def served_auc(self) -> float:
        """What the reported model gives in the last quarter when it is served at the moment of
        prediction.
        """
        here = self.by_moment.get(self.params.moment)
        return self.mean(None if here is None else here.served)

    @property
    def leak_free_auc(self) -> float:
        """What a model trained without the later columns gives in the last quarter."""
        return self.leak_free("in time order")

    def leak_free(self, split: Split) -> float:
        """Return the AUC of the model trained without the later columns under a split; 0.5 if
        nothing is known.
        """
        here = self.by_moment.get(self.params.moment)
        if here is None:
            return float("nan")
        values = here.leak_free[split]
        return 0.5 if values is None else self.mean(values)

    @property
    def inflation(self) -> float:
        """Reported AUC less that of the leak-free model in the last quarter."""
        return self.reported_auc - self.leak_free_auc

    @property
    def verdict(self) -> str:
        """AUC as reported, as served at the moment, and trained without later columns."""
        p = self.params
        late, n = len(p.later), len(p.chosen)
        if p.moment not in self.by_moment:
            return (
                f"{late} of {n} column groups are not known {moment_phrase(p.moment)}. AUC is not"
                " measured yet."
            )
        if not late:
            return (
                f"All columns are known {moment_phrase(p.moment)}, yet the random split reports"
                f" AUC {self.reported_auc:.3f} and the last quarter gives"
                f" **{self.leak_free_auc:.3f}**: the split leaks."
            )
        return (
            f"AUC falls from {self.reported_auc:.3f} (reported) to **{self.served_auc:.3f}** when"
            f" served {moment_phrase(p.moment)}: {late} of {n} column groups are not known yet. A"
            f" leak-free model gives {self.leak_free_auc:.3f}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p = self.params
        times = [f"{group} ({flights.moment_of(group)})" for group in p.later]
        late = f"**Not known {moment_phrase(p.moment)}:** {_list(times)}." if times else ""
        if p.moment not in self.by_moment:
            return [late] if late else []
        reasons = []
        if late:
            reasons.append(f"{late} A column is a leak before its moment and a feature after it.")
            reasons.append(_compare_serving(self.served_auc, self.leak_free_auc))
        random, ordered = self.leak_free("random"), self.leak_free("in time order")
        reasons.append(
            f"**The split.** Without later columns the random split gives {random:.3f}, the last"
            f" quarter {ordered:.3f}. "
            + (
                "With the date, the model learns which days went badly; a random split tests on"
                " the same days."
                if "date" in p.chosen
                else "Without the date the model cannot recognize a day."
            )
        )
        mean, half = interval(self.with_all["in time order"])
        reasons.append(
            f"**A time split is not enough.** With all columns it reports {mean:.3f} ± {half:.3f}:"
            " test rows have the later columns too."
        )
        reasons.append(
            f"**Data.** {p.n_rows:,} flights train, as many test; gradient boosting; means of"
            f" {p.n_seeds} repeats, 95% t intervals."
        )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces, of the first seed."""
        here = self.by_moment[self.params.moment]
        ordered = here.leak_free["in time order"]
        return {
            "reported AUC": round(float(self.with_all["random"][0]), 4),
            "served AUC": round(float(here.served[0]), 4),
            "leak-free AUC": 0.5 if ordered is None else round(float(ordered[0]), 4),
        }

    def table(self) -> pa.Table:
        """Return one row for each moment and seed."""
        rows = [
            {
                "moment": moment,
                "seed": self.params.seed + turn,
                "reported_auc": float(self.with_all["random"][turn]),
                "served_auc": float(served),
                **{
                    f"leak_free_{split.split()[0]}_auc": None if aucs is None else float(aucs[turn])
                    for split, aucs in here.leak_free.items()
                },
            }
            for moment, here in self.by_moment.items()
            for turn, served in enumerate(here.served)
        ]
        return (
            pa.Table.from_pylist(rows) if rows else pa.table({"moment": pa.array([], pa.string())})
        )


def _list(names: tuple[str, ...] | list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _compare_serving(served: float, leak_free: float) -> str:
    if leak_free - served > 0.01:
        return (
            f"**Worse than without the columns.** The leaky model gives {served:.3f}, a leak-free"
            f" one {leak_free:.3f}: it relies on columns that are empty when it is served."
        )
    return (
        f"**Served without them** the leaky model gives {served:.3f}, a leak-free one"
        f" {leak_free:.3f}."
    )


def moment_phrase(moment: Moment) -> str:
    """Return a moment as a part of a sentence: ``at booking``, ``2 h before departure``."""
    return f"{moment} departure" if moment.endswith("before") else f"at {moment}"


def base(params: AvailabilityParams) -> AvailabilityParams:
    """Return the settings that the fits depend on: the moment only points into them."""
    return replace(params, moment="booking")


def fitted(
    groups: tuple[Group, ...], split: Split, n_rows: int, seed: int
) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return (model, test matrix, test answers) for some groups of columns, one split and one draw
    of rows.
    """
    table = flights.table()
    train, test = flights.split(len(table.y), split, n_rows, seed)
    model = flights.boosting(table.matrix(groups, train), table.y[train], seed)
    return model, table.matrix(groups, test), table.y[test]


@lru_cache(maxsize=512)
def auc_of(groups: tuple[Group, ...], split: Split, n_rows: int, seed: int) -> float:
    """Return the AUC of a model with some groups of columns."""
    model, X, y = fitted(groups, split, n_rows, seed)
    return logistic.auc(y, model.predict_proba(X)[:, 1])


@lru_cache(maxsize=64)
def served_aucs(params: AvailabilityParams, seed: int) -> tuple[float, dict[Moment, float]]:
    """Return the AUC of the model with every column in the last quarter, and the same served at
    each moment.
    """
    model, X, y = fitted(params.chosen, "in time order", params.n_rows, seed)
    aucs: dict[Moment, float] = {}
    for moment in MOMENTS:
        known = flights.table().columns(params.chosen, params.known(moment))
        aucs[moment] = logistic.auc(y, model.predict_proba(np.where(known, X, np.nan))[:, 1])
    return logistic.auc(y, model.predict_proba(X)[:, 1]), aucs


def steps(params: AvailabilityParams) -> Steps:
    """Fit what every moment needs: a ``Progress`` with the result so far before each fit.

    Returns
    -------
    AvailabilityResult
        With ``complete`` set.
    """
    seeds = range(params.seed, params.seed + params.n_seeds)
    distinct = {params.known(moment) for moment in MOMENTS}
    n_fits = 2 * len(seeds) * (1 + len(distinct - {(), params.chosen}))
    done = 0
    result = AvailabilityResult(params, {}, {})

    def turn(calls: Iterator[partial[Any]], message: str) -> Steps:
        nonlocal done
        values = []
        for call in calls:
            values.append(
                (yield from in_thread(caller, call, Progress(done / n_fits, message, result)))
            )
            done += 1
            yield Progress(done / n_fits, message, result)
        return values

    with ThreadPoolExecutor(1) as caller:
        yield Progress(0, "reading the flights", result)
        yield from in_thread(caller, flights.table, Progress(0, "reading the flights", result))
        reported = yield from turn(
            (partial(auc_of, params.chosen, "random", params.n_rows, seed) for seed in seeds),
            "all columns",
        )
        served = yield from turn(
            (partial(served_aucs, params, seed) for seed in seeds), "all columns, in time order"
        )
        result = replace(
            result,
            with_all={
                "random": np.array(reported),
                "in time order": np.array([ordered for ordered, _ in served]),
            },
        )
        leak_free: dict[tuple[Group, ...], dict[Split, np.ndarray | None]] = {
            (): dict.fromkeys(SPLITS),
            params.chosen: dict(result.with_all),
        }
        for moment in MOMENTS:
            groups = params.known(moment)
            if groups not in leak_free:
                pair: dict[Split, np.ndarray | None] = {}
                for split in SPLITS:
                    calls = (partial(auc_of, groups, split, params.n_rows, seed) for seed in seeds)
                    pair[split] = np.array(
                        (yield from turn(calls, f"what is known at {moment}, {split}"))
                    )
                leak_free[groups] = pair
            here = Served(leak_free[groups], np.array([aucs[moment] for _, aucs in served]))
            result = replace(result, by_moment={**result.by_moment, moment: here})
    return replace(result, complete=True)


@lru_cache(maxsize=8)
def _whole(params: AvailabilityParams) -> AvailabilityResult:
    result: AvailabilityResult = run_to_end(steps(params))
    return result


def run(params: AvailabilityParams) -> AvailabilityResult:
    """Fit everything here and now."""
    return replace(_whole(base(params)), params=params)


TYPICAL_SECONDS = 10.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server computes before the first visit."""
    return steps, AvailabilityParams()
