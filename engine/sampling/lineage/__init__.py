"""Lineage: which rows made each synthetic row, and which rule removed each removed one, for every
sampler of imbalanced-learn.

Real: imbalanced-learn resamples; its samplers note their own choices while they run
(``imblearn_internals``), and removed rows are explained by their method's definition
(``removal``). Minority rows are divided into safe, borderline, rare and
outlier by their five nearest neighbours (Napierala & Stefanowski 2016). Simplified: two classes,
two features on the page (``resample`` takes any number).
"""

from __future__ import annotations

from dataclasses import replace

from engine.errors import InputError, require
from engine.jobs import Progress, Steps
from engine.sampling.lineage.removal import explain
from engine.sampling.lineage.result import KINDS, LineageParams, LineageResult
from engine.sampling.points import Points
from engine.sampling.samplers import (
    BOTH,
    METHODS,
    OVER,
    SLOW,
    coordinates,
    features,
    sampler_settings,
    uses_k,
    uses_ratio,
)

__all__ = [
    "KINDS",
    "METHODS",
    "SLOW",
    "LineageParams",
    "LineageResult",
    "resample",
    "run",
    "steps",
    "uses_k",
    "uses_ratio",
]


def check(params: LineageParams, rows: Points) -> None:
    """Refuse what the library would refuse, in plain words, with the control to change.

    Raises
    ------
    InputError
        Fewer than two points of a class, k not below the minority's size, an aim below what is
        there.
    """
    n_minority, n_majority = rows.n_minority, len(rows.y) - rows.n_minority
    require(
        n_minority >= 2 and n_majority >= 2,
        "Each class must have at least two points. Got {:,} minority and {:,} majority. Raise Rows"
        " or Minority share, draw more points, or choose another Label.",
        *(n_minority, n_majority),
    )
    method, k = params.method, params.k_neighbors
    within = method in BOTH or (method in OVER and uses_k(method))
    pool = (
        n_minority
        if within or method in ("NearMiss 1", "NearMiss 2", "NearMiss 3")
        else len(rows.y)
    )
    if uses_k(method):
        require(
            k < pool,
            "k must be below the {:,} points in which {} looks for neighbours: no point is its own"
            " neighbour. Got k = {}. Lower Neighbours k, or take more minority points.",
            *(pool, method, k),
        )
    if uses_ratio(method):
        require(
            params.ratio > n_minority / n_majority,
            "ratio must be above the present one, {:.2f} ({:,} to {:,}). Got {:.2f}. Raise Ratio"
            " after, or take fewer minority points.",
            *(n_minority / n_majority, n_minority, n_majority, params.ratio),
        )


def resample(rows: Points, params: LineageParams) -> LineageResult:
    """Resample any rows (d features) as ``params`` says, and return each row's origin or the reason
    of its removal.

    Raises
    ------
    InputError
        See ``check``; or the library's own refusal, in its words.
    """
    check(params, rows)
    try:
        return _over(rows, params) if params.method in (*OVER, *BOTH) else _under(rows, params)
    except (ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{params.method} refuses these points: {error} Choose another method, or change k or"
            " the share."
        ) from error


def _over(rows: Points, params: LineageParams) -> LineageResult:
    from engine.sampling.lineage import imblearn_internals
    from engine.sampling.lineage.record import Record

    method = "SMOTE" if params.method in BOTH else params.method
    name, settings = sampler_settings(method, params.k_neighbors, params.ratio, params.seed)
    sampler = getattr(imblearn_internals, name.split(".")[1])(**settings)
    X, y = sampler.fit_resample(features(method, rows), rows.y)
    resampled = coordinates(method, X, rows)
    result = LineageResult(
        params=params,
        points=rows,
        record=Record.joined(sampler.records_, params.k_neighbors),
        synthetic=resampled[len(rows.y) :],
        resampled=resampled,
        resampled_y=y,
    )
    if method == "SMOTE-NC":
        return replace(result, synthetic_category=X[len(rows.y) :, 2].astype(str))
    return _cleaned(result) if params.method in BOTH else result


def _cleaned(result: LineageResult) -> LineageResult:
    """Return SMOTE's result after the cleaning of SMOTE + ENN or SMOTE + Tomek, of both classes."""
    from imblearn import under_sampling

    rule = "ENN" if result.params.method == "SMOTE + ENN" else "Tomek links"
    name, _ = sampler_settings(rule, 3, 1.0, 0)
    cleaner = getattr(under_sampling, name.split(".")[1])(sampling_strategy="all")
    X, y = result.resampled, result.resampled_y
    cleaned, cleaned_y = cleaner.fit_resample(X, y)
    removal = explain(rule, cleaner, X, y, cleaner.sample_indices_, 3)
    return replace(result, removal=removal, resampled=cleaned, resampled_y=cleaned_y)


def _under(rows: Points, params: LineageParams) -> LineageResult:
    from imblearn import under_sampling

    unchanged = LineageResult(
        params=params, points=rows, synthetic=rows.X[:0], resampled=rows.X, resampled_y=rows.y
    )
    if params.method == "none":
        return unchanged
    name, settings = sampler_settings(params.method, params.k_neighbors, params.ratio, params.seed)
    sampler = getattr(under_sampling, name.split(".")[1])(**settings)
    X, y = sampler.fit_resample(rows.X, rows.y)
    result = replace(unchanged, resampled=X, resampled_y=y)
    kept = unchanged.minority_index
    if params.method == "cluster centroids":  # none of the majority stays
        result = replace(result, centroids=X[y == 0])
    else:
        kept = sampler.sample_indices_
    removal = explain(params.method, sampler, rows.X, rows.y, kept, params.k_neighbors)
    return replace(result, removal=removal)


def run(params: LineageParams) -> LineageResult:
    """Resample the points that the params ask for."""
    return resample(params.points(), params)


def steps(params: LineageParams) -> Steps:
    """Resample as a job: for the methods in SLOW."""
    yield Progress(0.0, f"{params.method} checks every majority point")
    return run(params)
