"""The point-in-time viewer over a visitor's own repository, read and never written: its rows, asked
at moments of our choosing.

Real: rows come from the repository's own offline store, answers from its
``get_historical_features``. The explained join stands beside them and says in how many labels Feast
agrees. A repository has no labels of its own, so each key is asked at evenly spaced moments; of
each feature view the keys with most rows and its first feature are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from engine.errors import InputError
from engine.feature_store import feast_internals
from engine.feature_store.explanation import Explanation, explain
from engine.feature_store.feast_repo import EVENT
from engine.feature_store.own.asked import (
    ARRIVAL,
    FILE,
    N_KEYS,
    N_MOMENTS,
    VALUE,
    answers_of,
    ask_for,
    plain_value,
    same,
)
from engine.feature_store.own.repo import opened
from engine.jobs import Progress, Steps
from engine.units import format_time

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView

__all__ = ["N_KEYS", "N_MOMENTS", "OwnView", "OwnViewer", "steps"]


@dataclass(frozen=True, eq=False)
class OwnView:
    """One feature view: its keys, and for each label what the explained join and Feast say; or, in
    ``refusal``, why not.
    """

    name: str
    feature: str
    keys: tuple[str, ...] = ()
    label_key: np.ndarray | None = None  # (n,) place in ``keys``
    row_key: np.ndarray | None = None  # (m,) place in ``keys``
    explanation: Explanation | None = None
    answers: tuple[Any, ...] = ()  # (n,) Feast's values; None: null, or not in its answer
    n_without_time: int = 0  # rows without an event time, left out
    refusal: str = ""

    def rows(self, key: int) -> np.ndarray:
        """Return the places of a key's feature rows in order of event time."""
        assert self.explanation is not None and self.row_key is not None
        places = np.flatnonzero(self.row_key == key)
        return places[np.argsort(self.explanation.row_time[places], kind="stable")]

    def labels(self, key: int) -> np.ndarray:
        """Return the places of a key's labels in order of time."""
        assert self.label_key is not None
        return np.flatnonzero(self.label_key == key)

    def explained_value(self, label: int) -> Any:
        """Return the value that the explained join gives a label, ``None`` for none."""
        assert self.explanation is not None
        row = int(self.explanation.winner[label])
        gone = row < 0 or not self.explanation.returned[label]
        return None if gone else self._value(row)

    def _value(self, row: int) -> Any:
        assert self.explanation is not None
        return plain_value(self.explanation.features[VALUE][row].as_py())

    @cached_property
    def agrees(self) -> np.ndarray:
        """Whether Feast and the explained join say the same of each label, (n,)."""
        pairs = ((self.explained_value(label), given) for label, given in enumerate(self.answers))
        return np.array([same(*pair) for pair in pairs], bool)

    @cached_property
    def n_agree(self) -> int:
        """Labels for which Feast and the explained join say the same."""
        return int(self.agrees.sum())

    @cached_property
    def n_tied(self) -> int:
        """Labels for which Feast took another of several rows that tie, in which it promises no
        order.
        """
        return sum(self._took_a_tie(int(label)) for label in np.flatnonzero(~self.agrees))

    def _took_a_tie(self, label: int) -> bool:
        told = self.explanation
        if told is None or told.winner[label] < 0:
            return False
        rows, verdicts = told.candidates(label)
        arrival = told.row_created[told.winner[label]]
        return any(
            verdict == "lost the tie"
            # the file store sorts by arrival and then, in no stable way, by event time
            and (told.store == "file" or told.row_created[row] == arrival)
            and same(self._value(int(row)), self.answers[label])
            for row, verdict in zip(rows, verdicts, strict=True)
        )

    def candidates(self, label: int) -> list[dict[str, str]]:
        """Return every candidate row of a label with its verdict, the newest first, as texts."""
        assert self.explanation is not None
        places, verdicts = self.explanation.candidates(label)
        moments = self.explanation.features[EVENT]
        return [
            {
                "verdict": verdict,
                "event time (UTC)": format_time(moments[int(row)].as_py()),
                self.feature: str(self._value(int(row))),
                "why": self.explanation.explain_verdict(label, int(row), verdict),
            }
            for row, verdict in zip(places[::-1], verdicts[::-1], strict=True)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class OwnViewer:
    """All feature views of a repository."""

    project: str
    store: str
    views: tuple[OwnView, ...]

    @property
    def verdict(self) -> str:
        """On how many labels Feast and the explained join agree."""
        if not self.views:
            return (
                f"Project **{self.project}** has no feature view yet: run `feast apply` in the"
                " repository first."
            )
        counted = ((len(v.answers), v.n_agree, v.n_tied) for v in self.views)
        n_labels, n_agree, n_tied = (sum(n) for n in zip(*counted, strict=True))
        rows = "equal event times" if self.store in FILE else "equal event and arrival times"
        tie = f" For {n_tied:,} more it takes another row among {rows}: their order is not stable."
        return (
            f"Project **{self.project}**, offline store {self.store}: Feast and the explained join"
            f" agree on **{n_agree:,} of {n_labels:,}** labels over {len(self.views)} feature"
            f" view{'s' * (len(self.views) > 1)}." + (tie if n_tied else "")
        )


def _view(store: FeatureStore, view: FeatureView, name: str) -> OwnView:
    """Ask Feast and the explained join for the first feature of a view, under the view's name."""
    feature = view.projection.features[0].name
    asked = ask_for(store, view, feature)
    kept = asked.rows.filter(pa.array(asked.row_key >= 0))
    kind: Any = "duckdb" if store.config.offline_store.type == "duckdb" else "file"
    told = explain(
        asked.labels,
        kept,
        keys=asked.keys,
        ttl=view.ttl or timedelta(0),
        store=kind,
        created=ARRIVAL,
    )
    found = answers_of(store, view, feature, asked)
    answers = tuple(found.get(label) for label in range(asked.labels.num_rows))
    row_key = asked.row_key[asked.row_key >= 0]
    lost = asked.n_without_time
    return OwnView(name, feature, asked.names, asked.label_key, row_key, told, answers, lost)


def steps(folder: str) -> Steps:
    """Read every feature view of the repository in ``folder`` and ask it at evenly spaced moments.

    Returns
    -------
    OwnViewer

    Raises
    ------
    InputError
        The repository cannot be opened, in a sentence. What one view refuses is in its ``refusal``.
    """
    yield Progress(0.0, "opening the repository")
    with opened(folder) as store:
        listed = {view.name: view for view in store.list_feature_views()}
        listed |= feast_internals.projected_views(store)
        views = []
        for number, (name, view) in enumerate(listed.items()):
            yield Progress(number / len(listed), name)
            try:
                views.append(_view(store, view, name))
            except InputError as error:
                feature = view.projection.features[0].name
                views.append(OwnView(name, feature, refusal=str(error)))
        return OwnViewer(store.project, store.config.offline_store.type, tuple(views))
