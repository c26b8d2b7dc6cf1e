"""CSV as people bring it: every form against Python's own csv and decimal on the same text."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import data, scripts, workspace
from engine.errors import InputError
from engine.formats import bytes_read
from engine.leakage import audit
from engine.leakage.audit import sources
from engine.sampling import points
from engine.spark import keys
from engine.spark.keys import Source
from engine.upload_reader.csv_file import read_csv
from engine.upload_reader.options import NO_SEPARATOR, Options, Report, options_from_json
from engine.upload_reader.typed import typed
from tests.engine.printed import run_script

CASES = Path(__file__).parent.parent / "cases"
QUICK = settings(max_examples=60, deadline=None)


def read(content: str | bytes, **options: Any) -> tuple[dict[str, list[Any]], Report]:
    """What the reader makes of a CSV file, column by column, and its report."""
    raw = content.encode() if isinstance(content, str) else content
    report = Report()
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(raw)
        file.flush()
        table = read_csv(Path(file.name), Options(**options), report)
    assert [column.name for column in report.columns] == table.column_names
    return table.to_pydict(), report


def uploaded(content: bytes, name: str = "a.csv") -> Path:
    folder = workspace.session(workspace.new_session_id()) / "uploads"
    return data.save_upload(content, name, folder)


def expected_of(case: str, encoding: str, separator: str) -> dict[str, list[str]]:
    """A reported file as Python's csv module reads it: all text."""
    text = (CASES / case).read_bytes().decode(encoding)
    head, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return dict(zip(head, map(list, zip(*rows, strict=True)), strict=True))


REPORTED = {
    "big_ids.csv": ("utf-8", ",", {"id": str, "amount": int}),
    "leading_zeros.csv": ("utf-8", ",", {"plz": str, "amount": int}),
    "latin1.csv": ("latin-1", ",", {"city": str, "n": int}),
    "utf16.csv": ("utf-16", ",", {"city": str, "n": int}),
    "newlines_small.csv": ("utf-8", ",", {"id": int, "text": str, "y": int}),
    "semicolon.csv": (
        *("utf-8", ";"),
        {"fixed acidity": float, "volatile acidity": float, "pH": float, "quality": int},
    ),
}


@pytest.mark.parametrize("case", REPORTED)
def test_reported_files(case: str) -> None:
    encoding, separator, types = REPORTED[case]
    table = data.read_upload(path := uploaded((CASES / case).read_bytes(), case))
    expected = expected_of(case, encoding, separator)
    assert table.to_pydict() == {name: list(map(types[name], expected[name])) for name in types}
    report = data.how_read(path)
    assert report is not None and report.done and report.separator == separator


OTHER_FORMS: dict[str, dict[str, list[Any]]] = {
    "escaped_quotes.csv": {"id": [1, 2, 3], "text": ['say "x, y"', "a \\", None]},
    "blank_quotes.csv": {"id": [1, 2], "text": ['x, "y"', "z"], "n": [1, 2]},
    "codes.csv": {
        "code": ["1e5", "100000"],
        "colour": ["0x1F", "0x20"],
        "phone": ["+49301234567", "+4420"],
    },
    "utf16_chinese_no_mark.csv": {"城市": ["北京北京北京北京"] * 3, "n": [1, 1, 1]},
}


@pytest.mark.parametrize("case", OTHER_FORMS)
def test_files_of_other_forms(case: str) -> None:
    assert (
        data.read_upload(uploaded((CASES / case).read_bytes(), case)).to_pydict()
        == (OTHER_FORMS[case])
    )


def test_reported_identifiers_are_distinct_keys() -> None:
    """On the tab where the fault was seen: 100 keys, not one."""
    source = Source("upload", upload=str(uploaded((CASES / "big_ids.csv").read_bytes())))
    expected = expected_of("big_ids.csv", "utf-8", ",")["id"]
    assert keys.distinct(source, ("id",)).num_rows == len(set(expected))


def test_quoted_line_breaks_at_any_size() -> None:
    head, _, rows = (CASES / "newlines_small.csv").read_bytes().partition(b"\n")
    content = head + b"\n" + rows * (3_000_000 // len(rows))
    long_cell = b'7,"' + b"a line\n" * 400_000 + b'",1\n'
    table = data.read_upload(uploaded(content + long_cell))
    expected = list(csv.reader(io.StringIO((content + long_cell).decode(), newline="")))[1:]
    assert table.num_rows == len(expected)
    assert table["text"].to_pylist() == [row[1] for row in expected]


# ---- cells: against Python's csv module

TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t,;|\"'#"), max_size=12
)


@QUICK
@given(
    rows=st.lists(st.lists(TEXT, min_size=3, max_size=3), min_size=1, max_size=8),
    separator=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@example([["#", "", ""]], ",", "\n", csv.QUOTE_MINIMAL, "utf-8")
@example([["a", "\n\n", '"']], ",", "\r\n", csv.QUOTE_MINIMAL, "utf-8")
def test_any_text_in_any_form_is_read_as_written(
    rows: list[list[str]], separator: str, line_end: str, quoting: Any, encoding: str
) -> None:
    text = io.StringIO(newline="")
    if line_end == "\r":
        quoting = csv.QUOTE_ALL  # else csv does not quote \n
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end, quoting=quoting)
    writer.writerows([["one", "two", "three"], *rows])
    content = text.getvalue().encode(encoding)
    found, _ = read(content, separator=separator, text=("one", "two", "three"), header="yes")
    nothing = "" if quoting == csv.QUOTE_ALL else None
    columns = ([cell or nothing for cell in column] for column in zip(*rows, strict=True))
    assert found == dict(zip(("one", "two", "three"), columns, strict=True))


WORDS = st.sampled_from(["Bonn", "Rue 5", "a, b", "x; y", "x|y", 'say "hi"', "", "two\nlines"])
NUMBERS = st.decimals(-10_000, 10_000, places=2)


@QUICK
@given(
    rows=st.lists(st.tuples(WORDS, NUMBERS, st.integers(0, 99)), min_size=1, max_size=30),
    separator=st.sampled_from(",;\t|"),
    comma=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_separator_decimal_mark_and_header_are_found(
    rows: list[tuple[str, Decimal, int]], separator: str, comma: bool, line_end: str
) -> None:
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if line_end == "\r" else csv.QUOTE_MINIMAL  # else \n is not quoted
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end, quoting=quoting)
    writer.writerow(["place", "share", "n"])
    for word, number, n in rows:
        writer.writerow([word, str(number).replace(".", "," if comma else "."), n])
    found, report = read(text.getvalue())
    assert found["share"] == [float(number) for _, number, _ in rows]
    assert found["n"] == [n for _, _, n in rows]
    assert [word or "" for word in found["place"]] == [word for word, _, _ in rows]
    assert (report.separator, report.decimal) == (separator, "," if comma else ".")


# ---- numbers: against decimal

DIGITS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.integers(-(10**45), 10**45).map(str),
    st.integers(-(2**64), 2**64).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(-1e6, 1e6).map("{:.18e}".format),
    st.integers(0, 10**6).map("{:07d}".format),
)


def says_all(value: float, text: str) -> bool:
    """Whether a double's shortest form, or its form of as many digits, is the number given."""
    exact = Decimal(text)
    n = max(len(exact.as_tuple().digits), 1)
    return exact in (Decimal(repr(value)), Decimal(format(value, f".{n - 1}e")))


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(DIGITS, min_size=1, max_size=5))
def test_no_number_is_rounded_in_silence(texts: list[str]) -> None:
    column, note = typed(pa.array(texts), ".")
    for text, value in zip(texts, column.to_pylist(), strict=True):
        if isinstance(value, str):
            assert value == text and "kept as text" in note
        elif isinstance(value, float):
            assert says_all(value, text)
        else:
            assert value == Decimal(text)


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(DIGITS, min_size=1, max_size=5))
def test_numbers_that_are_wanted_are_exact_or_said_to_be_rounded(texts: list[str]) -> None:
    column, note = typed(pa.array(texts), ".", "number")
    for text, value in zip(texts, column.to_pylist(), strict=True):
        if isinstance(value, float):
            assert says_all(value, text) or "rounded" in note
        elif isinstance(value, str):
            assert "more than 38 digits: kept as text" in note
        else:
            assert value == Decimal(text)


@QUICK
@given(
    numbers=st.lists(st.decimals(-(10**7), 10**7, places=2), min_size=2, max_size=20),
    marks=st.sampled_from([(",", "."), (".", ","), (".", "'"), (",", "\u202f")]),
)
def test_marks_of_thousands(numbers: list[Decimal], marks: tuple[str, str]) -> None:
    decimal, thousands = marks
    texts = [
        f"{number:,}".translate({ord("."): decimal, ord(","): thousands}) for number in numbers
    ]
    column, note = typed(pa.array(texts), decimal)
    assert column.to_pylist() == [float(number) for number in numbers]
    grouped = sum(thousands in text for text in texts)
    assert (f"thousands left out in {grouped:,} value" in note) == bool(grouped)


# ---- what is found, one line each: content, the columns, a part of the report

FOUND: dict[str, tuple[str | bytes, dict[str, list[Any]], str]] = {
    "one column of decimals": ("x\n1,5\n2,5\n", {"x": [1.5, 2.5]}, "one column, decimal comma"),
    "one column of text with commas": ("t\na, b\nc, d\n", {"t": ["a, b", "c, d"]}, "one column"),
    "two marks": ("a;b\nx;1.234,56\ny;7,1\n", {"a": ["x", "y"], "b": [1234.56, 7.1]}, "comma"),
    "thousands alone": ('a,b\n1,"1,234"\n2,"12"\n', {"a": [1, 2], "b": [1234, 12]}, "thousands"),
    "three digits, semicolons": ("a;b\nx;1,234\n", {"a": ["x"], "b": [1.234]}, "as decimals"),
    "mark in front": ("\ufeffa,b\n1,2\n", {"a": [1], "b": [2]}, "UTF-8"),
    "mark and quotes": ('\ufeff"a","b"\n1,2\n', {"a": [1], "b": [2]}, "UTF-8"),
    "UTF-16 without a mark": ("a,b\n1,ü\n".encode("utf-16-be"), {"a": [1], "b": ["ü"]}, "zeros"),
    "UTF-32": ("a,b\n1,ü\n".encode("utf-32"), {"a": [1], "b": ["ü"]}, "UTF-32"),
    "Windows": ("a,b\n1,5 €\n".encode("cp1252"), {"a": [1], "b": ["5 €"]}, "Windows-1252"),
    "Latin-1": ("a,b\n1,ü\x81\n".encode("latin-1"), {"a": [1], "b": ["ü\x81"]}, "Latin-1"),
    "one bad byte": (b"a,b\n1,\xc3\xbc\n2,\xfc\n", {"a": [1, 2], "b": ["ü", "\ufffd"]}, "Line 3"),
    "cut in a letter": (b"a\n\xc3\xbcb\nx\xc3", {"a": ["üb", "x\ufffd"]}, "Line 3"),
    "empty lines": ("a,b\n\n1,2\n\n\n3,4\n\n\n", {"a": [1, 3], "b": [2, 4]}, "lines left out: 3"),
    "comments": ("# x\n#y\na,b\n1,2\n# z\n", {"a": [1], "b": [2]}, "above the header left out: 2"),
    "comment below": ("a,b\n1,2\n# z\n3,4\n", {"a": [1, 3], "b": [2, 4]}, "among the rows left"),
    "name with a mark": ("#a,b\n1,2\n", {"#a": [1], "b": [2]}, "2 columns"),
    "tags are no comments": ("t,n\n#x,1\n#y,2\n", {"t": ["#x", "#y"], "n": [1, 2]}, "2 columns."),
    "Excel's first line": ("sep=;\r\na;b\r\n1;2\r\n", {"a": [1], "b": [2]}, "`;`"),
    "separator at the end": ("a,b,\n1,2,\n", {"a": [1], "b": [2]}, "last separator, left out"),
    "separator at the end of rows": ("a,b\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4]}, "left out"),
    "names of rows": ("x,y\nr,1,2\ns,3,4\n", {"column 1": ["r", "s"], "x": [1, 3], "y": [2, 4]},
                      "one name fewer"),
    "no name": ("a,,c\n1,2,3\n", {"a": [1], "column 2": [2], "c": [3]}, "Without a name: column 2"),
    "no header": ("1,x\n2,y\n", {"column 1": [1, 2], "column 2": ["x", "y"]}, "no header"),
    "years are names": ("c,2019,2020\nDE,1,2\n", {"c": ["DE"], "2019": [1], "2020": [2]}, "3 col"),
    "dates are names": ("c,2019-01-01\nDE,1\n", {"c": ["DE"], "2019-01-01": [1]}, "2 columns."),
    "text without numbers": ("a,b\nx,y\n", {"a": ["x"], "b": ["y"]}, "2 columns."),
    "missing": ("a,b\nNA,1\n2,?\n,\n", {"a": [None, 2, None], "b": [1, None, None]}, "NA read"),
    "NA is text among text": ("a,b\nNA,1\nDE,2\n", {"a": ["NA", "DE"], "b": [1, 2]}, "2 columns."),
    "true and false": ("a,b\ntrue,1\nFALSE,2\n", {"a": [True, False], "b": [1, 2]}, "2 columns."),
    "percent": ("a,b\n5%,1\n7 %,2\n", {"a": ["5%", "7 %"], "b": [1, 2]}, "percent signs in 2"),
    "other dates": ("a,b\n31.12.2020,1\n2020-12-31,2\n",
                    {"a": ["31.12.2020", "2020-12-31"], "b": [1, 2]}, "another form"),
    "quoted numbers": ('a,b\n"1","x"\n"2","y"\n', {"a": [1, 2], "b": ["x", "y"]}, "2 columns."),
    "a literal quote": ('a,b\n1,5" pipe\n', {"a": [1], "b": ['5" pipe']}, "2 columns."),
    "beyond a double": ("a,b\n1e400,1\n", {"a": ["1e400"], "b": [1]}, "kept as text"),
    "whole beside fraction": ("a,b\n9007199254740993,1\n0.5,2\n",
                              {"a": ["9007199254740993", "0.5"], "b": [1, 2]}, "in 1 value: kept"),
    "numpy's 18 digits": ("a,b\n1.000000000000000056e-01,1\n", {"a": [0.1], "b": [1]}, "2 col"),
    "quotes after a backslash": ('a,b\n"say \\"x, y\\"",1\n"C:\\\\d",2\n',
                                 {"a": ['say "x, y"', "C:\\d"], "b": [1, 2]}, 'as \\"'),
    "a separator after them": ('a,b\n"x\\",y",1\n', {"a": ['x",y'], "b": [1]}, 'as \\"'),
    "a backslash at the end": ('a,b\n"C:\\d\\",1\n', {"a": ["C:\\d\\"], "b": [1]}, "2 columns."),
    "quotes after a blank": ('a, b\n1, "x, ""y"""\n2,  ""\n',
                             {"a": [1, 2], "b": ['x, "y"', None]}, "Blanks between"),
    "nothing and no text": ('a,b\nx,\ny,""\nz,t\n',
                            {"a": ["x", "y", "z"], "b": [None, "", "t"]}, "2 columns."),
    "tabs, quotes are letters": ('a\tb\n"q\t1\n5" x\t2\n', {"a": ['"q', '5" x'], "b": [1, 2]},
                                 "read as letters"),
    "blanks within quotes": ('a,b\n1,"x, ""y"""\n', {"a": [1], "b": ['x, "y"']}, "2 columns."),
    "letters after a quote": ('a,b\n1,"x"y\n', {"a": [1], "b": ["xy"]}, "Line 2 has letters"),
    "lines of blanks": ("a,b\n1,2\n  \n3,4\n \n", {"a": [1, 3], "b": [2, 4]}, "blanks left out: 2"),
    "two marks in front": ("\ufeff\ufeffa,b\n1,2\n", {"a": [1], "b": [2]}, "UTF-8"),
    "Chinese without a mark": ("a,b\n中文,1\n一一一一一一一,2\n".encode("utf-16-be"),
                               {"a": ["中文", "一一一一一一一"], "b": [1, 2]}, "zeros"),
    "hexadecimal": ("a,b\n0x1F,1\n12,2\n", {"a": ["0x1F", "12"], "b": [1, 2]}, "first '0x1F'"),
    "codes with e": ("a,b\n1e5,1\n100000,2\n", {"a": ["1e5", "100000"], "b": [1, 2]}, "exponents"),
    "numbers with e": ("a,b\n1e16,1\n1.5,2\n", {"a": [1e16, 1.5], "b": [1, 2]}, "2 columns."),
    "telephones": ("a,b\n+4930,1\n+44,2\n", {"a": ["+4930", "+44"], "b": [1, 2]}, "plus signs in"),
    "changes": ("a,b\n+3,1\n-4,2\n", {"a": [3, -4], "b": [1, 2]}, "plus signs left out in 1"),
    "points of thousands?": ("a;b\nx;1.234\n", {"a": ["x"], "b": [1.234]}, "1.234 has thousands"),
    "before the first year": ("a,b\n0000-01-01,1\n", {"a": ["0000-01-01"], "b": [1]},
                              "another form"),
    "unicode minus": ("a,b\n\u22125,1\n", {"a": [-5], "b": [1]}, "2 columns."),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_what_is_found_is_read_and_said(name: str) -> None:
    content, expected, said = FOUND[name]
    found, report = read(content)
    assert found == expected
    assert [list(map(type, column)) for column in found.values()] == [
        list(map(type, column)) for column in expected.values()
    ]
    assert said in "\n".join([report.line(), *report.all_notes()])


@pytest.mark.parametrize(
    ("late", "expected", "said"),
    [
        ("x", str, "1 of 400,001 values are no numbers, first 'x' in row 400,001"),
        ("0.5", float, ""),
        ("12345678901234567890", str, "beyond 64 bits in 1 value: kept as text"),
        ("007", str, "leading zeros in 1 value: kept as text"),
    ],
)
def test_a_column_is_typed_by_its_last_value_too(late: str, expected: type, said: str) -> None:
    """Both columns are whole, or empty, in the first megabytes."""
    found, report = read("n,empty\n" + "1,\n" * 400_000 + f"{late},{late}\n")
    assert set(map(type, found["n"])) == {expected}
    assert found["n"][0] == expected(1) and found["n"][-1] == expected(late)
    assert found["empty"][-1] == (expected(late) if expected is float else found["empty"][-1])
    assert said in report.columns[0].note


def test_dates_and_times() -> None:
    found, _ = read(
        "d,t,s,u,z\n2013-01-31,10:05,2013-01-31 10:05:00,2013-01-31T10:05:00.25,"
        "2013-01-31T10:05:00+01:00\n"
    )
    noon = dt.datetime(2013, 1, 31, 10, 5)
    assert [column[0] for column in found.values()] == [
        dt.date(2013, 1, 31),
        dt.time(10, 5),
        noon,
        noon + dt.timedelta(milliseconds=250),
        (noon - dt.timedelta(hours=1)).replace(tzinfo=dt.UTC),
    ]


# ---- what a person chooses instead

CHOSEN: dict[str, tuple[str | bytes, dict[str, Any], dict[str, list[Any]]]] = {
    "zeros dropped": ("a,b\n007,1\n", {"number": ("a",)}, {"a": [7], "b": [1]}),
    "numbers as text": ("a,b\n7,1.50\n", {"text": ("b",)}, {"a": [7], "b": ["1.50"]}),
    "long whole numbers": ("a\n12345678901234567890\n", {"number": ("a",)},
                           {"a": [Decimal("12345678901234567890")]}),
    "percent": ("a,b\n5%,1\n7.5 %,2\n", {"number": ("a",)}, {"a": [5.0, 7.5], "b": [1, 2]}),
    "no number": ("a,b\n5,1\nx,2\n", {"number": ("a",)}, {"a": [5, None], "b": [1, 2]}),
    "money": ('a,b\n"$1,234",1\n$5,2\n', {"number": ("a",)}, {"a": [1234, 5], "b": [1, 2]}),
    "separator": ("a;b,c\n1;2,3\n", {"separator": ","}, {"a;b": ["1;2"], "c": [3]}),
    "no separator": ("a,b\n1,2\n", {"separator": NO_SEPARATOR, "decimal": "."}, {"a,b": ["1,2"]}),
    "decimal mark": ("a;b\n1.234;1\n", {"decimal": ","}, {"a": [1234], "b": [1]}),
    "header": ("1,x\n2,y\n", {"header": "yes"}, {"1": [2], "x": ["y"]}),
    "no header": ("a,b\nx,y\n", {"header": "no"}, {"column 1": ["a", "x"], "column 2": ["b", "y"]}),
    "encoding": ("a,b\n1,Ж\n".encode("cp1251"), {"encoding": "Windows-1251"},
                 {"a": [1], "b": ["Ж"]}),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOSEN)
def test_a_choice_is_followed(name: str) -> None:
    content, options, expected = CHOSEN[name]
    assert read(content, **options)[0] == expected


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("a,b\n1,2\n3\n", {}, "line 3 has 1 cell, the first line has 2. Correct the line, or"),
        ('a,b\n1,"x\ny"\n\n3,4,5\n', {}, "line 5 has 3 cells"),
        ("# note\na,b\n" + "1,2\n" * 500 + "3\n", {}, "line 503 has 1 cell"),
        ('a,b\n5" pipe,1\n6,"x\n2,y\n', {}, "opens in the row of line 3 is never closed"),
        ('a,b\n1,"x\n2,y\n3,z\n', {}, "opens in the row of line 2 is never closed"),
        ("Report\n\na,b,c\n1,2,3\n2,3,4\n", {}, "1 cell there and 3 in each line"),
        ("\n\n", {}, "holds no row"),
        (b"a,b\n1,\x00\x01\n", {}, "holds binary data"),
        (b"a,b\n1,\x98\n", {"encoding": "Windows-1251"}, "not Windows-1251: line 2"),
        ("a,a\n1,2\n", {}, "a appears more than once"),
        (",".join(f"c{n}" for n in range(501)) + "\n", {}, "at most 500 columns. Got 501"),
    ],
)
def test_a_refusal_says_where_and_what_to_do(
    content: str | bytes, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(content, **options)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"PK\x03\x04and more", "ZIP archive or an Excel workbook"),
        ("a.csv", b"\x1f\x8b\x08\x00", "gzip archive. Unpack it"),
        ("a.csv", b'[{"a": 1}]', "holds JSON. Rename it to end in .json"),
    ],
)
def test_another_format_is_named(name: str, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        data.read_upload(uploaded(content, name))


PIECES = st.sampled_from(
    [b",", b";", b"\t", b'"', b"\n", b"\r", b"\r\n", b"#", b"sep=", b"1", b"-2,5", b"0.5", b"NA"]
    + [b"x", b"\xfc", b"\xc3\xbc", b"\x00", b"\xff\xfe", b"2013-01-01", b"%", b"1e999", b"'", b" "]
)


@settings(max_examples=400, deadline=None)
@given(pieces=st.lists(PIECES | st.binary(max_size=3), min_size=1, max_size=40))
def test_any_bytes_give_a_table_or_a_sentence(pieces: list[bytes]) -> None:
    with contextlib.suppress(InputError):
        found, report = read(b"".join(pieces))
        assert len({len(column) for column in found.values()}) == 1 and report.line()


# ---- options as a part of an upload's name


def test_each_way_of_reading_is_an_upload_of_its_own() -> None:
    path = uploaded(b"plz,x,label\n01067,1,a\n99999,2,b\n04109,3,a\n")
    assert data.choose_options(path, Options()) == path
    chosen = data.choose_options(path, Options(number=("plz",)))
    assert chosen == data.choose_options(path, Options(number=("plz",))) and chosen != path
    assert data.read_upload(path)["plz"].to_pylist() == ["01067", "99999", "04109"]
    assert data.read_upload(chosen)["plz"].to_pylist() == [1067, 99999, 4109]
    reports = [data.how_read(one) for one in (path, chosen)]
    assert ["kept as text" in report.all_notes()[0] for report in reports if report] == [
        True,
        False,
    ]
    # what keeps results by path takes the one that was chosen
    with pytest.raises(InputError, match="two columns of numbers. Got 1"):
        points.upload_columns(str(path))
    assert points.upload_columns(str(chosen))[0] == ["plz", "x"]
    params = bytes_read.BytesReadParams(
        table="upload", upload=str(chosen), columns=("plz",), predicate_column="plz"
    )
    assert run_script(scripts.render(params)) == bytes_read.run(params).headline()
    audited = audit.AuditParams(source="upload", upload=str(chosen), target="label")
    assert sources.load(audited).table["plz"].to_pylist() == [1067, 99999, 4109]


def test_a_refused_file_still_says_how_it_was_tried() -> None:
    path = uploaded(b"a;b\n1;2\n3\n")
    with pytest.raises(InputError, match="line 3 has 1 cell"):
        data.read_upload(path)
    report = data.how_read(path)
    assert report is not None and report.separator == ";" and report.line().startswith("Tried")
    table = data.read_upload(data.choose_options(path, Options(separator=NO_SEPARATOR)))
    assert table.to_pydict() == {"a;b": ["1;2", "3"]}


def test_options_are_checked_and_come_back_as_written() -> None:
    options = Options(encoding="Latin-1", separator="\t", text=("ü", 'a"b'), number=("c",))
    assert options_from_json(options.as_json()) == options
    with pytest.raises(InputError, match="separator must be one of"):
        Options(separator="x")
