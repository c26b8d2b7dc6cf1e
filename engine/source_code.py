"""Python source with values in it: a value stands there as a literal, so that no text of a person's
ever becomes code.

Every script, test file and notebook cell that the playground writes is made here: a template of the
project's own, whose ``@marks`` are filled in one pass. What is filled in is never looked at again,
so a text that contains a mark stays a text.
"""

from __future__ import annotations

import math
import re
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from engine.errors import InputError, require

MAX_DEPTH = 8  # of lists in lists
MAX_BITS = 64  # of a whole number


class Code(str):
    """Source that the project itself wrote: ``fill`` puts it in as it stands. Never made of a
    person's text.
    """

    __slots__ = ()


def literal(value: Any, depth: int = 0) -> str:
    """Return the literal of a plain value, on one line: ``ast.literal_eval`` of it gives the value
    back.

    Plain are ``None``, bool, int, float, str, and tuples, lists and dicts of these; nothing derived
    from them, for a class of its own may write itself as it likes (a date of TOML, a number of
    NumPy).

    Raises
    ------
    InputError
        The value is not plain, not finite, too large or too deep.
    """
    kind = type(value)
    require(depth <= MAX_DEPTH, "A value in code must be nested at most {} deep.", MAX_DEPTH)
    if value is None or kind in (bool, str):
        return repr(value)  # what cannot be printed is escaped: line ends, NUL, lone surrogates
    if kind is int:
        require(
            value.bit_length() <= MAX_BITS,
            "A whole number in code must have at most {} bits.",
            MAX_BITS,
        )
        return repr(value)
    if kind is float:
        require(math.isfinite(value), "A number in code must be finite. Got {}.", value)
        return repr(value)
    if kind is list:
        return f"[{', '.join(literal(part, depth + 1) for part in value)}]"
    if kind is tuple:
        parts = ", ".join(literal(part, depth + 1) for part in value)
        return f"({parts}{',' if len(value) == 1 else ''})"
    if kind is dict:
        pairs = ((literal(key, depth + 1), literal(part, depth + 1)) for key, part in value.items())
        return f"{{{', '.join(f'{key}: {part}' for key, part in pairs)}}}"
    raise InputError(
        "A value in code must be text, a number, true, false, nothing, or a list of these. Got"
        f" {kind.__name__}."
    )


def constructor(params: Any, **written: Code) -> Code:
    """Return the call that makes a dataclass of the project anew: its name, and each field as a
    literal, or as ``written``.
    """
    if not is_dataclass(params) or not type(params).__module__.startswith("engine."):
        raise TypeError(f"params must be a dataclass of the engine. Got {type(params).__name__}.")
    texts = {
        field.name: written.get(field.name) or _argument(getattr(params, field.name))
        for field in fields(params)
    }
    return Code(
        f"{type(params).__name__}({', '.join(f'{name}={text}' for name, text in texts.items())})"
    )


def _argument(value: Any) -> str:
    """Return a literal; of a tuple of days the calls that make them: ``date(2013, 6, 3)``."""
    if type(value) is tuple and value and all(type(part) is date for part in value):
        days = [f"date({part.year}, {part.month}, {part.day})" for part in value]
        return f"({', '.join(days)}{',' * (len(days) == 1)})"
    return literal(value)


def fill(template: str, /, **parts: Any) -> str:
    """Return the template with each ``@name`` replaced by its part, in one pass.

    ``Code`` goes in as it stands, a dataclass as its constructor, anything else as its literal. A
    mark ends where the word does; an ``@`` before any other word (a decorator) stays.
    """
    texts = {name: _text(part) for name, part in parts.items()}
    return re.sub(rf"@({'|'.join(map(re.escape, texts))})\b", lambda mark: texts[mark[1]], template)


def _text(part: Any) -> str:
    if type(part) is Code:
        return str(part)
    return constructor(part) if is_dataclass(part) else literal(part)
