"""Lineage: which rows made each synthetic row, and which rule removed each removed one, for every
sampler of imbalanced-learn.

Real: imbalanced-learn resamples; its samplers note their own choices while they run
(``imblearn_internals``), and removed rows are explained by their method's definition
(``removal``). Minority rows are divided into safe, borderline, rare and
outlier by their five nearest neighbours (Napierala & Stefanowski 2016). With more than two classes
the library does what it does with them (``samplers.task``). Simplified: two features on the page
(``resample`` takes any number).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.errors import InputError, require
from engine.jobs import Progress, Steps
from engine.sampling.lineage.refusals import in_plain_words
from engine.sampling.lineage.removal import explain
from engine.sampling.lineage.result import KINDS, LineageParams, LineageResult
from engine.sampling.points import Points
from engine.sampling.samplers import (
    AGAINST_REST,
    BOTH,
    METHODS,
    OVER,
    SLOW,
    Task,
    coordinates,
    sampler_settings,
    task,
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
        Too few points of a class, k not below the minority's size, an aim below what is there, a
        minority that is none.
    """
    n_minority, n_majority = rows.n_minority, len(rows.y) - rows.n_minority
    method, k = params.method, params.k_neighbors
    # Borderline-SMOTE looks only where it finds a borderline point
    within = method in BOTH or (
        method in OVER and uses_k(method) and not method.startswith("Borderline")
    )
    require(
        n_minority >= 1 + within and n_majority >= 1 + within,
        "Each class must have at least {}. Got {:,} minority and {:,} majority. Raise Rows or"
        " Minority share, draw more points, or choose another Label or Method.",
        *("two points" if within else "one point", n_minority, n_majority),
    )
    if method.startswith("NearMiss"):  # NearMiss 2 takes all there are
        require(
            method == "NearMiss 2" or k <= n_minority,
            "k must be at most the {:,} minority points whose distances {} takes. Got k = {}. Lower"
            " Neighbours k, or take more minority points.",
            *(n_minority, method, k),
        )
    elif uses_k(method):
        require(
            k < (n_minority if within else len(rows.y)),
            "k must be below the {:,} points in which {} looks for neighbours: no point is its own"
            " neighbour. Got k = {}. Lower Neighbours k, or take more minority points.",
            *(n_minority if within else len(rows.y), method, k),
        )
    _check_sizes(params, rows)


def _check_sizes(params: LineageParams, rows: Points) -> None:
    """Refuse a minority that is none, or that has the ratio asked for already."""
    alone = params.method in AGAINST_REST or not rows.has_more_classes
    n_minority = rows.n_minority
    n_other = len(rows.y) - n_minority if alone else rows.n_largest
    others = "all others together" if alone else "the largest other class"
    counted = params.method in AGAINST_REST or uses_ratio(params.method)
    if rows.codes is not None and counted:
        require(
            n_minority < n_other,
            "The minority must have fewer rows than {}. Got {:,} of {} and {:,}. Choose another"
            " Minority, Label or Method.",
            *(others, n_minority, rows.name_of(rows.minority), n_other),
        )
    if uses_ratio(params.method):
        require(
            params.ratio > n_minority / n_other,
            "ratio must be above the present one, {:.2f} ({:,} to {:,}). Got {:.2f}. Raise Ratio"
            " after, or take fewer minority points.",
            *(n_minority / n_other, n_minority, n_other, params.ratio),
        )
    if params.method in (*OVER, *BOTH):
        require(
            int(params.ratio * n_other - n_minority) > 0,
            "ratio must ask for one more minority point at least. Got {:.2f}: {:.1f} of {:,} to"
            " {:,}. Raise Ratio after.",
            *(params.ratio, params.ratio * n_other, n_minority, n_other),
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
            f"{params.method} refuses these points: {in_plain_words(str(error))} Choose"
            " another method, or change k or the share."
        ) from error


def _over(rows: Points, params: LineageParams) -> LineageResult:
    from engine.sampling.lineage import imblearn_internals
    from engine.sampling.lineage.record import Record

    method = "SMOTE" if params.method in BOTH else params.method
    given = task(method, params.ratio, rows)
    name, settings = sampler_settings(method, params.k_neighbors, given.strategy, params.seed)
    sampler = getattr(imblearn_internals, name.split(".")[1])(**settings)
    X, y = sampler.fit_resample(given.X, given.y)
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
        return replace(
            result,
            synthetic_category=X[len(rows.y) :, -1].astype(str),
            penalty=float(sampler.median_std_.get(given.minority, 0.0)),
        )
    return _cleaned(result) if params.method in BOTH else result


def _cleaned(result: LineageResult) -> LineageResult:
    """Return SMOTE's result after the cleaning of SMOTE + ENN or SMOTE + Tomek, of both classes."""
    from imblearn import under_sampling

    rule = "ENN" if result.params.method == "SMOTE + ENN" else "Tomek links"
    name, _ = sampler_settings(rule, 3, 1.0, 0)
    cleaner = getattr(under_sampling, name.split(".")[1])(sampling_strategy="all")
    given = Task(result.resampled, result.resampled_y, result.points.minority, "all")
    cleaned, cleaned_y = cleaner.fit_resample(given.X, given.y)
    removal = explain(rule, cleaner, given, cleaner.sample_indices_, 3)
    return replace(result, removal=removal, resampled=cleaned, resampled_y=cleaned_y)


def _under(rows: Points, params: LineageParams) -> LineageResult:
    from imblearn import under_sampling

    unchanged = LineageResult(
        params=params, points=rows, synthetic=rows.X[:0], resampled=rows.X, resampled_y=rows.labels
    )
    if params.method == "none":
        return unchanged
    given = task(params.method, params.ratio, rows)
    name, settings = sampler_settings(
        params.method, params.k_neighbors, given.strategy, params.seed
    )
    sampler = getattr(under_sampling, name.split(".")[1])(**settings)
    X, y = sampler.fit_resample(given.X, given.y)
    if params.method == "cluster centroids":  # none of the classes that are cut stays
        cut = list(sampler.sampling_strategy_)
        kept = np.flatnonzero(~np.isin(given.y, cut))
        result = replace(unchanged, resampled=X, resampled_y=y, centroids=X[np.isin(y, cut)])
    else:
        kept = sampler.sample_indices_
        as_one = given.y is not rows.labels  # the rest, of more than two classes
        result = replace(unchanged, resampled=X, resampled_y=rows.labels[kept] if as_one else y)
    removal = explain(params.method, sampler, given, kept, params.k_neighbors, (X, y))
    return replace(result, removal=removal)


def run(params: LineageParams) -> LineageResult:
    """Resample the points that the params ask for."""
    return resample(params.points(), params)


def steps(params: LineageParams) -> Steps:
    """Resample as a job: for the methods in SLOW."""
    yield Progress(0.0, f"{params.method} checks every majority point")
    return run(params)
