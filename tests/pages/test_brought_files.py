"""Texts that a person brings or writes, with damage of any kind: a talk, a lesson, the learner's
record with its notebook and the notes of Practice. Each is used or refused by a sentence.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from engine.errors import InputError
from pages.shell import answers, learner, lessons, notebook, path_record, practice_record
from pages.talk import talk
from tests.engine.test_damaged import Damage, damage
from tests.pages.visit import open_page

FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MOST_LETTERS = 2_000  # of a sentence


def refused(error: InputError) -> None:
    """Check what a page shows of a text that is refused."""
    assert 10 < len(str(error)) < MOST_LETTERS


@FEW
@given(spoil=damage(), name=some.sampled_from(sorted(talk.shipped())))
def test_a_talk_with_any_damage(spoil: Damage, name: str) -> None:
    content = (talk.FOLDER / f"{name}.toml").read_bytes()
    try:
        one = talk.loads(spoil(content))
    except InputError as error:
        refused(error)
    else:
        assert talk.loads(talk.dumps(one)) == one


VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=9) | some.floats(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner),
    max_leaves=5,
)
TOML = some.recursive(
    some.sampled_from(("true", "-1", "1.5", "nan", '""', '"x"', "1979-05-27")),
    lambda inner: (
        some.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
        | inner.map(lambda part: f"{{ a = {part} }}")
    ),
    max_leaves=4,
)


@FEW
@given(spoil=damage(), value=TOML, topic=some.sampled_from(lessons.topics()), at=some.integers(0))
def test_a_lesson_with_any_damage(
    spoil: Damage, value: str, topic: str, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A teacher writes it: cut, or with one entry that holds something else."""
    text = (lessons.REPOSITORY / "pages" / "lessons" / f"{topic}.toml").read_text("utf-8")
    lines = text.splitlines()
    entries = [number for number, line in enumerate(lines) if " = " in line]
    place = entries[at % len(entries)]
    lines[place] = f"{lines[place].partition(' = ')[0]} = {value}"
    monkeypatch.setattr(lessons, "FOLDER", tmp_path)
    (tmp_path / f"{topic}.md").write_text("## A\nb")
    for content in ("\n".join(lines).encode(), spoil(text.encode())):
        (tmp_path / f"{topic}.toml").write_bytes(content)
        try:
            lessons.load.__wrapped__(topic)
        except InputError as error:
            refused(error)
            assert f"{topic}.toml" in str(error)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    held: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", held)
    return held


def whole() -> dict[str, Any]:
    """A record with something in every section."""
    lesson = lessons.load("formats")
    entry = {
        **dict.fromkeys(("id", "verdict", "predicted", "remark"), "a"),
        "at": "2026-11-30T00:00:00+00:00",
        "lab": "formats",
        "experiment": "race",
        "settings": {"n_rows": 1_000, "formats": ["CSV"]},
        "headline": {"rows": 1},
    }
    steps = {
        step.key: {"chosen": "15", "right": True, "at": "2026-11-30T00:00:00+00:00"}
        for step in lesson.steps
    }
    answer = {"lab": "etl", "title": "a", "kind": "predict", "choice": "b", "date": "2026-11-29"}
    return {
        "path": {"formats": {"step": 2, "steps": steps}},
        "answers": {"entries": [{**answer, "right": False, "confidence": "sure"}]},
        "plan": {"interview": "2026-12-24"},
        "notebook": {"entries": [entry]},
    }


def replaced(part: Any, value: Any, at: int) -> Any:
    """Return a copy of a record in which one place, chosen by ``at``, holds ``value``."""
    if not isinstance(part, dict | list) or not part or at % 5 == 0:
        return value
    keys = list(part) if isinstance(part, dict) else range(len(part))
    chosen = keys[at // 5 % len(part)]
    copied = dict(part) if isinstance(part, dict) else list(part)
    copied[chosen] = replaced(part[chosen], value, at // 5 // len(part))
    return copied


def read_all() -> None:
    """Ask for everything that the pages read of the record."""
    for topic in lessons.topics():
        lesson = lessons.load(topic)
        path_record.place(lesson)
        for step in lesson.steps:
            path_record.entry(lesson, step.key)
    path_record.latest()
    answers.entries()
    practice_record.cards()
    practice_record.interview()
    practice_record.last_day()
    practice_record.practice()
    for one in notebook.entries():
        notebook.changed(one)
        notebook.figure_of(one)


@FEW
@given(spoil=damage(), value=VALUES, at=some.integers(1, 10**6))
def test_a_record_with_any_damage(
    session: dict[str, Any], spoil: Damage, value: Any, at: int
) -> None:
    learner.clear()
    file = {"format": learner.FORMAT, "version": 1, "sections": whole()}
    learner.load(json.dumps(file).encode())
    read_all()
    before = learner.section("path")
    replacing = {**file, "sections": replaced(file["sections"], value, at)}
    for content in (spoil(json.dumps(file).encode()), json.dumps(replacing).encode()):
        try:
            learner.load(content)
        except InputError as error:
            refused(error)
            assert learner.section("path") == before
        else:
            read_all()
            before = learner.section("path")


@pytest.mark.parametrize("page", ["home", "practice", "notebook"])
def test_a_record_of_odd_texts_is_drawn(page: str) -> None:
    odd = "![x](//evil.example/x) <b> $a$ \u202e :red[x] " + "long" * 60
    sections = whole()
    sections["notebook"]["entries"][0].update(verdict=odd, predicted=odd, remark=odd, at=odd)
    sections["notebook"]["entries"][0]["settings"] = {odd: [odd], "n_rows": odd}
    sections["notebook"]["entries"][0]["headline"] = {odd: {"a": [odd]}, "b": None}
    sections["answers"]["entries"][0].update(lab=odd, title=odd, choice=odd, date=odd)
    app = open_page(page)
    app.session_state["learner"] = {
        name: {"at": "2026-11-30", "value": value} for name, value in sections.items()
    }
    for value in sections:
        learner._checkers[value](sections[value])  # it is let in
    assert not app.run().exception
