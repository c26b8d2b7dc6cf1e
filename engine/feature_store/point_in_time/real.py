"""Real Feast asked the same question as the explained join, its answer compared cell by cell: the
badge of the viewer.

Feast's ``file`` store breaks ties by arrival in two sorts of which the second is not stable
(pandas' quicksort), so that with more than 16 joined pairs any of the tied rows may come back
(seen). Rows that tie in arrival as well come in no order that either store promises. Such a cell
counts as *tie lost*: a known difference, shown as one. Everything else that differs is a
*disagreement*, and the badge is red.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from engine import workspace
from engine.feature_store import feast_repo
from engine.feature_store.explanation import Explanation
from engine.feature_store.feast_repo import EVENT
from engine.jobs import timed

LABEL_ID = "label_id"


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """Feast's answer for n labels against the explained one."""

    value: np.ndarray  # (n,) what Feast returned, NaN for null and where the row is missing
    returned: np.ndarray  # (n,) whether Feast's answer has the label's row
    differs: np.ndarray  # (n,) the row is there in one of the two only, or the value is another
    tie_lost: np.ndarray  # (n,) of those: Feast gave a row that ties with the winner in event time
    n_rows: int
    seconds: float  # one call of get_historical_features

    @property
    def n_disagreements(self) -> int:
        """Cells that differ without an explanation: must be zero."""
        return int(np.count_nonzero(self.differs & ~self.tie_lost))

    @property
    def n_ties_lost(self) -> int:
        """Cells in which Feast returned another row with the winner's event time."""
        return int(np.count_nonzero(self.tie_lost))

    @property
    def badge(self) -> str:
        """What the badge says."""
        n = len(self.value)
        labels = f"{n:,} label{'s' * (n != 1)}"
        if self.n_disagreements:
            return f"Feast disagrees on {self.n_disagreements:,} of {labels}"
        if self.n_ties_lost:
            return (
                f"Feast confirms {n - self.n_ties_lost:,} of {labels}; its store breaks"
                f" {self.n_ties_lost:,} tie{'s' * (self.n_ties_lost != 1)} wrongly"
            )
        return f"Feast confirms all {labels}"


def ask(
    explanation: Explanation, feature: str, key: str, folder: Path
) -> tuple[float, np.ndarray, np.ndarray]:
    """Ask real Feast, in a repository of its own: return seconds, and value (n,) and presence (n,)
    of each label.
    """
    feast_repo.warm(explanation.store)
    repo = feast_repo.open_repo(folder, explanation.store)
    path = feast_repo.write(explanation.features, folder / "features.parquet")
    entity = feast_repo.entity(key)
    view = feast_repo.view(
        "viewed", path, entities=[entity], features={feature: "Float64"}, ttl=explanation.ttl
    )
    repo.apply([entity, view])
    labels = explanation.labels.select([key, EVENT]).append_column(
        LABEL_ID, pa.array(range(explanation.labels.num_rows))
    )
    seconds, frame = timed(
        lambda: feast_repo.historical(
            repo,
            labels.to_pandas(),
            [f"viewed:{feature}"],
            filter_by_created=explanation.filter_by_created,
        )
    )
    value, returned = np.full(labels.num_rows, np.nan), np.zeros(labels.num_rows, bool)
    place = frame[LABEL_ID].to_numpy(int)
    if explanation.store == "file":  # of equal labels it keeps any one
        place = explanation.group[place]
    value[place], returned[place] = frame[feature].to_numpy(float), True
    return seconds, value, returned


def compare(
    explanation: Explanation, feature: str, seconds: float, value: np.ndarray, returned: np.ndarray
) -> Check:
    """Compare Feast's answer with the explained one, label by label."""
    expected = np.where(explanation.returned, explanation.values(feature), np.nan)
    same = (value == expected) | (np.isnan(value) & np.isnan(expected))
    differs = (returned != explanation.returned) | ~same
    tie_lost = np.zeros(len(value), bool)
    column = explanation.features[feature].to_numpy(zero_copy_only=False).astype(float)
    for label in np.flatnonzero(differs & returned & explanation.returned & explanation.has_value):
        rows, verdicts = explanation.candidates(int(label))
        tied = rows[np.asarray(verdicts) == "lost the tie"]
        if explanation.store == "duckdb":
            tied = tied[
                explanation.row_created[tied] == explanation.row_created[explanation.winner[label]]
            ]
        tie_lost[label] = np.isin(value[label], column[tied]) or (
            np.isnan(value[label]) and np.isnan(column[tied]).any()
        )
    return Check(value, returned, differs, tie_lost, int(returned.sum()), seconds)


def check(explanation: Explanation, feature: str, key: str) -> Check:
    """Ask real Feast in a folder that lives as long as the call, and compare."""
    folder = workspace.scratch("feast")
    try:
        return compare(explanation, feature, *ask(explanation, feature, key, folder))
    finally:
        workspace.remove(folder)
