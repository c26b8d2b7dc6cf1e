"""The viewer over a visitor's own repository: its offline store against the explained join, and
nothing in it changes.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine.errors import InputError
from engine.feature_store import feast_repo, serving
from engine.feature_store.own import figure as figures
from engine.feature_store.own import viewer
from engine.feature_store.own.viewer import OwnView, OwnViewer
from engine.jobs import run_to_end

DAY = datetime(2024, 3, 1, tzinfo=UTC)


def made(folder: Path, offline: Any, ttl: timedelta) -> None:
    """A repository with two keys (text and number), a correction, a null, and a text feature."""
    rows = [
        ("a", 1, 0, 0, 1.0),
        ("a", 1, 5, 5, 2.0),
        ("a", 1, 5, 9, 2.5),
        ("a", 1, 20, 20, None),
        ("b", 2, 3, 3, 7.0),
    ]
    table = pa.table(
        {
            "k": [row[0] for row in rows],
            "n": [row[1] for row in rows],
            "event_timestamp": [DAY + timedelta(hours=row[2]) for row in rows],
            "created": [DAY + timedelta(hours=row[3]) for row in rows],
            "x": [row[4] for row in rows],
            "word": [f"w{number}" for number in range(len(rows))],
        }
    )
    path = feast_repo.write(table, folder / "rows.parquet")
    key = feast_repo.entity("k")
    with serving.feast_alone():
        store = feast_repo.open_repo(folder, offline=offline, project="theirs")
        numbers = feast_repo.view(
            "numbers", path, entities=[key], features={"x": "Float64"}, ttl=ttl
        )
        words = feast_repo.view(
            "words", path, entities=[key], features={"word": "String"}, ttl=timedelta(0)
        )
        lost = feast_repo.view(
            "lost", path, entities=[key], features={"x": "Float64"}, ttl=timedelta(0)
        )
        free = feast_repo.view(
            "free", path, entities=[], features={"x": "Float64"}, ttl=timedelta(0)
        )
        store.apply([key, numbers, words, lost, free])
        lost.batch_source.file_options.uri = str(folder / "gone.parquet")
        store.apply([lost])


@pytest.mark.parametrize("offline", ["duckdb", "file"])
def test_feast_and_the_explained_join_agree_and_nothing_changes(
    tmp_path: Path, offline: Any
) -> None:
    made(tmp_path, offline, timedelta(hours=6))
    before = {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    result: OwnViewer = run_to_end(viewer.steps(str(tmp_path)))
    assert {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in tmp_path.rglob("*")
        if path.is_file()
    } == before
    views = {view.name: view for view in result.views}
    numbers, words = views["numbers"], views["words"]
    assert numbers.keys == ("a", "b") and len(numbers.answers) == 2 * viewer.N_MOMENTS
    odd = [
        (numbers.explained_value(label), answer)
        for label, answer in enumerate(numbers.answers)
        if numbers.explained_value(label) != answer
    ]
    if offline == "duckdb":
        assert (
            numbers.n_agree == len(numbers.answers)
            and words.n_agree == len(words.answers)
            and not odd
        ), result.verdict
        assert 2.5 in numbers.answers and 2.0 not in numbers.answers, (
            "of equal event times the later arrival wins"
        )
    else:
        assert set(odd) <= {(2.5, 2.0)}, "the file store loses ties, and nothing else"
        assert ("not stable" in result.verdict) == (
            numbers.n_agree + words.n_agree < 2 * len(numbers.answers)
        )
    assert None in numbers.answers and {"w0", "w3", "w4"} < set(words.answers)
    free, lost = views["free"], views["lost"]
    assert free.keys == ("(no join key)",) and free.n_agree + free.n_tied == len(free.answers)
    assert lost.refusal.startswith("Feast itself stops: "), "one view's trouble is its own"
    texts = numbers.candidates(int(numbers.labels(0)[8]))
    assert [text["verdict"] for text in texts].count("won") <= 1 and len(texts) == 4
    assert f"Project **theirs**, offline store {offline}" in result.verdict
    figure = figures.life(numbers, 0)
    n_without = sum(numbers.answers[label] is None for label in numbers.labels(0))
    assert (
        len(figure.data[2].x) == n_without > 0
        and len(figure.data[1].x) == viewer.N_MOMENTS - n_without
    )
    assert figures.life(lost, 0).layout.title.text == "lost cannot be shown"


def test_what_feast_itself_refuses_is_said(tmp_path: Path) -> None:
    made(tmp_path, "duckdb", timedelta(hours=36))
    result: OwnViewer = run_to_end(viewer.steps(str(tmp_path)))
    (numbers,) = [view for view in result.views if view.name == "numbers"]
    assert "mixed units" in numbers.refusal, "a TTL of a day and a half"


def test_words_without_views() -> None:
    assert "has no feature view yet" in OwnViewer("p", "file", ()).verdict
    assert OwnView("v", "x").n_agree == 0
    with pytest.raises(InputError, match="must name a folder"):
        run_to_end(viewer.steps("/nowhere at all"))
