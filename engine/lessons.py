"""What a teacher writes for a lab: ``pages/lessons/<topic>.toml`` and ``<topic>.md``, read and checked.

The TOML names widgets by their keys, ``<experiment>_<field>``, where ``field`` is a field of the experiment's Params.
``settings_of`` turns such a table back into Params, so that a prediction or a challenge can be run without a page.
"""

from __future__ import annotations

import operator
import tomllib
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any

from engine.errors import InputError, require
from engine.workspace import REPOSITORY

FOLDER = REPOSITORY / "pages" / "lessons"
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}
Settings = dict[str, Any]  # widget key -> value


@dataclass(frozen=True, slots=True)
class Scene:
    """A named setting of the whole lab, with what to look at and what a speaker says."""

    title: str
    look_at: str
    note: str
    params: Settings
    chart: str = ""  # key of the only chart shown on stage; without it all are


@dataclass(frozen=True, slots=True)
class Prediction:
    """A question about a setting that is not on screen; ``field`` is the attribute of the Result that answers it."""

    question: str
    experiment: str
    params: Settings
    field: str
    because: str
    choices: tuple[str, ...] = ()
    range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """A goal that a run meets or not: ``field op value``; one setting that misses it and one that meets it."""

    goal: str
    experiment: str
    field: str
    op: str
    value: Any
    wrong_params: Settings
    solved_params: Settings

    def met_by(self, result: Any) -> bool:
        """Whether a Result of the experiment reaches the goal."""
        return OPERATORS[self.op](getattr(result, self.field), self.value)


@dataclass(frozen=True, slots=True)
class Lesson:
    """All content of one lab. ``tabs`` maps each experiment to its label, in order."""

    topic: str
    title: str
    question: str
    answer: str
    tabs: dict[str, str]
    views: Settings
    scenes: tuple[Scene, ...]
    predictions: tuple[Prediction, ...]
    challenges: tuple[Challenge, ...]
    guide: dict[str, str]  # heading -> markdown below it

    @property
    def tab_key(self) -> str:
        """The widget key of the lab's tabs."""
        return f"{self.topic}_tab"

    def defaults(self) -> Settings:
        """Return every widget key of the lab with its default: the first tab, the views, each field of each Params."""
        settings = {self.tab_key: next(iter(self.tabs.values())), **self.views}
        for experiment in self.tabs:
            for field in fields(params_class(self.topic, experiment)):
                if field.default is not MISSING:
                    settings[f"{experiment}_{field.name}"] = field.default
        return settings

    def settings_of(self, experiment: str, settings: Settings) -> Any:
        """Return the experiment's Params for ``settings`` (keys of other experiments are left aside)."""
        cls = params_class(self.topic, experiment)
        names = {field.name for field in fields(cls)}
        prefix = f"{experiment}_"
        values = {key.removeprefix(prefix): plain(value) for key, value in settings.items() if key.startswith(prefix)}
        return cls(**{name: value for name, value in values.items() if name in names})


def plain(value: Any) -> Any:
    """Return a TOML or widget value as Params hold it: lists become tuples."""
    return tuple(value) if isinstance(value, list) else value


def module_of(topic: str, experiment: str) -> ModuleType:
    """Return the engine module of an experiment: ``engine.<topic>.<experiment>``."""
    return import_module(f"engine.{topic}.{experiment}")


def params_class(topic: str, experiment: str) -> type[Any]:
    """Return the Params class of an experiment, by its name: ``bytes_read`` has ``BytesReadParams``."""
    name = "".join(word.capitalize() for word in experiment.split("_")) + "Params"
    cls: type[Any] = getattr(module_of(topic, experiment), name)
    return cls


def _entry(cls: type[Any], table: dict[str, Any], where: str) -> Any:
    """Return a content dataclass from its TOML table, with a clear error for a missing or an unknown key."""
    names = {field.name for field in fields(cls)}
    required = {field.name for field in fields(cls) if field.default is MISSING}
    unknown, missing = sorted(set(table) - names), sorted(required - set(table))
    require(not unknown, "{}: keys must be among {}. Got {}.", where, ", ".join(sorted(names)), ", ".join(unknown))
    require(not missing, "{}: {} must be given.", where, ", ".join(missing))
    return cls(**{key: plain(value) for key, value in table.items()})


def guide_sections(text: str) -> dict[str, str]:
    """Return the ``## `` sections of a guide: heading -> text."""
    parts = ("\n" + text).split("\n## ")[1:]
    return {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in parts}


@lru_cache(maxsize=32)
def load(topic: str) -> Lesson:
    """Read and check the content of a lab.

    Raises
    ------
    InputError
        The file is missing or not TOML, or an entry lacks a key or has one too many.
    """
    path = FOLDER / f"{topic}.toml"
    require(path.exists(), "topic must be a lesson in pages/lessons. Got {!r}.", topic)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path.name} must be TOML: {error}") from error
    for challenge in content.get("challenge", []):
        require(
            challenge.get("op") in OPERATORS,
            "challenge op must be one of {}. Got {!r}.",
            *(" ".join(OPERATORS), challenge.get("op")),
        )
    kinds: dict[str, type[Any]] = {"scene": Scene, "prediction": Prediction, "challenge": Challenge}
    entries = {
        kind: tuple(_entry(cls, table, f"{path.name} [[{kind}]] {i + 1}") for i, table in enumerate(content.get(kind, [])))
        for kind, cls in kinds.items()
    }
    return Lesson(
        topic=topic,
        title=content["lab"]["title"],
        question=content["lab"]["question"],
        answer=content["lab"]["answer"],
        tabs=content["tabs"],
        views=content.get("views", {}),
        scenes=entries["scene"],
        predictions=entries["prediction"],
        challenges=entries["challenge"],
        guide=guide_sections((FOLDER / f"{topic}.md").read_text(encoding="utf-8")),
    )
