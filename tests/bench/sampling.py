"""The Sampling lab in the bench."""

from __future__ import annotations

import statistics
from dataclasses import replace
from functools import partial

import numpy as np
from imblearn.over_sampling import SMOTE

from engine.jobs import timed
from engine.sampling import arena, focal, lineage, splits, survey
from engine.sampling.lineage import figure as lineage_figures
from engine.sampling.points import Points
from tests.bench.harness import N_TWEAKS, Tab, measure, payloads, slider, spread

BEFORE_SPLIT, SURVEY = (
    f".st-key-{key} [role=radio]" for key in ("before_split_score", "survey_view")
)
TABS = (
    Tab(
        "Arena (measured, alarms a day)",
        "sampling?sampling_tab=Arena",
        slider("budget_per_day"),
        "budget_recall",
    ),
    Tab(
        "Survey, how many rows (measured)",
        "sampling?sampling_tab=Survey&survey_subject=How+many+rows",
        slider("precision_n_rows"),
        "precision_rows",
    ),
    Tab(
        "Arena (measured, threshold)",
        "sampling?sampling_tab=Arena&arena_subject=Strategies",
        slider("arena_threshold"),
        "arena_precision_recall",
    ),
    Tab(
        "Before-split (measured, other score)",
        "sampling?sampling_tab=Before-split+trap",
        BEFORE_SPLIT,
        "before_split_chart",
    ),
    Tab("Focal loss (γ)", "sampling?sampling_tab=Focal+loss", slider("focal_gamma"), "focal_loss"),
    Tab(
        "Survey (measured, look closer)",
        "sampling?sampling_tab=Survey",
        SURVEY,
        "survey_estimates",
    ),
    Tab(
        "Splits (folds)",
        "sampling?sampling_tab=Splits&splits_view=Empty+folds",
        slider("splits_n_splits"),
        "splits_bands",
    ),
    Tab(
        "SMOTE step-by-step (k, 2,000 rows)",
        "sampling?lineage_n_rows=2,000",
        slider("lineage_k_neighbors"),
        "lineage_plane",
    ),
)


def compute() -> None:
    """Print what lineage adds to SMOTE alone on 100,000 rows, and what dragging k costs in each
    method at 2,000.
    """
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [90_000, 10_000])
    for n_features in (2, 10):
        rows = Points(
            rng.normal(size=(len(y), n_features)) + y[:, np.newaxis], y, np.full(len(y), "a")
        )
        library = SMOTE(sampling_strategy=1.0, random_state=0)
        runs: dict[str, list[float]] = {"library": [], "lineage": []}
        for _ in range(N_TWEAKS):
            runs["library"].append(timed(lambda: library.fit_resample(rows.X, rows.y))[0])  # noqa: B023
            runs["lineage"].append(
                timed(partial(lineage.resample, rows, lineage.LineageParams(ratio=1.0)))[0]
            )
        ratio = statistics.median(runs["lineage"]) / statistics.median(runs["library"])
        print(
            f"  100,000-row SMOTE with lineage, {n_features} features: {ratio:.2f} × the library"
            " alone (goal ≤ 1.3)"
        )
    survey.population("dep_delay", "carrier")
    asked = survey.SurveyParams()
    schemes = [timed(lambda: survey.run(replace(asked, seed=i)))[0] for i in range(5)]  # noqa: B023
    print(
        f"  Survey, {len(survey.SCHEMES)} schemes × 500 samples of 1,000: {spread(schemes)} s (goal"
        " ≤ 3)"
    )
    met = arena.run(arena.ArenaParams(n_rows=3_000, repeats=2))
    measure("Arena, threshold (never refits)", lambda i: met.rows(i / N_TWEAKS, 10, 1))
    measure("Focal loss, γ", lambda i: focal.run(focal.FocalParams(gamma=i / 5)))
    measure("Splits, folds", lambda i: splits.run(splits.SplitsParams(n_splits=2 + i % 9, seed=i)))
    for method in lineage.METHODS:
        points = lineage.LineageParams(method=method, source="overlap", n_rows=2_000)
        measure(f"{method}, k", lambda i: lineage.run(replace(points, k_neighbors=1 + i)))  # noqa: B023
    payloads(
        {
            "SMOTE step-by-step": lineage_figures.plane(
                lineage.run(lineage.LineageParams(n_rows=2_000))
            )
        }
    )
