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
from pathlib import Path
from typing import Any

from engine.errors import InputError, require
from engine.workspace import REPOSITORY
from pages.shell.content import KINDS, Lab, Scene
from pages.shell.content import Challenge as Challenge
from pages.shell.content import Prediction as Prediction
from pages.shell.content import Settings as Settings
from pages.shell.content import Step as Step
from pages.shell.experiments import params_class
from pages.shell.lesson_entries import check_steps, entry, guide_sections
from pages.shell.lesson_entries import to_field as to_field

FOLDER = REPOSITORY / "pages" / "lessons"


@dataclass(frozen=True, slots=True)
class Lesson:
    """All content of one lab.

    ``tabs`` maps each experiment to its label, in order; ``inside`` an experiment that shares the
    tab of another to that one, its own name, and the view key and option that show it;
    ``try_lines`` an experiment to what to do first; ``moved`` a widget key to its former values,
    each with the keys and values that replace it.
    """

    topic: str
    number: int
    preview: str
    title: str
    short: str
    question: str
    answer: str
    tabs: dict[str, str]
    inside: dict[str, tuple[str, str, str, str]]
    try_lines: dict[str, str]
    moved: dict[str, dict[str, dict[str, str]]]
    views: Settings
    scenes: tuple[Scene, ...]
    predictions: tuple[Prediction, ...]
    challenges: tuple[Challenge, ...]
    steps: tuple[Step, ...]
    guide: dict[str, str]  # heading -> markdown below it

    @property
    def tab_key(self) -> str:
        """The widget key of the lab's tabs."""
        return f"{self.topic}_tab"

    @property
    def minutes(self) -> int:
        """About how long the path takes, to five minutes."""
        return 5 * round(sum(KINDS[step.kind] for step in self.steps) / 5)

    def named(self, title: str) -> Scene | Prediction | Challenge:
        """Return the entry that a step names: a scene or a prediction by its title, a challenge by
        its goal.
        """
        entries: list[Scene | Prediction | Challenge] = [*self.scenes, *self.predictions]
        titled = {one.title: one for one in entries if not isinstance(one, Challenge)}
        return {one.goal: one for one in self.challenges}.get(title) or titled[title]

    @property
    def experiments(self) -> dict[str, str]:
        """Every experiment of the lab with its name, those inside another's tab last."""
        return {**self.tabs, **{name: place[1] for name, place in self.inside.items()}}

    def tab_of(self, experiment: str) -> str:
        """Return the label of the tab in which an experiment is."""
        return self.tabs[self.inside.get(experiment, (experiment,))[0]]

    def place_of(self, experiment: str) -> Settings:
        """Return the settings that bring an experiment on screen: its tab, and its view there."""
        views = {
            view: option if name == experiment else self.views[view]
            for name, (host, _, view, option) in self.inside.items()
            if experiment in (name, host)
        }
        return {self.tab_key: self.tab_of(experiment), **views}

    def defaults(self) -> Settings:
        """Return every widget key of the lab with its default: the first tab, the views, each field
        of each Params.
        """
        settings = {self.tab_key: next(iter(self.tabs.values())), **self.views}
        for experiment in self.experiments:
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


@lru_cache(maxsize=1)
def topics() -> tuple[str, ...]:
    """Return the topic of every lab, in the order of the course: each has a TOML file in
    ``FOLDER``.
    """
    return tuple(
        sorted((path.stem for path in FOLDER.glob("*.toml")), key=lambda topic: load(topic).number)
    )


def _inside(
    content: dict[str, Any], tabs: dict[str, str], name: str
) -> dict[str, tuple[str, str, str, str]]:
    """Return the checked entries of ``[inside]``."""
    inside = {experiment: tuple(place) for experiment, place in content.get("inside", {}).items()}
    for experiment, place in inside.items():
        require(
            len(place) == 4 and place[0] in tabs,
            "{} [inside] {}: must be [experiment of the tab, name, view key, option]. Got {}.",
            name,
            experiment,
            list(place),
        )
    return inside


@lru_cache(maxsize=32)
def load(topic: str) -> Lesson:
    """Read and check the content of a lab.

    Raises
    ------
    InputError
        The file is missing or not TOML, or an entry lacks a key, has one too many or a value of
        another kind.
    """
    path = FOLDER / f"{topic}.toml"
    require(path.exists(), "topic must be a lesson in pages/lessons. Got {!r}.", topic)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8
        raise InputError(f"{path.name} must be TOML: {error}") from error
    try:
        return _checked(topic, path, content)
    except (TypeError, AttributeError, KeyError) as error:
        raise InputError(
            f"{path.name}: every value must be of the kind that other lessons have. Got: {error}"
        ) from error


def _checked(topic: str, path: Path, content: dict[str, Any]) -> Lesson:
    """Return the lesson of a file's content."""
    tabs = content.get("tabs", {})
    inside = _inside(content, tabs, path.name)
    entries: dict[str, tuple[Any, ...]] = {}
    for kind, cls in {
        "scene": Scene,
        "prediction": Prediction,
        "challenge": Challenge,
        "step": Step,
    }.items():
        tables = [
            (f"{path.name} [[{kind}]] {i + 1}", table)
            for i, table in enumerate(content.get(kind, []))
        ]
        entries[kind] = tuple(entry(cls, table, where) for where, table in tables)
        for (where, _), one in zip(tables, entries[kind], strict=True):
            known = not hasattr(one, "experiment") or one.experiment in {**tabs, **inside}
            require(
                known,
                "{}: experiment must be one of {}. Got {!r}.",
                where,
                ", ".join(tabs),
                getattr(one, "experiment", ""),
            )
    check_steps(entries, path.name)
    lab = entry(Lab, content.get("lab", {}), f"{path.name} [lab]")
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
        inside=inside,
        try_lines=content.get("try", {}),
        moved=content.get("moved", {}),
        views=content.get("views", {}),
        scenes=entries["scene"],
        predictions=entries["prediction"],
        challenges=entries["challenge"],
        steps=entries["step"],
        guide=guide_sections((FOLDER / f"{topic}.md").read_text(encoding="utf-8")),
    )
