"""Entries of a lesson's TOML and sections of its guide, checked; an error names file and key."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from typing import Any

from engine.errors import require
from pages.shell.conditions import OPERATORS, Condition
from pages.shell.content import HIGH, KINDS, LOW, Drawn, Prediction, Wrong

AXIS = re.compile(r"[xy][2-9]?|trace")


def to_field(value: Any) -> Any:
    """Return a TOML or widget value as Params hold it: lists become tuples."""
    return tuple(value) if isinstance(value, list) else value


def entry(cls: type[Any], table: dict[str, Any], where: str) -> Any:
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
        values["conditions"] = _listed(Condition, "conditions", table, where)
        for i, one in enumerate(values["conditions"]):
            require(
                one.op in OPERATORS,
                "{}, condition {}: op must be one of {}. Got {!r}.",
                where,
                i + 1,
                ", ".join(OPERATORS),
                one.op,
            )
    if "wrong" in values:
        values["wrong"] = _listed(Wrong, "wrong", table, where)
    if "drawn" in values:
        values["drawn"] = _drawn(table["drawn"], where)
    made = cls(**values)
    if isinstance(made, Prediction):
        _check_choices(made, where)
    return made


def _listed(cls: type[Any], field: str, table: dict[str, Any], where: str) -> tuple[Any, ...]:
    """Return a field that is a list of tables as entries of ``cls``."""
    tables = table[field]
    names = ", ".join(one.name for one in fields(cls))
    require(
        isinstance(tables, list) and bool(tables),
        "{}: {} must be a list of at least one {{ {} }}. Got {!r}.",
        where,
        field,
        names,
        tables,
    )
    one = {"conditions": "condition"}.get(field, field)
    return tuple(entry(cls, part, f"{where}, {one} {i + 1}") for i, part in enumerate(tables))


def _drawn(table: Any, where: str) -> Drawn:
    """Return where a prediction is drawn."""
    given = isinstance(table, dict)
    require(given, "{}: drawn must be a table such as {{ axis = 'x' }}. Got {!r}.", where, table)
    made: Drawn = entry(Drawn, table, f"{where}, drawn")
    known = AXIS.fullmatch(made.axis) is not None
    require(known, "{}, drawn: axis must be x, y, x2 … or trace. Got {!r}.", where, made.axis)
    return made


def _check_choices(prediction: Prediction, where: str) -> None:
    """Raise ``InputError`` unless each wrong choice is one that can be chosen, once."""
    offered = prediction.choices if prediction.range is None else (LOW, HIGH)
    chosen = [one.choice for one in prediction.wrong]
    require(
        len({*chosen}) == len(chosen) and {*chosen} <= {*offered},
        "{}: the choice of each wrong must be another of {}. Got {}.",
        where,
        ", ".join(offered),
        ", ".join(chosen),
    )


def check_steps(entries: dict[str, tuple[Any, ...]], name: str) -> None:
    """Raise ``InputError`` unless titles are unique and each step names entries that there are."""
    titles = {
        "scene": [one.title for one in entries["scene"]],
        "prediction": [one.title for one in entries["prediction"] if one.title],
        "challenge": [one.goal for one in entries["challenge"]],
    }
    listed = [title for part in titles.values() for title in part]
    twice = sorted({title for title in listed if listed.count(title) > 1})
    require(not twice, "{}: every title must be another. Got twice: {}.", name, ", ".join(twice))
    shown = [*titles["scene"], *titles["prediction"]]
    allowed = {
        "predict": titles["prediction"],
        "see": shown,
        "explain": shown,
        "do": titles["challenge"],
        "recall": titles["prediction"],
    }
    for i, step in enumerate(entries["step"]):
        where = f"{name} [[step]] {i + 1}"
        known = step.kind in KINDS
        require(known, "{}: kind must be one of {}. Got {!r}.", where, ", ".join(KINDS), step.kind)
        named = step.of if isinstance(step.of, tuple) else (step.of,)
        many = 2 if step.kind == "recall" else 1
        require(
            len(named) == many and {*named} <= {*allowed[step.kind]},
            "{}: of must name {} of this file that a {} step can have. Got {!r}.",
            where,
            "two entries" if many == 2 else "an entry",
            step.kind,
            step.of,
        )
        asks = bool(step.question) == (step.kind == "explain")
        require(asks, "{}: question must be given for explain alone. Got {}.", where, step.kind)


def guide_sections(text: str) -> dict[str, str]:
    """Return the ``## `` sections of a guide: heading -> text."""
    parts = ("\n" + text).split("\n## ")[1:]
    return {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in parts}
