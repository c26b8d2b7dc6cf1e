"""The audit against known truth: injected leaks of every kind and clean tables, hits, misses and
false alarms, Wilson intervals.

Real: every table is audited whole, with the roles that its kind needs; every leak's effect on a
score is measured with a random forest. Only seeds of ``plants.EVALUATION_SEEDS`` are used; no
threshold was tuned on them. A leak counts for recall when it moves the score by ``MOVED`` or
more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import pyarrow as pa

from engine.jobs import Progress, Steps, to_end
from engine.leakage import audit, plants
from engine.leakage.audit.findings import DETECTORS
from engine.leakage.plants import EVALUATION_SEEDS, HIDDEN_KIND, PLANT_KINDS, Made
from engine.ranges import Params, Range
from engine.statistics import share_interval
from engine.units import format_interval, format_share

MOVED = 0.02
N_SPLITS = 2  # random splits that a plant's effect is the mean of
TEST_SHARE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreboardParams(Params):
    """How many tables: leaky ones of each kind, clean ones (about 38 columns each)."""

    n_plants: Annotated[int, Range(1, 200, options=(1, 10, 30))] = 30
    n_clean: Annotated[int, Range(1, 200)] = 12
    seed: Annotated[int, Range(0, 50_000)] = (
        0  # the first, counted from the evaluation seeds' start
    )


@dataclass(frozen=True, slots=True)
class Trial:
    """One leaky table: how far the leak moves the score, whether an alarm named it, by which
    detectors, and false alarms.
    """

    kind: str
    seed: int
    dose: float
    moved: float
    caught_by: tuple[str, ...]
    false_columns: tuple[str, ...]

    @property
    def counts(self) -> bool:
        """Whether the leak moves the score far enough to count."""
        return self.moved >= MOVED


@dataclass(frozen=True, slots=True)
class CleanTrial:
    """One clean table: columns audited, alarms by detector, columns named by an alarm."""

    seed: int
    n_columns: int
    flagged: tuple[str, ...]
    detectors: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreboardResult:
    """Every table, as far as it has come."""

    params: ScoreboardParams
    trials: tuple[Trial, ...] = ()
    cleans: tuple[CleanTrial, ...] = ()
    complete: bool = False

    def select_kind(self, kind: str) -> list[Trial]:
        """Return the trials of a kind."""
        return [trial for trial in self.trials if trial.kind == kind]

    def select_counted(self, kind: str | None = None) -> list[Trial]:
        """Return the trials that move the score, of one kind or of all kinds that a table shows."""
        return [
            t
            for t in self.trials
            if t.counts and (t.kind == kind if kind is not None else t.kind != HIDDEN_KIND)
        ]

    @property
    def recall(self) -> float:
        """Share of the injected leaks that count and were found, over all visible kinds."""
        counted = self.select_counted()
        return sum(bool(t.caught_by) for t in counted) / max(1, len(counted))

    @property
    def n_clean_columns(self) -> int:
        """Clean columns audited."""
        return sum(c.n_columns for c in self.cleans)

    @property
    def n_false(self) -> int:
        """Clean columns that an alarm named."""
        return sum(len(c.flagged) for c in self.cleans)

    @property
    def false_share(self) -> float:
        """Share of the clean columns that an alarm named."""
        return self.n_false / max(1, self.n_clean_columns)

    @property
    def verdict(self) -> str:
        """Share of the injected leaks found, and of the clean columns flagged, with intervals."""
        counted = self.select_counted()
        if not counted:
            return f"{len(self.trials):,} leaky tables audited so far."
        low, high = share_interval(sum(bool(t.caught_by) for t in counted), len(counted))
        text = (
            f"The audit finds **{format_share(self.recall)}** of {len(counted):,} injected leaks"
            f" ({format_interval(low, high, format_share)})"
        )
        if not self.cleans:
            return text + "; clean tables are next."
        low, high = share_interval(self.n_false, self.n_clean_columns)
        return (
            f"{text} and flags **{format_share(self.false_share)}** of {self.n_clean_columns:,}"
            f" clean columns ({format_interval(low, high, format_share)})."
        )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per kind of leak: how many, how many move the score, found, interval, by what."""
        rows = []
        for kind in (*PLANT_KINDS, HIDDEN_KIND):
            trials, counted = self.select_kind(kind), self.select_counted(kind)
            hits = sum(bool(t.caught_by) for t in counted)
            low, high = share_interval(hits, len(counted))
            by = Counter(name for t in counted for name in t.caught_by)
            quiet = [t for t in trials if not t.counts]
            rows.append(
                {
                    "leak": kind,
                    "visible": kind != HIDDEN_KIND,
                    "injected": len(trials),
                    "move_score": len(counted),
                    "caught": hits,
                    "recall": hits / len(counted) if counted else float("nan"),
                    "low": low,
                    "high": high,
                    "caught_of_the_rest": (
                        f"{sum(bool(t.caught_by) for t in quiet)} of {len(quiet)}"
                    ),
                    "by": ", ".join(f"{name} {n}" for name, n in by.most_common(3)),
                    "false_columns": sum(len(t.false_columns) for t in trials),
                }
            )
        return rows

    @property
    def by_detector(self) -> list[dict[str, Any]]:
        """One row per detector: leaks it found, alarms on clean tables."""
        caught = Counter(name for t in self.select_counted() for name in t.caught_by)
        false = Counter(name for c in self.cleans for name in c.detectors)
        return [
            {"detector": name, "leaks found": caught[name], "alarms on clean tables": false[name]}
            for name in DETECTORS
        ]

    def table(self) -> pa.Table:
        """Return one row for each kind of leak."""
        return pa.Table.from_pylist(self.rows)


def make_matrix(table: pa.Table, features: Iterable[str]) -> np.ndarray:
    """Return the features as numbers: text as the rank of its value, empty cells as nan."""
    columns = []
    for name in features:
        values = table.column(name).combine_chunks()
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            texts = np.array([str(v) for v in values.to_pylist()])
            columns.append(np.unique(texts, return_inverse=True)[1].astype(float))
        else:
            columns.append(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    return np.column_stack(columns)


def _forest_score(
    x: np.ndarray, y: np.ndarray, test_x: np.ndarray, test_y: np.ndarray, seed: int
) -> float:
    """Return a random forest's AUC on test rows, or its R² where the target is a number; nan with
    one class to test on.
    """
    if len(np.unique(test_y)) < 2:
        return float("nan")
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.metrics import r2_score, roc_auc_score

    settings: dict[str, Any] = {"n_estimators": 24, "min_samples_leaf": 2, "random_state": seed}
    if len(np.unique(y)) == 2:
        model = RandomForestClassifier(**settings).fit(x, y)
        return float(roc_auc_score(test_y, model.predict_proba(test_x)[:, 1]))
    return float(
        r2_score(
            test_y, RandomForestRegressor(**settings, max_features=0.5).fit(x, y).predict(test_x)
        )
    )


def measure_effect(made: Made) -> float:
    """Return how far the leak moves the score that one would report.

    A leak in columns: with them less without them, same rows. A leak in the split: on the table's
    own test rows less on fresh rows that no leak touches. Mean over ``N_SPLITS`` splits at random;
    a biased choice of test rows stays as it is.
    """
    y = made.table.column(made.target).to_numpy().astype(float)
    x = make_matrix(made.table, made.features)
    honest = [place for place, name in enumerate(made.features) if name not in made.planted]
    if made.unseen is not None:
        x = np.column_stack([x, make_matrix(made.unseen, made.unseen.column_names)])
    given = (
        made.table.column("part").to_numpy(zero_copy_only=False) == "test"
        if "part" in made.table.column_names
        else None
    )
    gaps = []
    for turn in range(N_SPLITS):
        drawn = np.random.default_rng(turn).random(len(y)) < TEST_SHARE
        test = given if given is not None and (turn == 0 or made.kept_split) else drawn
        reported = _forest_score(x[~test], y[~test], x[test], y[test], turn)
        if made.fresh is None:
            gaps.append(
                reported
                - _forest_score(x[~test][:, honest], y[~test], x[test][:, honest], y[test], turn)
            )
        else:
            fresh_x, fresh_y = (
                make_matrix(made.fresh, made.features),
                made.fresh.column(made.target).to_numpy().astype(float),
            )
            gaps.append(reported - _forest_score(x[~test], y[~test], fresh_x, fresh_y, turn))
        if made.kept_split and turn == 0 and made.fresh is not None:
            break
    return float(np.mean(gaps))


def judge(kind: str, seed: int) -> Trial:
    """Inject a leak, audit the table, measure the effect."""
    made = plants.planted(kind, seed)
    result = audit_made(made)
    ours = {*made.planted, *made.also_named}
    hits = [f for f in result.alarms if (not made.planted or set(made.planted) & set(f.columns))]
    false = () if not made.planted else tuple(name for name in result.flagged if name not in ours)
    return Trial(
        kind,
        seed,
        made.dose,
        measure_effect(made),
        tuple(dict.fromkeys(f.detector for f in hits)),
        false,
    )


def judge_clean(seed: int) -> CleanTrial:
    """Audit a clean table; the columns with a role (time, group) count as well."""
    made = plants.clean(seed)
    result = audit_made(made)
    nameless = tuple(f"({f.detector})" for f in result.alarms if not f.columns)
    return CleanTrial(
        seed,
        made.table.num_columns - 1 - (made.split is not None),
        tuple(dict.fromkeys((*result.flagged, *nameless))),
        tuple(f.detector for f in result.alarms),
    )


def audit_made(made: Made) -> audit.AuditResult:
    """Audit a synthetic table with the roles that its kind needs."""
    return audit.audit_table(
        made.table,
        made.target,
        time=made.time,
        group=made.group,
        split=made.split,
        known_at=made.known_at,
    )


def steps(params: ScoreboardParams) -> Steps:
    """Judge every table: a ``Progress`` with the result so far for each.

    Returns
    -------
    ScoreboardResult
        With ``complete`` set.
    """
    result = ScoreboardResult(params)
    first = EVALUATION_SEEDS.start + params.seed
    jobs = [
        (kind, first + i) for i in range(params.n_plants) for kind in (*PLANT_KINDS, HIDDEN_KIND)
    ]
    n = len(jobs) + params.n_clean
    for done, (kind, seed) in enumerate(jobs):
        yield Progress(done / n, f"{kind}, seed {seed}", result)
        result = replace(result, trials=(*result.trials, judge(kind, seed)))
    for done in range(params.n_clean):
        yield Progress(
            (len(jobs) + done) / n, f"clean table {done + 1} of {params.n_clean}", result
        )
        result = replace(result, cleans=(*result.cleans, judge_clean(first + done)))
    return replace(result, complete=True)


run: Callable[[ScoreboardParams], ScoreboardResult] = to_end(steps)
