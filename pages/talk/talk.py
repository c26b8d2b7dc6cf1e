"""What a talk is: scenes of any labs with own titles, notes and times; its TOML file, checked
against the lessons.
"""

from __future__ import annotations

import json
import tomllib
import unicodedata
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.errors import InputError, require
from pages.shell import lessons
from pages.shell.lesson_entries import entry
from pages.shell.lessons import Lesson, Prediction, Scene, Settings

FOLDER = Path(__file__).parent / "talks"
MOST_SCENES = 60
LONGEST_TITLE = 120  # characters
LONGEST_NOTE = 1_000
LONGEST_LINE = 4_000  # of a file: tomllib's time grows with the square of a dotted key's parts
MOST_BYTES = 400_000  # of a file: more than any talk within the other limits takes
MINUTES = (0.1, 60.0)
SIZES = (0.8, 1.6)
LETTERS = "ABCDEFGH"  # that name the choices of a question on stage


@dataclass(frozen=True, slots=True)
class TalkScene:
    """A scene of a lab in a talk; what is empty is as the lab's scene has it.

    Raises
    ------
    InputError
        Lab, scene, chart or prediction is none of the lessons', or a value is beyond its limits.
    """

    lab: str  # topic
    scene: str  # its title in the lesson
    title: str = ""
    note: str = ""
    minutes: float = 1.0  # planned
    chart: str = ""  # key of the chart to show instead of the scene's
    size: float = 1.0  # of texts on stage, in relation to the usual
    predict: str = ""  # title of one of the lab's predictions, asked before the chart is shown

    def __post_init__(self) -> None:
        known = isinstance(self.lab, str) and self.lab in lessons.topics()
        require(known, "lab must be one of {}. Got {!r}.", ", ".join(lessons.topics()), self.lab)
        scenes = [one.title for one in self.lesson.scenes]
        _require_named("scene", self.scene, scenes, self.lesson)
        if self.chart != "":
            _require_named("chart", self.chart, charts(self.lesson), self.lesson)
        if self.predict != "":
            _require_named("prediction", self.predict, predictions(self.lesson), self.lesson)
        _require_text("title", self.title, LONGEST_TITLE)
        _require_text("note", self.note, LONGEST_NOTE, lines=True)
        _require_number("minutes", self.minutes, MINUTES)
        _require_number("size", self.size, SIZES)

    @property
    def lesson(self) -> Lesson:
        """The lesson of the scene's lab."""
        return lessons.load(self.lab)

    @property
    def shown_title(self) -> str:
        """The title that the audience sees."""
        return self.title or self.scene

    @property
    def shown_note(self) -> str:
        """What the speaker sees, and nobody else."""
        return self.note or self.of_lab.note

    @property
    def of_lab(self) -> Scene:
        """The lab's scene, as its lesson has it."""
        return next(one for one in self.lesson.scenes if one.title == self.scene)

    @property
    def prediction(self) -> Prediction | None:
        """The prediction that is asked, or ``None``."""
        listed = self.lesson.predictions
        return next((one for one in listed if self.predict and one.title == self.predict), None)

    @property
    def settings(self) -> Settings:
        """The settings of the lab that the scene shows: its own, or those that the prediction asks
        about, in the scene's views where it is in the same tab.
        """
        asked, own = self.prediction, self.of_lab.params
        if asked is None:
            return own
        views = {key: own[key] for key in self.lesson.views if key in own}
        return {**views, **self.lesson.place_of(asked.experiment), **asked.params}

    @property
    def shown_chart(self) -> str:
        """Key of the only chart on stage; empty: the first of the tab."""
        return self.chart or self.of_lab.chart


@dataclass(frozen=True, slots=True)
class Talk:
    """A title and 1 to ``MOST_SCENES`` scenes. Raises ``InputError`` as ``TalkScene`` does."""

    title: str
    scenes: tuple[TalkScene, ...]

    def __post_init__(self) -> None:
        _require_text("title", self.title, LONGEST_TITLE)
        require(bool(self.title.strip()), "title must be given. Got nothing.")
        n = len(self.scenes)
        require(1 <= n <= MOST_SCENES, "scenes must be 1–{}. Got {:,}.", MOST_SCENES, n)

    @property
    def minutes(self) -> float:
        """The planned time of all scenes."""
        return sum(scene.minutes for scene in self.scenes)


def charts(lesson: Lesson) -> list[str]:
    """Return the keys of a lab's charts that can be named: those that its scenes name."""
    return list(dict.fromkeys(one.chart for one in lesson.scenes if one.chart))


def predictions(lesson: Lesson) -> list[str]:
    """Return the titles of a lab's predictions that can be asked."""
    return [one.title for one in lesson.predictions if one.title]


def _require_named(kind: str, value: object, choices: list[str], lesson: Lesson) -> None:
    known = isinstance(value, str) and value in choices
    require(known, "{} must be one of the lab {}. Got {!r}.", kind, lesson.short, value)


def _require_text(name: str, value: object, longest: int, lines: bool = False) -> None:
    require(isinstance(value, str), "{} must be a text. Got {!r}.", name, value)
    text = str(value)
    require(
        len(text) <= longest,
        "{} must have at most {:,} characters. Got {:,}.",
        name,
        longest,
        len(text),
    )
    # a control character or a half of a pair (surrogate) is in no text that a person has written
    odd = {letter for letter in text if unicodedata.category(letter) in ("Cc", "Cs")}
    shown = not odd - ({"\n", "\t"} if lines else set())
    require(
        shown,
        "{} must be {} of text. Got a character that is not shown.",
        name,
        "lines" if lines else "one line",
    )


def _require_number(name: str, value: object, limits: tuple[float, float]) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = number and limits[0] <= value <= limits[1]  # type: ignore[operator]
    require(fits, "{} must be {:g}–{:g}. Got {!r}.", name, *limits, value)


def loads(text: str | bytes) -> Talk:
    """Return the talk of a TOML text; bytes are UTF-8.

    Raises
    ------
    InputError
        The text is not TOML, is too large, or holds something that is no talk: which entry, and
        why.
    """
    content = _parse(text)
    unknown = ", ".join(sorted(set(content) - {"title", "scenes"}))
    require(not unknown, "A talk must have title and scenes alone. Got {}.", unknown)
    tables = content.get("scenes", [])
    whole = isinstance(tables, list) and all(isinstance(one, dict) for one in tables)
    require(whole, "scenes must be tables, each headed [[scenes]]. Got something else.")
    n = len(tables)
    require(n <= MOST_SCENES, "scenes must be 1–{}. Got {:,}.", MOST_SCENES, n)
    scenes = []
    for number, table in enumerate(tables, 1):
        try:
            scenes.append(entry(TalkScene, table, "the entry"))
        except InputError as error:
            raise InputError(f"Scene {number}: {error}") from error
    return Talk(content.get("title", ""), tuple(scenes))


def _parse(text: str | bytes) -> dict[str, Any]:
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="replace"))
    require(size <= MOST_BYTES, "A talk's file must be ≤ {:,} bytes. Got {:,}.", MOST_BYTES, size)
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        longest = max(map(len, decoded.splitlines()), default=0)
        require(
            longest <= LONGEST_LINE,
            "A line of a talk's file must have at most {:,} characters. Got {:,}.",
            LONGEST_LINE,
            longest,
        )
        return tomllib.loads(decoded)
    except InputError:
        raise
    except RecursionError as error:
        raise InputError("A talk's file must be TOML: it is nested too deeply") from error
    except ValueError as error:  # no TOML, no UTF-8
        raise InputError(f"A talk's file must be TOML: {error}") from error


def dumps(talk: Talk) -> str:
    """Return a talk as TOML; what equals its default is left out. ``loads`` gives it back."""
    lines = [f"title = {_written(talk.title)}"]
    for scene in talk.scenes:
        lines += ["", "[[scenes]]"]
        for field in fields(TalkScene):
            value = getattr(scene, field.name)
            if value != field.default:
                lines.append(f"{field.name} = {_written(value)}")
    return "\n".join(lines) + "\n"


def _written(value: str | float) -> str:
    """Return a text as a TOML string, which JSON's of printable characters is, or a number."""
    return json.dumps(value, ensure_ascii=False)


@lru_cache(maxsize=1)
def shipped() -> dict[str, Talk]:
    """Return the talks that come with the playground: file name without its ending -> talk."""
    return {path.stem: loads(path.read_bytes()) for path in sorted(FOLDER.glob("*.toml"))}
