"""What *lineage* is asked and answers: parents of synthetic rows, reasons of removed ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import pyarrow as pa

from engine.errors import name_in_sentence
from engine.ranges import SEED, Params, Range, Text
from engine.sampling import points
from engine.sampling.lineage import classes, vote
from engine.sampling.lineage.record import Record
from engine.sampling.lineage.removal import Removal, nearest
from engine.sampling.points import DRAWN, Points, Source
from engine.sampling.samplers import Method
from engine.units import format_range, format_share

COLUMN = Text(10_000)  # the name of one; the table itself says whether there is such a one
FEWER_BECAUSE = {  # why a method adds another number of points than the ratio asks for
    "Borderline-1": "it starts only from borderline points, and there are none",
    "Borderline-2": "it starts only from borderline points, and there are none",
    "SVM-SMOTE": (
        "its support vectors are all of one kind, and the library omits the share of the other"
    ),
    "K-Means-SMOTE": "the share of each cluster is rounded up",
    "ADASYN": "the share of each point is rounded",
}
KINDS = ("safe", "borderline", "rare", "outlier")
SAME_CLASS_OF_KIND = (4, 2, 1, 0)  # at least so many of five neighbours are of the row's own class


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageParams(Params):
    """Which points are resampled, and how."""

    source: Source = "blobs"
    # of an upload at most
    n_rows: Annotated[
        int, Range(20, points.MAX_ROWS, options=(50, 100, 200, 400, 1_000, 2_000, 5_000))
    ] = 400
    # not for "few", uploads and drawings
    minority_share: Annotated[float, Range(0.01, 0.5, step=0.01)] = 0.12
    method: Method = "SMOTE"
    k_neighbors: Annotated[int, Range(1, 50, most=20)] = 5  # that the method looks at
    # minority by majority afterwards; cleaning methods take no aim
    ratio: Annotated[float, Range(0.05, 1, step=0.05)] = 0.5
    seed: Annotated[int, SEED] = 0
    x_column: Annotated[str, COLUMN] = "dep_delay"  # of flights and uploads
    y_column: Annotated[str, COLUMN] = "air_time"
    label: Annotated[str, COLUMN] = ""  # column of an upload with two values or more
    minority: Annotated[str, COLUMN] = ""  # a class of the label; without it the rarest
    # SMOTE-NC's column of flights and uploads; without it the origin, or the half of x
    category: Annotated[str, COLUMN] = ""
    upload: Annotated[str, Text(10_000)] = ""  # path of the uploaded file, with source "upload"
    drawn: Annotated[str, Text(points.MAX_DRAWN)] = DRAWN  # x,y,class;… with source "drawn"

    def check_together(self) -> None:
        """Refuse a drawing that holds no points."""
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
            minority=self.minority,
            category=self.category if self.method == "SMOTE-NC" else "",
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LineageResult:
    """The input, the s rows made from it and the rows taken out. Row numbers count input rows
    first, then synthetic ones.
    """

    params: LineageParams
    points: Points
    record: Record = field(default_factory=Record.empty)  # of the synthetic rows
    synthetic: np.ndarray  # (s, d) as the library made them
    # (s,) text, or empty: only SMOTE-NC chooses one
    synthetic_category: np.ndarray = field(default_factory=lambda: np.empty(0, str))
    removal: Removal = field(default_factory=Removal.empty)
    # (c, d) that replace the majority, of cluster centroids only
    centroids: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    resampled: np.ndarray  # (r, d) rows, the library's own answer
    resampled_y: np.ndarray  # (r,) places in the points' classes
    penalty: float = 0.0  # of SMOTE-NC: the distance that another category counts

    @property
    def n_synthetic(self) -> int:
        """Rows made."""
        return len(self.record.seed_index)

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
        """Minority rows for each row of the largest other class afterwards."""
        sizes = self.sizes_after
        largest = np.delete(sizes, self.points.minority).max()
        return float(sizes[self.points.minority] / max(1, largest))

    @property
    def sizes_after(self) -> np.ndarray:
        """Rows of each class afterwards, (c,)."""
        return np.bincount(self.resampled_y, minlength=len(self.points.classes))

    @property
    def n_wanted(self) -> int:
        """Rows that an over-sampler has to make to reach the ratio asked for."""
        return int(self.params.ratio * self.points.n_largest - self.points.n_minority)

    @property
    def _made(self) -> np.ndarray:
        return len(self.points.y) + np.arange(self.n_synthetic)

    @property
    def n_parents(self) -> int:
        """Minority rows that at least one synthetic row starts from or goes to."""
        parents = np.unique(np.concatenate([self.record.seed_index, self.record.neighbour_index]))
        return int(self.points.y[parents].sum())  # Borderline-2 goes towards majority rows as well

    @property
    def verdict(self) -> str:
        """How many points the method adds and removes, and the classes before and after."""
        text = self._changes()
        left_out = self.points.n_left_out
        return f"{text} {left_out:,} rows of the file are left out." if left_out else text

    def _changes(self) -> str:
        points, n_minority = self.points, self.points.n_minority
        n_after = int(self.sizes_after[points.minority])
        minority, others = ("minority", "majority")
        if points.has_more_classes:
            minority, others = points.name_of(points.minority), "others"
        counts = (
            f"{minority} {n_minority:,} → {n_after:,}, {others}"
            f" {len(points.y) - n_minority:,} → {len(self.resampled_y) - n_after:,}"
        )
        if not self.n_synthetic:
            if not self.n_removed:
                return f"{self.params.method} changes **no** point: {counts}."
            return f"{self.params.method} removes **{self.n_removed:,}** points: {counts}."
        made = "copies" if self.params.method == "random over" else "synthetic points"
        removed = f" and removes {self.n_removed:,} points" if self.n_removed else ""
        other = "another class" if points.has_more_classes else "a majority point"
        return (
            f"{self.params.method} adds **{self.n_synthetic:,}** {made}{removed}: {counts}."
            f" Closest to {other}: {format_share(self.among_majority_share)} of the"
            f" {made}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        kinds = np.bincount(self.kinds(), minlength=len(KINDS))
        listed = ", ".join(f"{n:,} {kind}" for n, kind in zip(kinds, KINDS, strict=True) if n)
        reasons = [
            *self.points.notes,
            *classes.reasons(self.points, self.params.method, self.sizes_after),
        ]
        reasons.append(f"**Minority points** by their five nearest neighbours: {listed}.")
        if self.n_synthetic:
            counts = np.bincount(self.record.seed_index)
            busiest = int(np.argmax(counts))
            reasons.append(
                f"**Parents**: {self.n_parents:,} of {self.points.n_minority:,} minority points,"
                f" {np.count_nonzero(counts):,} of them as seeds. Row {busiest:,} is the most"
                f" frequent seed: {counts[busiest]:,} times"
                f" ({format_share(counts[busiest] / self.n_synthetic)})."
            )
            steps = self.record.step
            if np.ptp(steps) > 0:
                outwards = (
                    f"; {format_share((steps < 0).mean())} are below 0, away from the neighbour"
                    if (steps < 0).any()
                    else ""
                )
                reasons.append(
                    "**Position** λ, 0 at the seed and 1 at the neighbour:"
                    f" {format_range(steps.min(), steps.max(), 2)}{outwards}."
                )
        if self.params.method == "SMOTE-NC" and self.n_synthetic:
            chosen, penalty = self.synthetic_category, self.penalty
            reasons += vote.reasons(self.points, self.record, chosen, penalty)
        if self.params.method in FEWER_BECAUSE and self.n_synthetic != self.n_wanted:
            because = FEWER_BECAUSE[self.params.method]
            reasons.append(
                f"**{self.n_synthetic:,} points instead of {self.n_wanted:,}**, which the ratio"
                f" asks for: {because}."
            )
        for count, place in self.removal.groups():
            reasons.append(
                f"**{count:,} removed** for one reason. Row {self.removal.index[place]:,}:"
                f" {self.removal.describe(place)}."
            )
        return reasons

    @property
    def voted_away_share(self) -> float:
        """Share of SMOTE-NC's synthetic rows whose category is not their seed's, 0–1."""
        return vote.away_share(self.points, self.record, self.synthetic_category)

    def vote(self, made: int) -> vote.Vote:
        """Return how the ``made``-th synthetic row of SMOTE-NC got its category."""
        chosen, penalty = self.synthetic_category, self.penalty
        return vote.of_row(self.points, self.record, chosen, penalty, made)

    def describe(self, made: int) -> str:
        """Return the parents of the ``made``-th synthetic row, as a sentence, and the vote on its
        category.
        """
        return self._parents(made) + (self._vote(made) if len(self.synthetic_category) else "")

    def _vote(self, made: int) -> str:
        found = self.vote(made)
        counts = ", ".join(f"{name_in_sentence(name)} {n}" for name, n in found.counts)
        drawn = ", drawn from the tie" if found.is_tied else ""
        return (
            f" The neighbours vote for {self.points.category_name}"
            f" {name_in_sentence(found.chosen)}{drawn}: {counts}; the seed has"
            f" {name_in_sentence(found.seed_category)}."
        )

    def _parents(self, made: int) -> str:
        seed, neighbour = int(self.record.seed_index[made]), int(self.record.neighbour_index[made])
        if seed == neighbour:
            return f"Synthetic point {made:,} comes from row {seed:,} alone."
        weight = self.record.weight[made]
        scaled = f" × {weight:.2f} (the neighbour is of another class)" if weight != 1 else ""
        near = self.record.neighbours[made]
        place = int(np.flatnonzero(near == neighbour)[0]) + 1
        return (
            f"Synthetic point {made:,}: seed row {seed:,}, chosen neighbour row {neighbour:,}"
            f" ({place} of {len(near)} by distance), λ = {self.record.step[made]:.2f}{scaled}."
        )

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "n_rows": len(self.resampled_y),
            "n_minority": int(self.sizes_after[self.points.minority]),
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
        explanation = [""] * n + [self.describe(made) for made in range(n_made)] + [""] * n_rest
        stays = np.ones(n + n_made + n_rest, bool)
        stays[self.removal.index] = False
        for place, row in enumerate(self.removal.index):
            explanation[row] = (
                f"{explanation[row]} Removed: {self.removal.describe(place)}.".strip()
            )
        before, after = [None] * n, [None] * n_rest
        xy = np.vstack([self.points.X[:, :2], self.synthetic[:, :2], self.centroids[:, :2]])
        return pa.table(
            {
                "row": np.arange(n + n_made + n_rest),
                "what": (
                    [("majority", "minority")[y] for y in self.points.y]
                    + ["synthetic"] * n_made
                    + ["centroid"] * n_rest
                ),
                "class": [self.points.classes[code] for code in self.points.labels]
                + [self.points.classes[self.points.minority]] * n_made
                + [""] * n_rest,
                "category": [
                    *self.points.category.astype(str),
                    *(self.synthetic_category if len(self.synthetic_category) else [""] * n_made),
                    *[""] * n_rest,
                ],
                "kind": [*kind, *[""] * (n_made + n_rest)],
                "stays": stays,
                "x": xy[:, 0],
                "y": xy[:, 1],
                "seed_row": pa.array(
                    [*before, *self.record.seed_index.tolist(), *after], pa.int64()
                ),
                "neighbour_row": pa.array(
                    [*before, *self.record.neighbour_index.tolist(), *after], pa.int64()
                ),
                "step": pa.array([*before, *self.record.step.tolist(), *after], pa.float64()),
                "neighbour_weight": pa.array(
                    [*before, *self.record.weight.tolist(), *after], pa.float64()
                ),
                "explanation": explanation,
            }
        )
