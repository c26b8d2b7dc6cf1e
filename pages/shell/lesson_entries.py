"""Entries of a lesson's TOML and sections of its guide, checked; an error names file and key."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from engine.errors import require
from pages.shell.conditions import OPERATORS, Condition


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
        entry(Condition, table, f"{where}, condition {i + 1}") for i, table in enumerate(tables)
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
