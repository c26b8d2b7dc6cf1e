"""Contracts as TOML, drawn by hypothesis: ``fitting`` ones can mostly be held, ``wild`` ones hold
what a person may mistype.
"""

from __future__ import annotations

import json
import tomllib

from hypothesis import strategies as st

from engine import data
from engine.etl import rules

COLUMNS = {table: list(tomllib.loads(text)["columns"]) for table, text in rules.CONTRACTS.items()}
REFERENCES = [f"{table}.{name}" for table in data.TABLES for name in data.load(table).column_names]
TEXTS = st.sampled_from(
    ["EWR", "JFK", "UA", "N725MQ", 'a"b', "O'Hare", "@gate", "{x}", "\\", "a\nb", "\u2028", ""]
) | st.text(max_size=6)
NUMBERS = st.integers(-2_000, 6_000).map(str) | st.floats(-1e6, 1e6).map(repr)
ODD = [
    "inf",
    "-inf",
    "nan",
    "1e400",
    "9" * 400,
    "0x" + "f" * 900,
    "true",
    "2013-01-01",
    "07:32:00",
    "1979-05-27T07:32:00Z",
]
ODD += ['"x"', "[]", "{}", "[[[[]]]]", "{ a.b.c.d.e = 1 }", "[2013-01-01]", '"int"', '""']


def quoted(value: str) -> str:
    """A text as TOML takes it: it knows JSON's escapes, but not halves of a character, and no bare
    control characters.
    """
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def listed(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, max_size=3).map(lambda found: f"[{', '.join(found)}]")


@st.composite
def column(draw: st.DrawFn, table: str, name: str, wild: bool) -> str:
    odd = st.sampled_from(ODD)
    loose = wild and draw(st.integers(0, 3)) == 0  # what may be written for another kind of column

    def value(usual: st.SearchStrategy[str]) -> str:
        return draw(odd if wild and draw(st.integers(0, 9)) == 0 else usual)

    holds = rules.stored(table, name)
    types = [type_ for type_, held in rules.HOLDS.items() if loose or held == holds]
    parts = {"type": value(st.sampled_from(types).map(quoted))}
    references = [text for text in REFERENCES if loose or rules.stored(*text.split(".")) == holds]
    options = {
        "nullable": st.sampled_from(["true", "false"]),
        "on_fail": st.sampled_from(['"warn"', '"quarantine"']),
    }
    if loose or holds == "texts":
        options |= {"in": listed(TEXTS.map(quoted)), "except": listed(TEXTS.map(quoted))}
    for key, usual in {**options, "references": st.sampled_from(references).map(quoted)}.items():
        if draw(st.integers(0, 2)) == 0:
            parts[key] = value(usual)
    if (loose or holds == "numbers") and draw(st.booleans()):
        low, high = sorted((draw(NUMBERS), draw(NUMBERS)), key=float)
        parts |= {"min": value(st.just(low)), "max": value(st.just(high))}
    return f"{name} = {{ {', '.join(f'{key} = {text}' for key, text in parts.items())} }}"


@st.composite
def contracts(draw: st.DrawFn, table: str, wild: bool) -> str:
    names = draw(st.lists(st.sampled_from(COLUMNS[table]), min_size=1, max_size=4, unique=True))
    pair = st.tuples(st.integers(0, 1_000), st.integers(0, 1_000)).map(
        lambda found: str(sorted(found))
    )
    options = {
        "unique": st.lists(st.sampled_from(names).map(quoted), unique=True, max_size=3).map(
            lambda n: f"[{', '.join(n)}]"
        ),
        "unique_nulls": st.sampled_from(['"equal"', '"distinct"']),
        "rows": pair,
        "rows_a_day": pair,
        "max_ks": st.floats(0, 1).map(repr),
    }
    numbers = [name for name in names if wild or rules.stored(table, name) == "numbers"]
    if numbers:
        options["drift"] = st.sampled_from(numbers).map(quoted)
    if wild or ("origin" in names and "time_hour" in names):
        options["every_hour_of"] = st.just('"origin"')
    lines = ["[columns]", *(draw(column(table, name, wild)) for name in names), "[table]"]
    for key, usual in options.items():
        if draw(st.integers(0, 2)) == 0:
            if key == "unique_nulls" and not wild and not lines[-1].startswith('unique = ["'):
                continue  # it says how another rule takes nulls
            lines.append(
                f"{key} ="
                f" {draw(st.sampled_from(ODD) if wild and draw(st.integers(0, 9)) == 0 else usual)}"
            )
    return "\n".join(lines)
