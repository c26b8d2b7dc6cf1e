"""JSON uploads: arrays of objects and one object a line, against Python's own json and decimal."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import data, workspace
from engine.errors import InputError
from engine.upload_reader.json_file import BATCH_ROWS, read_json
from engine.upload_reader.options import Options, Report


def read(content: str | bytes, **options: Any) -> tuple[dict[str, list[Any]], Report]:
    report = Report()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        table = read_json(Path(file.name), Options(**options), report)
    assert [column.name for column in report.columns] == table.column_names
    return table.to_pydict(), report


WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8).map("a{}".format)
VALUES = {
    "word": WORDS,
    "whole": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "flag": st.booleans(),
}


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries({}, optional={k: v | st.none() for k, v in VALUES.items()}),
        min_size=1,
        max_size=12,
    ).filter(any),
    form=st.sampled_from(["array", "lines", "indented"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    ascii_only=st.booleans(),
)
def test_objects_are_read_as_json_has_them(
    rows: list[dict[str, Any]], form: str, encoding: str, ascii_only: bool
) -> None:
    if form == "lines":
        text = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows)
    else:
        text = json.dumps(rows, ensure_ascii=ascii_only, indent=2 if form == "indented" else None)
    found, report = read(text.encode(encoding))
    names = list(dict.fromkeys(name for row in rows for name in row))
    assert found == {name: [row.get(name) for row in rows] for name in names}
    assert report.format == ("JSON Lines" if form == "lines" else "JSON")


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False).map(str) | st.integers().map(str)


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(NUMBERS, min_size=1, max_size=4))
def test_no_number_is_rounded_in_silence(texts: list[str]) -> None:
    found, report = read("\n".join(f'{{"n": {text}}}' for text in texts))
    for text, value in zip(texts, found["n"], strict=True):
        if isinstance(value, str):
            assert value == text and "kept as text" in report.columns[0].note
        elif isinstance(value, float):
            n = len(Decimal(text).as_tuple().digits)
            shown = (Decimal(repr(value)), Decimal(format(value, f".{n - 1}e")))
            assert Decimal(text) in shown
        else:
            assert value == Decimal(text)


@pytest.mark.parametrize(
    ("content", "options", "expected", "said"),
    [
        ('[{"a":1},{"a":"x"}]', {}, {"a": ["1", "x"]}, "text in 1 value, numbers in 1 value: kept"),
        ('{"a":true}\n{"a":0}', {}, {"a": ["true", "0"]}, "true or false in 1 value: kept as text"),
        ('[{"a":1},{"a":2.5}]', {}, {"a": [1.0, 2.5]}, "1 column."),
        ('[{"a":1,"b":2},{"b":3}]', {}, {"a": [1, None], "b": [2, 3]}, "2 columns."),
        ('[{"a":"01067"}]', {}, {"a": ["01067"]}, "1 column."),
        ('[{"a":"01067"}]', {"number": ("a",)}, {"a": [1067]}, "leading zeros dropped"),
        ('[{"a":5}]', {"text": ("a",)}, {"a": ["5"]}, "1 column."),
        ('[{"a":""},{"a":null}]', {}, {"a": ["", None]}, "1 column."),
        ('[{"a":"2013-01-31"}]', {}, {"a": [dt.date(2013, 1, 31)]}, "1 column."),
        ('[{"a":18446744073709551616}]', {}, {"a": ["18446744073709551616"]}, "beyond 64 bits"),
        (
            '[{"a":18446744073709551616}]',
            {"number": ("a",)},
            {"a": [Decimal(2**64)]},
            "read as decimals",
        ),
        ('[{"a":null}]', {}, {"a": [None]}, "1 column."),
        ('{"a":1}{"a":2}', {}, {"a": [1, 2]}, "JSON Lines"),
    ],
)
def test_what_is_found_is_read_and_said(
    content: str, options: dict[str, Any], expected: dict[str, list[Any]], said: str
) -> None:
    found, report = read(content, **options)
    assert found == expected
    assert said in "\n".join([report.line(), *report.all_notes()])


def test_a_late_column_and_a_late_kind_are_seen() -> None:
    n = 2 * BATCH_ROWS + 5
    found, _ = read('{"a":1}\n' * n + '{"a":"x","late":2}\n')
    assert found == {"a": ["1"] * n + ["x"], "late": [None] * n + [2]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"a":{"b":1}}]', "a is nested"),
        ('[{"a":1},{"a":[1]}]', "a is nested"),
        ('{"data":[{"a":1}]}', "data is nested"),
        ("[1,2]", "Item 1 is a number: write each row as an object"),
        ('[{"a":1},null]', "Item 2 is null"),
        ("[[1,2],[3,4]]", "Item 1 is an array"),
        ('[{"a":1},\n{"a":}]', "line 2, character 6: expecting value"),
        ('[{"a":1}\n {"a":2}]', "line 2, character 2: expecting ','"),
        ('{"a":1}\nnot', "line 2, character 1: expecting value"),
        ('[{"a":1}] x', "line 1, character 11: there is more after the end"),
        ('[{"a":1},{"a"', "cut short"),
        ('[{"a":1}', "cut short"),
        ("[]", "no rows"),
        ("[{}]", "at least one column"),
        ('{"a":1,"a":2}', "a appears twice in row 1"),
        ('{"a":"\\ud800"}', "half of a UTF-16 pair"),
        ('{"\\ud800":1}', "half of a UTF-16 pair"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07", "holds binary data"),
    ],
    ids=range(20),
)
def test_a_refusal_says_where_and_what_to_do(content: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(content)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.NDJSON"])
def test_each_ending_is_read_in_the_child(name: str) -> None:
    folder = workspace.session(workspace.new_session_id()) / "uploads"
    path = data.save_upload(b'{"id": 12345678901234567890, "x": 1}\n{"x": 2}\n', name, folder)
    assert data.read_upload(path).to_pydict() == {"id": ["12345678901234567890", None], "x": [1, 2]}
    chosen = data.choose_options(path, Options(number=("id",)))
    assert data.read_upload(chosen)["id"][0].as_py() == 12345678901234567890
