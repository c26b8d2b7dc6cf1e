"""Declared ranges: every Params of the project refuses what its fields do not allow, each with the
sentence of its rule.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from engine.errors import InputError
from engine.ranges import Choice, Choices, Interval, Params, Range, Text, rules

ROOT = Path(__file__).resolve().parents[2]


@lru_cache(maxsize=1)
def every_params() -> list[type[Any]]:
    """All Params classes of engine/, found by importing each module that defines one."""
    for path in sorted((ROOT / "engine").rglob("*.py")):
        if "(Params)" in path.read_text(encoding="utf-8"):
            import_module(
                ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            )
    return sorted(Params.__subclasses__(), key=lambda cls: cls.__qualname__)


ALL = [cls for cls in every_params() if cls.__module__.startswith("engine.")]
FIELDS = [(cls, name) for cls in ALL for name in rules(cls)]


@pytest.mark.parametrize(("cls", "name"), FIELDS, ids=lambda part: getattr(part, "__name__", part))
def test_a_field_refuses_what_it_does_not_allow(cls: type[Any], name: str) -> None:
    rule = rules(cls)[name]
    good, bad = rule.edges()
    for value in good:
        rule.check(name, value)
    default = cls()
    for value in bad:
        with pytest.raises(InputError, match=f"^{name} must "):
            replace(default, **{name: value})


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_defaults_keep_their_own_rules_and_numbers_are_bounded(cls: type[Any]) -> None:
    params = cls()
    for field in fields(params):
        number = isinstance(field.default, int | float) and not isinstance(field.default, bool)
        assert not number or field.name in rules(cls), f"{cls.__name__}.{field.name} has no range"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyParams(Params):
    k: Annotated[int, Range(1, 50_000)] = 5
    limit: Annotated[int, Range(0, 10, low_means="none")] = 0
    share: Annotated[float, Range(0.05, 1)] = 0.5
    window: Annotated[tuple[float, float], Interval()] = (0.1, 0.2)
    method: Literal["a", "b"] = "a"
    hours: Annotated[int, Choice((1, 24))] = 24
    formats: Annotated[tuple[str, ...], Choices(("CSV", "Avro"))] = ("CSV",)
    name: Annotated[str, Text(3)] = ""
    on: bool = False

    def check_together(self) -> None:
        if self.on and self.k > 9:
            raise InputError("k must be 1–9 when on. Got more.")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"k": 0}, "k must be 1–50,000. Got 0."),
        ({"k": 50_001}, "k must be 1–50,000. Got 50001."),
        ({"k": 2.5}, "k must be a whole number. Got 2.5."),
        ({"k": True}, "k must be 1–50,000. Got True."),
        ({"k": None}, "k must be 1–50,000. Got None."),
        ({"k": float("nan")}, "k must be 1–50,000. Got nan."),
        ({"limit": -1}, "limit must be 0 (none)–10. Got -1."),
        ({"share": 0}, "share must be 0.05–1. Got 0."),
        ({"window": (0.5, 0.4)}, "window must be two numbers in order, 0–1. Got (0.5, 0.4)."),
        ({"window": 3}, "window must be two numbers in order, 0–1. Got 3."),
        ({"method": "c"}, "method must be one of a, b. Got 'c'."),
        ({"hours": 2}, "hours must be one of 1, 24. Got 2."),
        ({"hours": True}, "hours must be one of 1, 24. Got True."),
        ({"formats": ()}, "formats must name at least one. Got none. Choose one."),
        ({"formats": ("CSV", "CSV")}, "formats must name each only once. Got ('CSV', 'CSV')."),
        ({"formats": ("ORC",)}, "formats must be one of CSV, Avro. Got 'ORC'."),
        ({"name": "abcd"}, "name must have at most 3 characters. Got 4."),
        ({"on": 1}, "on must be true or false. Got 1."),
        ({"on": True, "k": 10}, "k must be 1–9 when on. Got more."),
    ],
)
def test_each_rule_says_what_it_wants(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        ToyParams(**given)
    assert str(caught.value) == message


def test_good_values_at_the_edges_are_taken() -> None:
    given: dict[str, Any] = {
        "k": 50_000,
        "limit": 10,
        "share": 0.05,
        "window": (0.0, 1.0),
        "method": "b",
        "hours": 1,
        "formats": ("Avro", "CSV"),
        "name": "abc",
        "on": False,
    }
    assert asdict(ToyParams(**given)) == given
