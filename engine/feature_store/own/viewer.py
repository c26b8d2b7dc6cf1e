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
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from engine.errors import InputError
from engine.feature_store import feast_internals, serving
from engine.feature_store.explanation import Explanation, explain
from engine.feature_store.feast_repo import CREATED, EVENT, TIMESTAMP, plain_types
from engine.feature_store.own.repo import opened
from engine.jobs import Progress, Steps
from engine.units import format_time

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView

N_KEYS, N_MOMENTS = 6, 24
FILE = ("file", "dask")  # two names of one store


@dataclass(frozen=True, slots=True, eq=False)
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
        return None if row < 0 else self.explanation.features[self.feature][row].as_py()

    @property
    def n_agree(self) -> int:
        """Labels for which Feast and the explained join say the same."""
        return sum(
            _equal(self.explained_value(label), answer) for label, answer in enumerate(self.answers)
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
                self.feature: str(self.explanation.features[self.feature][int(row)].as_py()),
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
        n_labels, n_agree = (
            sum(n) for n in zip(*((len(v.answers), v.n_agree) for v in self.views), strict=True)
        )
        tie = (
            " Among equal event times the file store may take any row (its sort is not stable)."
            if self.store in FILE
            else ""
        )
        return (
            f"Project **{self.project}**, offline store {self.store}: Feast and the explained join"
            f" agree on **{n_agree:,} of {n_labels:,}** labels over {len(self.views)} feature"
            f" view{'s' * (len(self.views) > 1)}." + (tie if n_agree < n_labels else "")
        )


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, float) or isinstance(b, float):
        x, y = (np.nan if value is None else float(value) for value in (a, b))
        return bool(np.isclose(x, y, rtol=1e-9, atol=1e-9, equal_nan=True))
    return bool(a == b)


def _rows(store: FeatureStore, view: FeatureView, keys: list[str], feature: str) -> pa.Table:
    """Return the view's rows as its offline store has them, under the names that the explained join
    takes.
    """
    source: Any = view.batch_source
    created = source.created_timestamp_column or None
    with serving.feast_alone():
        table = feast_internals.read_source(store, view, keys, feature)
    named = {source.timestamp_field: EVENT} | ({created: CREATED} if created else {})
    return plain_types(table.rename_columns([named.get(name, name) for name in table.column_names]))


def _asked(rows: pa.Table, keys: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the keys with most rows, and labels: each of them at N_MOMENTS moments over the rows'
    time.
    """
    frame = rows.select(keys).to_pandas().dropna()
    top = frame.value_counts().head(N_KEYS).index.to_frame(index=False)
    times = rows[EVENT].cast(pa.int64()).to_numpy()
    moments = np.linspace(times.min(), times.max(), N_MOMENTS + 1)[1:].astype(np.int64)
    labels = top.loc[np.repeat(np.arange(len(top)), N_MOMENTS)].reset_index(drop=True)
    labels[EVENT] = pa.array(np.tile(moments, len(top))).cast(TIMESTAMP).to_pandas()
    return top, labels


def _view(store: FeatureStore, view: FeatureView) -> OwnView:
    feature = view.features[0].name
    keys = [column.name for column in view.entity_columns]
    if not keys or keys == [feast_internals.DUMMY_KEY]:
        return OwnView(
            view.name, feature, refusal="it has no entity, so there is no key to look at"
        )
    rows = _rows(store, view, keys, feature)
    if not rows.num_rows:
        return OwnView(view.name, feature, refusal="its source has no rows")
    top, labels = _asked(rows, keys)
    place = {
        tuple(key): number for number, key in enumerate(top.itertuples(index=False, name=None))
    }
    row_key = np.array(
        [place.get(key, -1) for key in zip(*(rows[name].to_pylist() for name in keys), strict=True)]
    )
    kept = rows.filter(pa.array(row_key >= 0))
    asked = plain_types(pa.Table.from_pandas(labels, preserve_index=False))
    kind: Any = "duckdb" if store.config.offline_store.type == "duckdb" else "file"
    told = explain(asked, kept, keys=keys, ttl=view.ttl or timedelta(0), store=kind)
    with serving.feast_alone():
        frame = labels.assign(place=np.arange(len(labels)))
        answer = store.get_historical_features(frame, [f"{view.name}:{feature}"]).to_df()
    values = dict(zip(answer["place"].astype(int), answer[feature], strict=True))
    answers = tuple(
        None if pd.isna(value) else value
        for value in (values.get(label) for label in range(len(labels)))
    )
    names = tuple(", ".join(map(str, key)) for key in place)
    label_key = np.repeat(np.arange(len(top)), N_MOMENTS)
    return OwnView(view.name, feature, names, label_key, row_key[row_key >= 0], told, answers)


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
        listed = store.list_feature_views()
        views = []
        for number, view in enumerate(listed):
            yield Progress(number / len(listed), view.name)
            try:
                views.append(_view(store, view))
            except InputError as error:
                views.append(OwnView(view.name, view.features[0].name, refusal=str(error)))
            # a source that is gone, a TTL that Ibis refuses: Feast fails in its libraries' ways
            except Exception as error:
                words = " ".join(str(error).split())[:300]
                views.append(
                    OwnView(
                        view.name, view.features[0].name, refusal=f"{type(error).__name__}: {words}"
                    )
                )
        return OwnViewer(store.project, store.config.offline_store.type, tuple(views))
