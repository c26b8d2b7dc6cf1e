"""The rules that a batch has to keep, as a contract in TOML.

A contract names each column's type, what it may hold and where it points to, and what must be true
of the batch as a whole: how many rows per day, a row for every hour, how far a distribution may be
from the last batch's. A rule quarantines the rows that break it, or (``on_fail = "warn"``) only
counts them. What cannot be a rule is refused in a sentence; the checks themselves are in
``gate``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa

from engine import data
from engine.errors import InputError, require, require_choice
from engine.etl.contracts import CONTRACTS, TABLES, TableName

Type = Literal["int", "float", "text", "time"]
TYPES: tuple[Type, ...] = get_args(Type)
HOLDS: dict[Type, str] = {"int": "numbers", "float": "numbers", "text": "texts", "time": "times"}
OnFail = Literal["quarantine", "warn"]
ON_FAIL: tuple[OnFail, ...] = get_args(OnFail)
Nulls = Literal["equal", "distinct"]  # in a unique rule: a value like any other, or never the same
NULLS: tuple[Nulls, ...] = get_args(Nulls)
COLUMN_KEYS = ("type", "nullable", "min", "max", "in", "references", "except", "on_fail")
MAX_NUMBER = 1e15  # of min, max and counts: what is exact as a float
MAX_BITS = 64  # of a whole number, as TOML promises them
MAX_DEPTH = 4  # a list in a column's rule in [columns]
TABLE_KEYS = ("unique", "unique_nulls", "rows_a_day", "rows", "every_hour_of", "drift", "max_ks")


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What one column may hold."""

    name: str
    type: Type
    nullable: bool = False
    min: float | None = None
    max: float | None = None
    one_of: tuple[str, ...] = ()
    references: str = ""  # table.column of a bundled table
    exceptions: tuple[str, ...] = ()  # values allowed though they are not there
    on_fail: OnFail = "quarantine"

    @property
    def as_dict(self) -> dict[str, Any]:
        """The rule as its TOML says it, without what is not said."""
        ranged = {} if self.min is None else {"min": self.min, "max": self.max}
        said = {
            "in": list(self.one_of),
            "references": self.references,
            "except": list(self.exceptions),
        }
        warn = {} if self.on_fail == "quarantine" else {"on_fail": self.on_fail}
        nullable = {"nullable": True} if self.nullable else {}
        return {
            "type": self.type,
            **nullable,
            **ranged,
            **{key: value for key, value in said.items() if value},
            **warn,
        }


@dataclass(frozen=True, slots=True)
class Contract:
    """All rules of one table."""

    table: TableName
    columns: tuple[ColumnRule, ...]
    unique: tuple[str, ...] = ()
    unique_nulls: Nulls = "equal"
    rows_a_day: tuple[int, int] | None = None
    rows: tuple[int, int] | None = None
    every_hour_of: str = ""
    drift: str = ""
    max_ks: float = 1.0

    def rule(self, column: str) -> ColumnRule:
        """Return the rule of a column."""
        return next(rule for rule in self.columns if rule.name == column)

    @property
    def rules(self) -> dict[str, dict[str, Any]]:
        """The rules on the columns, as plain values."""
        return {rule.name: rule.as_dict for rule in self.columns}

    @property
    def names(self) -> list[str]:
        """The columns that the contract names."""
        return [rule.name for rule in self.columns]


@lru_cache(maxsize=64)
def parse(table: TableName, text: str = "") -> Contract:
    """Return the contract of a table from its TOML; without one the built-in contract.

    Raises
    ------
    InputError
        The text is not TOML, or says something that a contract cannot say: which rule, and what to
        write instead.
    """
    require_choice("table", table, TABLES)
    content = _read(text or CONTRACTS[table])
    known = {"columns", "table"}
    require(
        set(content) <= known,
        "rules must have the parts [columns] and [table]. Got {}.",
        ", ".join(set(content) - known),
    )
    columns = content.get("columns", {})
    require(
        isinstance(columns, dict) and bool(columns),
        "rules must name at least one column under [columns]. Got none.",
    )
    rules = tuple(_column(table, name, given) for name, given in columns.items())
    return Contract(
        table, rules, **_table(table, content.get("table", {}), [rule.name for rule in rules])
    )


def _read(text: str) -> dict[str, Any]:
    """Return the TOML of a person, not deeper than a contract is."""
    deep = (
        f"rules must be nested at most {MAX_DEPTH} deep, as the built-in rules are. Take the inner"
        " brackets away."
    )
    try:
        text.encode()
        content = tomllib.loads(text)
    except RecursionError:
        raise InputError(deep) from None
    except ValueError as error:  # no TOML, no text, or a number of too many digits
        raise InputError(
            f"rules must be TOML: {error}. Reset brings the built-in rules back."
        ) from error
    level: list[Any] = [content]
    for _ in range(MAX_DEPTH):
        wholes = [whole.values() if isinstance(whole, dict) else whole for whole in level]
        parts = [part for whole in wholes for part in whole]
        huge = any(isinstance(part, int) and part.bit_length() > MAX_BITS for part in parts)
        require(not huge, "rules: a whole number must have at most {} bits.", MAX_BITS)
        level = [part for part in parts if isinstance(part, dict | list)]
    require(not level, deep)
    return content


def stored(table: str, name: str) -> str:
    """Return what a column of a bundled table holds: numbers, texts or times."""
    kind = data.load(table).schema.field(name).type
    return (
        "times"
        if pa.types.is_timestamp(kind)
        else "texts"
        if pa.types.is_string(kind)
        else "numbers"
    )


def _column(table: str, name: str, given: Any) -> ColumnRule:
    there = list(tomllib.loads(CONTRACTS[table])["columns"])
    require(
        name in there,
        "rules: a batch of {} has no column {!r}. It has {}.",
        table,
        name,
        ", ".join(there),
    )
    require(
        isinstance(given, dict),
        'rules: {} must be a table like {{ type = "int" }}. Got {!r}.',
        name,
        given,
    )
    unknown = sorted(set(given) - set(COLUMN_KEYS))
    require(
        not unknown,
        "rules: {} may have {}. Got {}.",
        name,
        ", ".join(COLUMN_KEYS),
        ", ".join(unknown),
    )
    require_choice(f"rules: type of {name}", given.get("type"), TYPES)
    require_choice(f"rules: on_fail of {name}", given.get("on_fail", "quarantine"), ON_FAIL)
    holds = stored(table, name)
    message = "rules: type of {} must be {}, for it holds {}. Got {!r}."
    fitting = " or ".join(type_ for type_ in TYPES if HOLDS[type_] == holds)
    require(HOLDS[given["type"]] == holds, message, name, fitting, holds, given["type"])
    for key in ("in", "except"):
        require(
            _is_texts(given.get(key, [])),
            "rules: {} of {} must be a list of texts. Got {!r}.",
            key,
            name,
            given.get(key),
        )
        message = "rules: {} of {} needs a column of texts. It holds {}."
        require(holds == "texts" or not given.get(key), message, key, name, holds)
    require(
        isinstance(given.get("nullable", False), bool),
        "rules: nullable of {} must be true or false.",
        name,
    )
    return ColumnRule(
        name,
        given["type"],
        given.get("nullable", False),
        *_range(name, given),
        tuple(given.get("in", [])),
        _reference(name, holds, given.get("references", "")),
        tuple(given.get("except", [])),
        given.get("on_fail", "quarantine"),
    )


def _range(name: str, given: dict[str, Any]) -> tuple[float | None, float | None]:
    low, high = given.get("min"), given.get("max")
    if low is None and high is None:
        return None, None
    for key, value in (("min", low), ("max", high)):
        message = "rules: {} of {} must be a number, at most {:g} either side of zero. Got {!r}."
        require(value is None or _is_number(value), message, key, name, MAX_NUMBER, value)
    require(
        given["type"] in ("int", "float"),
        "rules: min and max of {} need a number type. Got {!r}.",
        name,
        given["type"],
    )
    if low is None or high is None:
        raise InputError(f"rules: {name} must have both min and max, or neither.")
    require(low <= high, "rules: min of {} must not exceed max. Got {} and {}.", name, low, high)
    return float(low), float(high)


def _reference(name: str, holds: str, given: Any) -> str:
    if given == "":
        return ""
    table, _, column = given.partition(".") if isinstance(given, str) else ("", "", "")
    message = "rules: references of {} must be table.column of {}. Got {!r}."
    require(
        table in data.TABLES and column in data.load(table).column_names,
        message,
        name,
        ", ".join(data.TABLES),
        given,
    )
    message = "rules: references of {} must name a column of {}. Got {!r}, which holds {}."
    require(stored(table, column) == holds, message, name, holds, given, stored(table, column))
    return str(given)


def _is_number(given: Any) -> bool:
    """Whether a value of TOML is a number that a float holds exactly; nan and inf are none."""
    return (
        isinstance(given, int | float)
        and not isinstance(given, bool)
        and -MAX_NUMBER <= given <= MAX_NUMBER
    )


def _is_texts(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(value, str) for value in given)


def _unique(given: dict[str, Any], names: list[str]) -> tuple[str, ...]:
    unique = given.get("unique", [])
    require(
        _is_texts(unique) and set(unique) <= set(names) and len(set(unique)) == len(unique),
        "rules: unique must list columns of the contract, each once. Got {!r}.",
        unique,
    )
    require_choice("rules: unique_nulls", given.get("unique_nulls", "equal"), NULLS)
    require(
        bool(unique) or "unique_nulls" not in given,
        "rules: unique_nulls needs the rule unique, a list of columns.",
    )
    return tuple(unique)


def _table(table: str, given: Any, names: list[str]) -> dict[str, Any]:
    require(isinstance(given, dict), "rules: [table] must be a part of its own. Got {!r}.", given)
    unknown = sorted(set(given) - set(TABLE_KEYS))
    require(
        not unknown,
        "rules: [table] may have {}. Got {}.",
        ", ".join(TABLE_KEYS),
        ", ".join(unknown),
    )
    kept: dict[str, Any] = {**given, "unique": _unique(given, names)}
    for key in ("rows_a_day", "rows"):
        pair = given.get(key)
        if pair is None:
            continue
        whole = (
            isinstance(pair, list)
            and len(pair) == 2
            and all(isinstance(n, int) and _is_number(n) for n in pair)
        )
        require(
            whole and pair[0] <= pair[1],
            "rules: {} must be two whole numbers, low and high. Got {!r}.",
            key,
            pair,
        )
        kept[key] = tuple(pair)
    for key in ("every_hour_of", "drift"):
        value = given.get(key, "")
        require(
            value == "" or value in names,
            "rules: {} must be a column of the contract. Got {!r}.",
            key,
            value,
        )
    drift = given.get("drift", "")
    require(
        not drift or stored(table, drift) == "numbers",
        "rules: drift must be a column of numbers. Got {!r}.",
        drift,
    )
    ks = given.get("max_ks", 1.0)
    require(_is_number(ks) and 0 <= ks <= 1, "rules: max_ks must be 0–1. Got {!r}.", ks)
    hours = given.get("every_hour_of", "")
    require(not hours or "time_hour" in names, "rules: every_hour_of needs the column time_hour.")
    require(
        not hours or stored(table, hours) == "texts",
        "rules: every_hour_of must be a column of texts. Got {!r}.",
        hours,
    )
    return kept


# ---- what the checks need


@lru_cache(maxsize=16)
def known_values(reference: str) -> frozenset[Any]:
    """Return the values of ``table.column``, to which a foreign key points."""
    table, _, column = reference.partition(".")
    return frozenset(data.load(table)[column].drop_null().to_pylist())


def ks_statistic(values: np.ndarray, reference: np.ndarray) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples, 0 … 1; 0 if one is empty."""
    from scipy.stats import ks_2samp

    values, reference = (sample[~np.isnan(sample)] for sample in (values, reference))
    if not len(values) or not len(reference):
        return 0.0
    with np.errstate(divide="ignore"):  # of the p-value of a few values, which nobody reads
        return float(ks_2samp(values, reference, method="asymp").statistic)


def missing_hours(frame: Any, column: str, n_hours: int) -> int:
    """Return how many of the hours that each value of ``column`` should have are not there; a row
    without either is of no hour.
    """
    there = frame[[column, "time_hour"]].dropna().drop_duplicates()
    return int(n_hours * frame[column].nunique() - len(there))


def unique_text(contract: Contract) -> str:
    """Return the text of the unique rule."""
    from engine.etl import gate

    return gate.unique_text(contract.rules, list(contract.unique), contract.unique_nulls)


def texts(contract: Contract) -> dict[str, tuple[str, str, str]]:
    """Return the text of each row check: (kind, column, severity)."""
    from engine.etl import gate

    found: dict[str, tuple[str, str, str]] = {}
    for rule in contract.columns:
        for kind, text in gate.texts(rule.name, rule.as_dict).items():
            found[text] = (kind, rule.name, rule.on_fail)
    if contract.unique:
        found[unique_text(contract)] = ("unique", "", "quarantine")
    return found


def known(contract: Contract) -> dict[str, set[Any]]:
    """Return the values to which each foreign key of a contract may point."""
    return {
        rule.references: set(known_values(rule.references))
        for rule in contract.columns
        if rule.references
    }
