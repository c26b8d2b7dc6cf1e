"""What a teacher writes for a lab: ``pages/lessons/<topic>.toml`` and ``<topic>.md``, read and
checked.

The TOML names widgets by their keys, ``<experiment>_<field>``, where ``field`` is a field of the
experiment's Params. ``settings_of`` turns such a table back into Params, so that a prediction or a
challenge can be run without a page.
"""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, asdict, dataclass, fields
from functools import lru_cache
from typing import Any

from engine.errors import InputError, require
from engine.workspace import REPOSITORY
from pages.shell.conditions import OPERATORS, Condition
from pages.shell.experiments import params_class

FOLDER = REPOSITORY / "pages" / "lessons"
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
    """A question about a setting that is not on screen; ``field`` is the path into the Result to
    its answer (``value_of``).
    """

    question: str
    experiment: str
    params: Settings
    field: str
    because: str
    choices: tuple[str, ...] = ()
    range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """A goal that a run meets or not: all conditions; one setting that misses it and one that meets
    it.
    """

    goal: str
    experiment: str
    conditions: tuple[Condition, ...]
    wrong_params: Settings
    solved_params: Settings

    def met_by(self, result: Any) -> bool:
        """Whether a Result of the experiment reaches the goal."""
        return all(condition.met_by(result) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Lab:
    """The lesson's number in the course, its experiment on Home, its name, interview question and
    an answer.
    """

    number: int
    preview: str
    title: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """All content of one lab. ``tabs`` maps each experiment to its label, in order."""

    topic: str
    number: int
    preview: str
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
        """Return every widget key of the lab with its default: the first tab, the views, each field
        of each Params.
        """
        settings = {self.tab_key: next(iter(self.tabs.values())), **self.views}
        for experiment in self.tabs:
            for field in fields(params_class(self.topic, experiment)):
                if field.default is not MISSING:
                    settings[f"{experiment}_{field.name}"] = field.default
        return settings

    def settings_of(self, experiment: str, settings: Settings) -> Any:
        """Return the experiment's Params for ``settings`` (keys of other experiments are left
        aside).
        """
        cls = params_class(self.topic, experiment)
        names = {field.name for field in fields(cls)}
        prefix = f"{experiment}_"
        values = {
            key.removeprefix(prefix): to_field(value)
            for key, value in settings.items()
            if key.startswith(prefix)
        }
        return cls(**{name: value for name, value in values.items() if name in names})


def to_field(value: Any) -> Any:
    """Return a TOML or widget value as Params hold it: lists become tuples."""
    return tuple(value) if isinstance(value, list) else value


def _entry(cls: type[Any], table: dict[str, Any], where: str) -> Any:
    """Return a content dataclass from its TOML table, with a clear error for a missing or an
    unknown key.
    """
    names = {field.name for field in fields(cls)}
    required = {field.name for field in fields(cls) if field.default is MISSING}
    unknown, missing = sorted(set(table) - names), sorted(required - set(table))
    require(
        not unknown,
        "{}: keys must be among {}. Got {}.",
        where,
        ", ".join(sorted(names)),
        ", ".join(unknown),
    )
    require(not missing, "{}: {} must be given.", where, ", ".join(missing))
    values = {key: to_field(value) for key, value in table.items()}
    if "conditions" in values:
        values["conditions"] = _conditions(table["conditions"], where)
    return cls(**values)


def _conditions(tables: Any, where: str) -> tuple[Condition, ...]:
    listed = isinstance(tables, list) and bool(tables)
    require(
        listed,
        "{}: conditions must be a list of at least one {{ field, op, value }}. Got {!r}.",
        where,
        tables,
    )
    found = tuple(
        _entry(Condition, table, f"{where}, condition {i + 1}") for i, table in enumerate(tables)
    )
    for i, one in enumerate(found):
        known = one.op in OPERATORS
        require(
            known,
            "{}, condition {}: op must be one of {}. Got {!r}.",
            where,
            i + 1,
            ", ".join(OPERATORS),
            one.op,
        )
    return found


def guide_sections(text: str) -> dict[str, str]:
    """Return the ``## `` sections of a guide: heading -> text."""
    parts = ("\n" + text).split("\n## ")[1:]
    return {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in parts}


@lru_cache(maxsize=1)
def topics() -> tuple[str, ...]:
    """Return the topic of every lab, in the order of the course: each has a TOML file in
    ``FOLDER``.
    """
    return tuple(
        sorted((path.stem for path in FOLDER.glob("*.toml")), key=lambda topic: load(topic).number)
    )


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
    tabs = content.get("tabs", {})
    entries: dict[str, tuple[Any, ...]] = {}
    for kind, cls in {"scene": Scene, "prediction": Prediction, "challenge": Challenge}.items():
        tables = [
            (f"{path.name} [[{kind}]] {i + 1}", table)
            for i, table in enumerate(content.get(kind, []))
        ]
        entries[kind] = tuple(_entry(cls, table, where) for where, table in tables)
        for (where, _), entry in zip(tables, entries[kind], strict=True):
            known = not hasattr(entry, "experiment") or entry.experiment in tabs
            require(
                known,
                "{}: experiment must be one of {}. Got {!r}.",
                where,
                ", ".join(tabs),
                getattr(entry, "experiment", ""),
            )
    lab = _entry(Lab, content.get("lab", {}), f"{path.name} [lab]")
    require(
        lab.preview in tabs,
        "{} [lab]: preview must be one of {}. Got {!r}.",
        path.name,
        ", ".join(tabs),
        lab.preview,
    )
    return Lesson(
        topic=topic,
        **asdict(lab),
        tabs=tabs,
        views=content.get("views", {}),
        scenes=entries["scene"],
        predictions=entries["prediction"],
        challenges=entries["challenge"],
        guide=guide_sections((FOLDER / f"{topic}.md").read_text(encoding="utf-8")),
    )
