"""What a setting may be, written once: on the field of the Params that holds it.

``Annotated[int, Range(1, 50)]`` on a field of a ``Params`` dataclass is checked when the Params are
made, gives the widget of the field its bounds, step and options (``pages.shell.controls``), and
gives the tests their edge values. A field of a ``Literal`` type is a choice of its values, one
whose default is ``True`` or ``False`` a bool: neither needs to say more.

>>> @dataclass(frozen=True, slots=True, kw_only=True)
... class SmoteParams(Params):
...     k_neighbors: Annotated[int, Range(1, 50)] = 5
>>> SmoteParams(k_neighbors=51)
Traceback (most recent call last):
engine.errors.InputError: k_neighbors must be 1–50. Got 51.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from numbers import Real
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from engine import hosted
from engine.errors import InputError, require
from engine.units import format_number

Number = int | float
MOST_LISTED = 30  # values in a message


def _written(value: object) -> str:
    """Return a bound as the messages write it: thousands with commas, whole numbers without a
    point.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return format_number(value)
    return f"{value:g}".replace("-", "−") if isinstance(value, float) else str(value)


def _span(low: str, high: str) -> str:
    """Return a range of plain numbers, ``"1–50"``; of others ``"−5 to 5"``, ``"ATL to TPA"``."""
    return f"{low}–{high}" if low[0].isdigit() and "-" not in low + high else f"{low} to {high}"


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)


@dataclass(frozen=True, slots=True)
class Range:
    """A number from ``low`` to ``high``, both included; a whole one where the default is an
    ``int``.

    ``low_means`` says what the lowest value stands for where it is no quantity ("none"). A control
    offers ``options`` where they are given (numbers in the range), else ``least`` … ``most`` in
    steps of ``step``.
    """

    low: Number
    high: Number
    step: Number | None = None
    most: Number | None = None  # the highest value that a control offers; without it ``high``
    least: Number | None = None  # the lowest; without it ``low``
    options: tuple[Number, ...] = ()
    low_means: str = ""

    def check(self, name: str, value: object) -> None:
        """Raise ``InputError`` unless ``value`` is a number within the range."""
        low = _written(self.low) + (f" ({self.low_means})" if self.low_means else "")
        fits = _is_number(value) and self.low <= value <= self.high  # type: ignore[operator]
        require(fits, "{} must be {}. Got {}.", name, _span(low, _written(self.high)), value)

    def edges(self) -> tuple[list[Any], list[Any]]:
        """Return values that are just good and values that are just not."""
        return [self.low, self.high], [self.low - 1, self.high + 1, math.nan, "x"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Two numbers, or two days, a lower and an upper one, both from ``low`` to ``high``: what a
    slider with two handles gives.
    """

    low: Any = 0.0
    high: Any = 1.0
    step: Number | None = None

    def check(self, name: str, value: object) -> None:
        """Raise ``InputError`` unless ``value`` is such a pair, in order."""
        days = type(self.low) is date
        fits = isinstance(value, tuple) and len(value) == 2
        fits = fits and all(type(one) is date if days else _is_number(one) for one in value)  # type: ignore[attr-defined]
        fits = fits and self.low <= value[0] <= value[1] <= self.high  # type: ignore[index]
        span, kind = _span(_written(self.low), _written(self.high)), "days" if days else "numbers"
        got = " to ".join(map(str, value)) if days and isinstance(value, tuple) else value
        require(fits, "{} must be two {} in order, {}. Got {}.", name, kind, span, got)

    def edges(self) -> tuple[list[Any], list[Any]]:
        """Return values that are just good and values that are just not."""
        low, high = self.low, self.high
        one = timedelta(1) if type(low) is date else 1
        return [(low, high), (low, low)], [
            (high, low),
            (low - one, high),
            (low, high + one),
            (low,),
            "x",
        ]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of ``values``: texts, or the few numbers that make sense."""

    values: tuple[Any, ...]

    def check(self, name: str, value: object) -> None:
        """Raise ``InputError`` unless ``value`` is one of the values."""
        listed = ", ".join(map(_written, self.values))
        if len(self.values) > MOST_LISTED:
            listed = _span(_written(self.values[0]), _written(self.values[-1]))
        fits = any(
            value == one and isinstance(value, bool) == isinstance(one, bool) for one in self.values
        )
        require(fits, "{} must be one of {}. Got {!r}.", name, listed, value)

    def edges(self) -> tuple[list[Any], list[Any]]:
        """Return values that are just good and values that are just not."""
        return list(self.values), ["nonsense", None]


@dataclass(frozen=True, slots=True)
class Choices:
    """A tuple of some of ``values``, none twice, at least ``least`` of them; order counts."""

    values: tuple[Any, ...]
    least: int = 1

    def check(self, name: str, value: object) -> None:
        """Raise ``InputError`` unless ``value`` is such a tuple."""
        known = isinstance(value, tuple | list)
        require(known, "{} must be a list. Got {!r}.", name, value)
        chosen: Sequence[Any] = value  # type: ignore[assignment]
        wanted = "at least one" if self.least == 1 else f"at least {self.least}"
        got = "none" if not chosen else str(len(chosen))
        require(
            len(chosen) >= self.least, "{} must name {}. Got {}. Choose one.", name, wanted, got
        )
        for one in chosen:
            Choice(self.values).check(name, one)
        require(
            len(set(chosen)) == len(chosen), "{} must name each only once. Got {!r}.", name, value
        )

    def edges(self) -> tuple[list[Any], list[Any]]:
        """Return values that are just good and values that are just not."""
        bad: list[Any] = [("nonsense",), (self.values[0], self.values[0]), 3]
        return [self.values, self.values[: max(1, self.least)]], [
            *bad,
            *([()] if self.least else []),
        ]


@dataclass(frozen=True, slots=True)
class Text:
    """Free text of at most ``most`` characters: it reaches code or SQL only as a validated, quoted
    value.
    """

    most: int

    def check(self, name: str, value: object) -> None:
        """Raise ``InputError`` unless ``value`` is a text that is short enough."""
        require(isinstance(value, str), "{} must be a text. Got {!r}.", name, value)
        n = len(str(value))
        require(
            n <= self.most, "{} must have at most {:,} characters. Got {:,}.", name, self.most, n
        )

    def edges(self) -> tuple[list[Any], list[Any]]:
        """Return values that are just good and values that are just not."""
        return ["", "x" * self.most], ["x" * (self.most + 1), 3]


Rule = Range | Interval | Choice | Choices | Text
SEED = Range(0, 2**31 - 1, most=99)
SHARE = Range(0.0, 1.0, step=0.01)


_rules: dict[type[Any], dict[str, Rule]] = {}  # of each class once: a check runs at every tweak


def rules(params: type[Any]) -> dict[str, Rule]:
    """Return the declared rule of each field of a Params class that has one."""
    if params not in _rules:
        _rules[params] = _declared(params)
    return _rules[params]


def _declared(params: type[Any]) -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for name, hint in get_type_hints(params, include_extras=True).items():
        declared = [one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Rule)]
        if declared:
            found[name] = declared[0]
        elif get_origin(hint) is Literal:
            found[name] = Choice(get_args(hint))
    return found


def check(params: Any) -> None:
    """Raise ``InputError`` unless every field of ``params`` is what it declares."""
    declared = rules(type(params))
    for field in fields(params):
        name, value = field.name, getattr(params, field.name)
        rule = declared.get(name)
        if rule is not None:
            rule.check(name, value)
            if value != field.default:  # a tab opens, whatever the bound
                hosted.check_rows(name, value)
        if isinstance(rule, Range) and type(field.default) is int:
            require(float(value).is_integer(), "{} must be a whole number. Got {}.", name, value)
        if type(field.default) is bool:
            require(isinstance(value, bool), "{} must be true or false. Got {!r}.", name, value)


class Params:
    """Base of all Params: frozen dataclasses whose fields declare what they may be.

    A rule between fields goes into ``check_together``, which runs once every field by itself is
    right.
    """

    __slots__ = ()
    # whose widgets these are, where the class's name does not say it
    experiment: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check(self)
        self.check_together()

    def check_together(self) -> None:
        """Raise ``InputError`` where fields that are each right do not fit each other."""


def rule_of(params: Any, name: str) -> Rule:
    """Return the declared rule of a field of a Params object or class.

    Raises
    ------
    InputError
        The field declares none.
    """
    cls = params if isinstance(params, type) else type(params)
    found = rules(cls).get(name)
    if found is None:
        raise InputError(
            f"{cls.__name__}.{name} must declare what it may be. Got no Range, Choice or Text."
        )
    return found
