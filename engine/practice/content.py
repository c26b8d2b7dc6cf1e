"""The interview questions, read from ``questions/*.toml`` and checked: an error names file, entry
and field.

A paragraph of an answer that is only ``{topic.experiment}`` is replaced by what this machine has
measured (``engine.practice.evidence``).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.errors import InputError, require
from engine.practice.evidence import SOURCES

FOLDER = Path(__file__).parent / "questions"
PATTERNS = (
    "idempotency",
    "schema change",
    "late data",
    "backfill",
    "cost",
    "monitoring",
)  # what production asks of every pipeline
KINDS = (*PATTERNS, "scale", "testing", "modeling")
MEASURED = re.compile(r"\{([a-z_]+\.[a-z_]+)\}")
ID = re.compile(r"[a-z][a-z0-9_]{1,39}")
LENGTHS = {"strong": (3, 5), "weak": (2, 3), "scenes": (1, 5), "followup": (2, 4)}


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What an interviewer asks next, and a short answer."""

    kind: str  # one of KINDS
    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class Question:
    """One interview question with all that belongs to it."""

    id: str
    group: str
    text: str
    answer: str
    strong: tuple[str, ...]  # signs of a strong answer, observable
    weak: tuple[str, ...]
    scenes: tuple[tuple[str, str], ...]  # (topic, title of the scene)
    followups: tuple[FollowUp, ...]

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The answer's paragraphs, of which ``source_in`` finds the measured ones."""
        return tuple(part.strip() for part in self.answer.strip().split("\n\n"))

    @property
    def sources(self) -> tuple[str, ...]:
        """The experiments that the answer quotes."""
        return tuple(source for part in self.paragraphs if (source := source_in(part)))


def source_in(paragraph: str) -> str:
    """Return the source that a paragraph stands for, ``""`` for one of words."""
    found = MEASURED.fullmatch(paragraph)
    return found[1] if found else ""


@lru_cache(maxsize=1)
def questions() -> tuple[Question, ...]:
    """Return all questions, in the order of the files.

    Raises
    ------
    InputError
        A file is not TOML, or an entry is not what it must be.
    """
    found = [
        question
        for path in sorted(FOLDER.glob("*.toml"))
        for question in read(path.name, path.read_text(encoding="utf-8"))
    ]
    ids = [question.id for question in found]
    twice = next((one for one in ids if ids.count(one) > 1), "")
    require(not twice, "id of a question must be used once. Got {!r} twice.", twice)
    return tuple(found)


def question_of(name: str) -> Question:
    """Return a question by its id.

    Raises
    ------
    InputError
        There is none.
    """
    found = next((one for one in questions() if one.id == name), None)
    if found is None:
        raise InputError(f"question must be the id of a question. Got {name!r}. Choose one.")
    return found


def read(file: str, text: str) -> list[Question]:
    """Return the questions of one file.

    Raises
    ------
    InputError
        It is not TOML, or an entry is not what it must be: names file, entry and field.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file} must be TOML: {error}") from error
    group = content.get("group")
    named = isinstance(group, str) and bool(group)
    require(named, "{}: group must be a text. Got {!r}.", file, group)
    entries = content.get("question")
    listed = isinstance(entries, list) and bool(entries)
    require(listed, "{}: must have at least one [[question]]. Got {!r}.", file, entries)
    return [
        _question(f"{file} [[question]] {number}", str(group), table)
        for number, table in enumerate(entries or [], 1)
    ]


def _question(where: str, group: str, table: Mapping[str, Any]) -> Question:
    fields = ("id", "text", "answer", "strong", "weak", "scenes", "followup")
    _keys(where, table, fields)
    name = table["id"]
    valid = isinstance(name, str) and bool(ID.fullmatch(name))
    require(valid, "{}: id must be lower-case letters, digits and _. Got {!r}.", where, name)
    for field in ("text", "answer"):
        _text(where, field, table[field])
    for field, (least, most) in LENGTHS.items():
        value = table[field]
        fits = isinstance(value, list) and least <= len(value) <= most
        require(fits, "{}: {} must have {}–{} entries. Got {!r}.", where, field, least, most, value)
    for field in ("strong", "weak"):
        for one in table[field]:
            _text(where, field, one)
    for one in table["scenes"]:
        pair = isinstance(one, list) and len(one) == 2 and all(isinstance(x, str) for x in one)
        require(pair, "{}: scenes must be [topic, title]. Got {!r}.", where, one)
    question = Question(
        name,
        group,
        table["text"],
        table["answer"],
        tuple(table["strong"]),
        tuple(table["weak"]),
        tuple((topic, title) for topic, title in table["scenes"]),
        tuple(
            _followup(f"{where}, followup {number}", one)
            for number, one in enumerate(table["followup"], 1)
        ),
    )
    require(bool(question.sources), "{}: answer must quote {{topic.experiment}}. Got none.", where)
    for source in MEASURED.findall(question.answer):
        known = source in SOURCES and source in question.sources
        rule = "{}: answer must quote a source that exists, in a paragraph of its own. Got {!r}."
        require(known, rule, where, source)
    return question


def _followup(where: str, table: Any) -> FollowUp:
    require(isinstance(table, dict), "{} must be a table. Got {!r}.", where, table)
    _keys(where, table, ("kind", "text", "answer"))
    kind = table["kind"]
    require(kind in KINDS, "{}: kind must be one of {}. Got {!r}.", where, ", ".join(KINDS), kind)
    for field in ("text", "answer"):
        _text(where, field, table[field])
    return FollowUp(kind, table["text"], table["answer"])


def _keys(where: str, table: Mapping[str, Any], fields: tuple[str, ...]) -> None:
    missing = [field for field in fields if field not in table]
    unknown = [field for field in table if field not in fields]
    require(not missing, "{}: {} must be given.", where, ", ".join(missing))
    rule = "{}: keys must be among {}. Got {}."
    require(not unknown, rule, where, ", ".join(fields), ", ".join(unknown))


def _text(where: str, field: str, value: object) -> None:
    fits = isinstance(value, str) and bool(value.strip())
    require(fits, "{}: {} must be a text that is not empty. Got {!r}.", where, field, value)
