"""Lineage: which rows made each synthetic row, and which rule removed each removed one, for every
sampler of imbalanced-learn.

Real: imbalanced-learn resamples; recorders note its own choices while it runs
(``engine.sampling.lineage.recorders``), and removed rows are explained by their method's definition
(``engine.sampling.lineage.removal``). Minority rows are told apart as safe, borderline, rare and
outlier by their five nearest neighbours (Napierala & Stefanowski 2016). Simplified: two classes,
two features on the page (``resample`` takes any number).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from engine.errors import InputError, require, require_choice
from engine.jobs import Progress, Steps
from engine.sampling import points
from engine.sampling.lineage.removal import Removal, explain, nearest
from engine.sampling.points import DRAWN, SOURCES, Points, Source
from engine.sampling.samplers import (
    BOTH,
    METHODS,
    OVER,
    SLOW,
    Method,
    coordinates,
    features,
    sampler_settings,
    uses_k,
    uses_ratio,
)

__all__ = [
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

FEWER_BECAUSE = {  # why a method makes another number of points than the ratio asks for
    "Borderline-1": "it starts only from points in danger, and there is none",
    "Borderline-2": "it starts only from points in danger, and there is none",
    "SVM-SMOTE": (
        "of its support vectors all are in danger or none is, and the library leaves the other"
        " kind's part out"
    ),
    "K-Means-SMOTE": "each cluster's part is rounded up",
    "ADASYN": "each point's part is rounded",
}
KINDS = ("safe", "borderline", "rare", "outlier")
SAME_CLASS_OF_KIND = (4, 2, 1, 0)  # at least so many of five neighbours are of the row's own class


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageParams:
    """Which points are resampled, and how."""

    source: Source = "blobs"
    n_rows: int = 400  # 20 … 5,000; of an upload at most
    minority_share: float = 0.12  # 0.01 … 0.5; not for "few", uploads and drawings
    method: Method = "SMOTE"
    k_neighbors: int = 5  # neighbours that the method looks at, 1 … 50
    ratio: float = 0.5  # minority by majority afterwards, 0.05 … 1; cleaning methods take no aim
    seed: int = 0
    x_column: str = "dep_delay"  # of flights and uploads
    y_column: str = "air_time"
    label: str = ""  # column of an upload with two values
    upload: str = ""  # path of the uploaded file, with source "upload"
    drawn: str = DRAWN  # x,y,class;… with source "drawn"

    def __post_init__(self) -> None:
        require_choice("source", self.source, SOURCES)
        require_choice("method", self.method, METHODS)
        require(
            20 <= self.n_rows <= points.MAX_ROWS,
            "n_rows must be 20 … {:,}. Got {}.",
            points.MAX_ROWS,
            self.n_rows,
        )
        require(
            0.01 <= self.minority_share <= 0.5,
            "minority_share must be 0.01 … 0.5. Got {}.",
            self.minority_share,
        )
        require(
            1 <= self.k_neighbors <= 50, "k_neighbors must be 1 … 50. Got {}.", self.k_neighbors
        )
        require(0.05 <= self.ratio <= 1, "ratio must be 0.05 … 1. Got {}.", self.ratio)
        require(0 <= self.seed < 2**31, "seed must be 0 … 2,147,483,647. Got {}.", self.seed)
        points.drawn_points(self.drawn)

    def points(self) -> Points:
        """Return the rows to resample."""
        return points.make(
            self.source,
            n_rows=self.n_rows,
            minority_share=self.minority_share,
            seed=self.seed,
            columns=(self.x_column, self.y_column),
            label=self.label,
            upload=self.upload,
            drawn=self.drawn,
        )


@dataclass(frozen=True, slots=True, eq=False)
class LineageResult:
    """The input, the s rows made from it and the rows taken out. Row numbers count input rows
    first, then synthetic ones.
    """

    params: LineageParams
    points: Points
    seed_index: np.ndarray  # (s,) input row that the synthetic row starts from
    neighbour_index: (
        np.ndarray
    )  # (s,) input row that it goes to; the seed where it is a copy or a vote
    step: np.ndarray  # (s,) share of the way
    neighbour_weight: np.ndarray  # (s,) 1, but in Borderline-2
    neighbours: np.ndarray  # (s, k) input rows that could have been chosen, nearest first
    synthetic: np.ndarray  # (s, d) as the library made them
    synthetic_category: np.ndarray  # (s,) text, or empty: only SMOTE-NC chooses one
    removal: Removal
    centroids: np.ndarray  # (c, d) that replace the majority, of cluster centroids only
    resampled: np.ndarray  # (r, d) rows, the library's own answer
    resampled_y: np.ndarray  # (r,)

    @property
    def n_synthetic(self) -> int:
        """Rows made."""
        return len(self.seed_index)

    @property
    def n_removed(self) -> int:
        """Rows taken out, synthetic ones included."""
        return len(self.removal.index)

    @property
    def minority_index(self) -> np.ndarray:
        """Input rows of the minority, (m,)."""
        return np.flatnonzero(self.points.y == 1)

    def kinds(self) -> np.ndarray:
        """Return the kind of each minority row, (m,) places in KINDS."""
        rows = self.minority_index
        k = min(5, len(self.points.y) - 1)
        _, near = nearest(self.points.X, np.arange(len(self.points.y)), rows, k)
        same = self.points.y[near].sum(axis=1) * 5 / k
        return np.asarray(
            [
                next(i for i, least in enumerate(SAME_CLASS_OF_KIND) if n >= least)
                for n in np.floor(same)
            ]
        )

    @property
    def among_majority_share(self) -> float:
        """Share of the synthetic rows whose nearest input row is of the majority, 0–1."""
        if not self.n_synthetic:
            return 0.0
        _, near = nearest(
            np.vstack([self.points.X, self.synthetic]), np.arange(len(self.points.y)), self._made, 1
        )
        return float((self.points.y[near[:, 0]] == 0).mean())

    @property
    def ratio_after(self) -> float:
        """Minority rows for each majority row afterwards."""
        n_minority = int(self.resampled_y.sum())
        return n_minority / max(1, len(self.resampled_y) - n_minority)

    @property
    def n_wanted(self) -> int:
        """Rows that an over-sampler has to make to reach the ratio asked for."""
        n_minority = self.points.n_minority
        return int(self.params.ratio * (len(self.points.y) - n_minority) - n_minority)

    @property
    def _made(self) -> np.ndarray:
        return len(self.points.y) + np.arange(self.n_synthetic)

    @property
    def n_parents(self) -> int:
        """Minority rows that at least one synthetic row starts from or goes to."""
        parents = np.unique(np.concatenate([self.seed_index, self.neighbour_index]))
        return int(self.points.y[parents].sum())  # Borderline-2 goes towards majority rows as well

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        n_majority, n_minority = len(self.points.y) - self.points.n_minority, self.points.n_minority
        parts = []
        if self.n_synthetic:
            made = "copies" if self.params.method == "random over" else "synthetic points"
            parts.append(
                f"{self.params.method} made **{self.n_synthetic:,}** {made} from {self.n_parents:,}"
                f" of {n_minority:,} minority points; {self.among_majority_share:.0%} of them lie"
                " nearest to a majority point"
            )
        if self.n_removed:
            who = "points" if parts else f"of {n_majority:,} majority points"
            parts.append(
                f"{'' if parts else self.params.method + ' '}removed **{self.n_removed:,}** {who}"
            )
        if not parts:
            return (
                f"{self.params.method}: **nothing** changed, {n_minority:,} minority points against"
                f" {n_majority:,} stay."
            )
        return ", and ".join(parts) + "."

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        kinds = np.bincount(self.kinds(), minlength=len(KINDS))
        told = ", ".join(f"{n:,} {kind}" for n, kind in zip(kinds, KINDS, strict=True) if n)
        reasons = [f"Minority points by their five nearest neighbours: {told}."]
        if self.n_synthetic:
            counts = np.bincount(self.seed_index)
            busiest = int(np.argmax(counts))
            reasons.append(
                f"{np.count_nonzero(counts):,} seeds; the busiest, row {busiest:,}, started"
                f" {counts[busiest]:,} points ({counts[busiest] / self.n_synthetic:.0%})."
            )
            if np.ptp(self.step) > 0:
                outwards = (
                    f", {(self.step < 0).mean():.0%} of them away from the neighbour"
                    if (self.step < 0).any()
                    else ""
                )
                reasons.append(
                    f"Steps run from {self.step.min():.2f} to {self.step.max():.2f} of the"
                    f" way{outwards}."
                )
        if self.params.method in FEWER_BECAUSE and self.n_synthetic != self.n_wanted:
            because = FEWER_BECAUSE[self.params.method]
            reasons.append(
                f"The ratio asks for {self.n_wanted:,} new points, {self.n_synthetic:,} were made:"
                f" {because}."
            )
        for count, place in self.removal.groups():
            reasons.append(
                f"{count:,} removed like row {self.removal.index[place]:,}:"
                f" {self.removal.told(place)}."
            )
        n_minority = int(self.resampled_y.sum())
        reasons.append(
            f"Afterwards: {n_minority:,} minority and {len(self.resampled_y) - n_minority:,}"
            " majority points."
        )
        return reasons

    def told(self, made: int) -> str:
        """Return how the ``made``-th synthetic row came about, as a sentence."""
        seed, neighbour = int(self.seed_index[made]), int(self.neighbour_index[made])
        if seed == neighbour:
            return f"Synthetic point {made:,} starts from row {seed:,} alone."
        weight = self.neighbour_weight[made]
        scaled = f" × {weight:.2f} (the neighbour is of the majority)" if weight != 1 else ""
        place = int(np.flatnonzero(self.neighbours[made] == neighbour)[0]) + 1
        return (
            f"Synthetic point {made:,}: from row {seed:,} towards row {neighbour:,}, its neighbour"
            f" {place} of {self.neighbours.shape[1]}, λ = {self.step[made]:.2f}{scaled} of the way."
        )

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "n_rows": len(self.resampled_y),
            "n_minority": int(self.resampled_y.sum()),
            "x_sum": float(self.resampled[:, 0].sum()),
            "y_sum": float(self.resampled[:, 1].sum()),
        }

    def table(self) -> pa.Table:
        """Return one row for each input row, synthetic row and centroid; parents are null where
        there are none.
        """
        n, n_made, n_rest = len(self.points.y), self.n_synthetic, len(self.centroids)
        kind = np.full(n, "", dtype=object)
        kind[self.minority_index] = np.array(KINDS)[self.kinds()]
        told = [""] * n + [self.told(made) for made in range(n_made)] + [""] * n_rest
        stays = np.ones(n + n_made + n_rest, bool)
        stays[self.removal.index] = False
        for place, row in enumerate(self.removal.index):
            told[row] = f"{told[row]} Removed: {self.removal.told(place)}.".strip()
        before, after = [None] * n, [None] * n_rest
        xy = np.vstack([self.points.X[:, :2], self.synthetic[:, :2], self.centroids[:, :2]])
        return pa.table(
            {
                "row": np.arange(n + n_made + n_rest),
                "what": (
                    [("majority", "minority")[y] for y in self.points.y]
                    + ["made"] * n_made
                    + ["centroid"] * n_rest
                ),
                "kind": [*kind, *[""] * (n_made + n_rest)],
                "stays": stays,
                "x": xy[:, 0],
                "y": xy[:, 1],
                "seed_row": pa.array([*before, *self.seed_index.tolist(), *after], pa.int64()),
                "neighbour_row": pa.array(
                    [*before, *self.neighbour_index.tolist(), *after], pa.int64()
                ),
                "step": pa.array([*before, *self.step.tolist(), *after], pa.float64()),
                "neighbour_weight": pa.array(
                    [*before, *self.neighbour_weight.tolist(), *after], pa.float64()
                ),
                "told": told,
            }
        )


def check(params: LineageParams, rows: Points) -> None:
    """Refuse what the library would refuse, in plain words, with the control that mends it.

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
            "ratio must be above what is there, {:.2f} ({:,} to {:,}). Got {:.2f}. Raise the ratio,"
            " or take fewer minority points.",
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
    from imblearn import under_sampling

    from engine.sampling.lineage import recorders

    method: Method = "SMOTE" if params.method in BOTH else params.method
    name, settings = sampler_settings(method, params.k_neighbors, params.ratio, params.seed)
    sampler = getattr(recorders, name.split(".")[1])(**settings)
    n_rows = len(rows.y)
    X, y = sampler.fit_resample(features(method, rows), rows.y)
    record = recorders.Record.joined(sampler.records_, params.k_neighbors)
    resampled = coordinates(method, X, rows)
    synthetic = resampled[n_rows:]
    category = X[n_rows:, 2].astype(str) if method == "SMOTE-NC" else np.empty(0, str)
    removal = NO_REMOVAL
    if params.method in BOTH:
        cleaner = (
            under_sampling.EditedNearestNeighbours(sampling_strategy="all")
            if params.method == "SMOTE + ENN"
            else under_sampling.TomekLinks(sampling_strategy="all")
        )
        resampled, y_clean = cleaner.fit_resample(X, y)
        rule = "ENN" if params.method == "SMOTE + ENN" else "Tomek links"
        removal = explain(rule, cleaner, X, y, cleaner.sample_indices_, 3)
        y = y_clean
    return LineageResult(
        params, rows, record.seed_index, record.neighbour_index, record.step, record.neighbour_weight, record.neighbours,
        synthetic, category, removal, NO_CENTROIDS, resampled, y,
    )  # fmt: skip


def _under(rows: Points, params: LineageParams) -> LineageResult:
    from imblearn import under_sampling

    none = np.empty(0, int)
    nothing = (
        none,
        none,
        np.empty(0),
        np.empty(0),
        np.empty((0, 0), int),
        np.empty((0, rows.X.shape[1])),
        np.empty(0, str),
    )
    if params.method == "none":
        return LineageResult(params, rows, *nothing, NO_REMOVAL, NO_CENTROIDS, rows.X, rows.y)
    name, settings = sampler_settings(params.method, params.k_neighbors, params.ratio, params.seed)
    sampler = getattr(under_sampling, name.split(".")[1])(**settings)
    X, y = sampler.fit_resample(rows.X, rows.y)
    centroids = X[y == 0] if params.method == "cluster centroids" else NO_CENTROIDS
    kept = (
        np.flatnonzero(rows.y == 1)
        if params.method == "cluster centroids"
        else sampler.sample_indices_
    )
    removal = explain(params.method, sampler, rows.X, rows.y, kept, params.k_neighbors)
    return LineageResult(params, rows, *nothing, removal, centroids, X, y)


_NO_ROWS = np.empty(0, int)
NO_REMOVAL = Removal(_NO_ROWS, _NO_ROWS, np.empty(0), np.empty(0), np.empty((0, 0), int))
NO_CENTROIDS = np.empty((0, 2))


def steps(params: LineageParams) -> Steps:
    """Resample as a job: for the methods in SLOW."""
    yield Progress(0.0, f"{params.method} looks at every majority point")
    return run(params)


def run(asked: LineageParams | Points) -> LineageResult:
    """Resample the points that the params ask for, or the given points with default params."""
    if isinstance(asked, Points):
        return resample(asked, LineageParams())
    return resample(asked.points(), asked)
