"""Famous leaks: five published ones, recreated small; what a model reports, what it gives in
production, and which check of the audit finds which.

Real: the facts that ``engine.leakage.famous.cases`` cites, boosting of scikit-learn, every detector
of the audit. Recreated: the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.jobs import Progress, Steps, in_thread, to_end
from engine.leakage.audit import audit_table
from engine.leakage.audit.result import AuditResult
from engine.leakage.famous.cases import CASES, Recreated, recreate
from engine.leakage.famous.params import FamousParams
from engine.leakage.famous.result import CaseRun, FamousResult, Found

__all__ = ["FamousParams", "FamousResult", "run", "steps"]

N_TREES = 60
N_PREVIEW_TREES = 10


def matrix(table: pa.Table, features: tuple[str, ...], known: dict[str, list[Any]]) -> np.ndarray:
    """Return the features as numbers, (n, d); a text is its place among the ``known`` values of
    its column, one that is not among them and a null are nan.
    """
    columns = []
    for name in features:
        values = table[name]
        if pa.types.is_string(values.type):
            values = pc.index_in(values, pa.array(known[name], pa.string()))
        columns.append(values.cast(pa.float64()).to_numpy(zero_copy_only=False))
    return np.column_stack(columns)


def score(made: Recreated, seed: int, n_trees: int = N_TREES) -> tuple[float, float, float]:
    """Return the AUC on the table's own test rows, that in production, and that in production of
    the same model without the columns that leak.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    test = np.asarray(made.table["part"]) == "test"
    y, later = (np.asarray(table["y"]) for table in (made.table, made.fresh))
    texts = [f for f in made.features if pa.types.is_string(made.table[f].type)]
    known = {name: sorted(filter(None, set(made.table[name].to_pylist()))) for name in texts}
    aucs = []
    for features in (
        made.features,
        tuple(name for name in made.features if name not in made.leaks),
    ):
        X, fresh = (matrix(table, features, known) for table in (made.table, made.fresh))
        model = HistGradientBoostingClassifier(
            max_iter=n_trees, max_leaf_nodes=15, random_state=seed
        )
        model.fit(X[~test], y[~test])
        aucs += [
            float(roc_auc_score(truth, model.predict_proba(rows)[:, 1]))
            for rows, truth in ((X[test], y[test]), (fresh, later))
        ]
    reported, production, _, without = aucs
    return reported, production, without


def found(result: AuditResult, made: Recreated) -> Found:
    """Return which checks name a column that leaks (or the rows' order, or the groups), and which
    other columns are named.
    """
    hits = {
        finding.detector
        for finding in result.alarms
        if set(finding.columns) & set(made.leaks)
        or (finding.detector == "row order" and "row" in made.leaks)
        or (finding.detector == "group overlap" and made.group)
    }
    others = {name for finding in result.alarms for name in finding.columns} - set(made.leaks)
    return Found(tuple(sorted(hits)), tuple(sorted(others - {made.group})))


def one(case: str, seed: int) -> CaseRun:
    """Recreate a case, score it and audit it: with nothing named but the split, and with the
    group.
    """
    made = recreate(case, seed)
    plain = found(audit_table(made.audited, "y", split="part"), made)
    named = plain
    if made.group:
        named = found(audit_table(made.audited, "y", split="part", group=made.group), made)
    return CaseRun(case, seed, *score(made, seed), plain, named)


def steps(params: FamousParams) -> Steps:
    """Recreate every case as often as asked: a ``Progress`` before each, with the result so far.

    Returns
    -------
    FamousResult
        With ``complete`` set.
    """
    result = FamousResult(params, ())
    n_turns = len(CASES) * params.repeats
    with ThreadPoolExecutor(1) as caller:
        for turn in range(n_turns):
            repeat, place = divmod(turn, len(CASES))
            progress = Progress(turn / n_turns, CASES[place], result if repeat else None)
            yield progress
            call = partial(one, CASES[place], params.seed + repeat)
            done = yield from in_thread(caller, call, progress)
            result = replace(result, runs=(*result.runs, done))
    return replace(result, complete=True)


def preview(params: FamousParams) -> FamousResult:
    """Return one table of each case, scored by a smaller model and not audited."""
    runs = []
    for case in CASES:
        aucs = score(recreate(case, params.seed), params.seed, N_PREVIEW_TREES)
        runs.append(CaseRun(case, params.seed, *aucs, None, None))
    return FamousResult(params, tuple(runs))


TYPICAL_SECONDS = 8.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server computes before its first visitor: steps and their params."""
    return steps, FamousParams()


run: Callable[[FamousParams], FamousResult] = to_end(steps)
