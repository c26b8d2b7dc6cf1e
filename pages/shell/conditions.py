"""What a challenge asks of a run, as its lesson writes it: conditions over Result and Params."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import InputError

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "in": lambda value, allowed: value in allowed,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be true of a run: ``field op value``; ``field`` is a path into its Result
    (``value_of``).
    """

    field: str
    op: str
    value: Any

    def met_by(self, result: Any) -> bool:
        """Whether a Result fulfils the condition."""
        return OPERATORS[self.op](value_of(result, self.field), self.value)


def value_of(result: Any, path: str) -> Any:
    """Return the value at ``path`` of a Result: attributes, keys and positions joined by dots.

    ``params.seed``, ``runs.0`` and ``sizes.CSV gzip`` are paths.

    Raises
    ------
    InputError
        The path leads nowhere: which step of it.
    """
    value = result
    for step in path.split("."):
        try:
            if isinstance(value, Mapping):
                value = value[step]
            elif isinstance(value, Sequence) and step.isdecimal():
                value = value[int(step)]
            else:
                value = getattr(value, step)
        except (AttributeError, KeyError, IndexError) as error:
            name = type(result).__name__
            raise InputError(
                f"field must be a value of {name}. Got {path!r}: there is no {step!r}."
            ) from error
    return value
