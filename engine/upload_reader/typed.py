"""The type of a column of text: by all of its cells, so never by the first block alone.

Nothing is rounded or dropped in silence: digits that a number of 64 bits cannot hold, leading zeros
and percent signs keep a column as text, and the note says so, unless a person wants numbers.
"""

from __future__ import annotations

import math
import re
from decimal import Context, Decimal

import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import InputError, name_in_sentence
from engine.upload_reader.columns import check_times
from engine.upload_reader.options import FOUND

# What stands for no value among values: pyarrow's list, and what data sets use.
MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN", "-NaN", "-nan"),
    *("N/A", "NA", "NULL", "NaN", "n/a", "nan", "null", "<NA>", "None", "NONE", "?", "-", "."),
)
FLAGS = ("true", "false", "True", "False", "TRUE", "FALSE")
MARKS = {".": ",", ",": "."}  # decimal mark -> the other one, which may mark thousands
GROUPS = "'\u2019\u00a0\u202f"  # other marks of thousands
SIGN, EXPONENT = "[+\u2212-]?", r"(?:[eE][+-]?\d+)?"
WHOLE = rf"^{SIGN}\d+$"
CODE = r"^[+-]?\d+(?:[eE]\d+)?$"  # no program writes a floating-point number so
LEADING_ZERO = r"^[+-]?0\d"
DATE_LIKE = r"^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}\b"
TIME = r"^\d\d:\d\d(:\d\d(\.\d+)?)?$"
HEAD = 1_000
HELD_DIGITS = 15  # of any decimal number, a double holds so many
MOST_DIGITS = 38  # of decimal128


def number_pattern(mark: str, groups: str = GROUPS) -> str:
    """Return the pattern of a number with decimal mark ``mark``, with or without marks of
    thousands.
    """
    point = re.escape(mark)
    thousands = "|".join(
        rf"[1-9]\d{{0,2}}(?:{re.escape(group)}\d{{3}})+" for group in MARKS[mark] + groups
    )
    return (
        rf"^{SIGN}(?:(?:{thousands}|\d+)(?:{point}\d*)?|{point}\d+){EXPONENT}$"
        r"|^[+-]?(?:inf|Inf|INF|infinity|Infinity)$"
    )


NUMBER = {mark: number_pattern(mark) for mark in MARKS}
PERCENT = {mark: pattern.replace("$", r"\s?%$") for mark, pattern in NUMBER.items()}


def every(cells: pa.Array, pattern: str) -> bool:
    """Whether all cells that are not null match; the first ones are looked at first."""
    if pc.any(pc.invert(pc.match_substring_regex(cells[:HEAD], pattern))).as_py():
        return False
    return not pc.any(pc.invert(pc.match_substring_regex(cells, pattern))).as_py()


def without_missing(cells: pa.Array) -> tuple[pa.Array, int]:
    """Return the cells without spaces around them, null where they stand for no value, and how
    many of those were not empty.
    """
    trimmed = pc.utf8_trim_whitespace(cells)
    missing = pc.is_in(trimmed, pa.array(MISSING))
    spelled = pc.sum(pc.and_(missing, pc.not_equal(trimmed, ""))).as_py() or 0
    return pc.if_else(missing, pa.scalar(None, pa.string()), trimmed), spelled


def find_decimal_mark(columns: list[pa.Array], separator: str) -> tuple[str, str]:
    """Return the decimal mark that most columns of numbers can only have, and a note if none
    decides.
    """
    votes = {".": 0, ",": 0}
    open_ = {".": 0, ",": 0}
    for cells in columns:
        values, _ = without_missing(cells)
        if values.null_count == len(values) or _whole(values) is not None:
            continue
        fits = [mark for mark in MARKS if every(values, NUMBER[mark])]
        if len(fits) == 1:
            votes[fits[0]] += 1
        elif fits and not every(values, WHOLE):
            for mark in MARKS:
                open_[mark] += bool(pc.any(pc.match_substring(values, mark)).as_py())
    if votes[","] != votes["."]:
        return max(votes, key=lambda mark: votes[mark]), ""
    mark = "," if separator == ";" and (votes[","] or open_[","] > open_["."]) else "."
    other = "." if separator == ";" and mark == "." else ","
    if not any(votes.values()) and open_[other]:
        example = "decimals" if mark == other else "thousands"
        return mark, (
            f"No value shows whether 1{other}234 has thousands or decimals: read as {example}."
        )
    return mark, ""


def typed(cells: pa.Array, mark: str, wish: str = FOUND) -> tuple[pa.Array, str]:
    """Return a column of text in the type of its values, and a note, empty if there is nothing to
    say.

    Parameters
    ----------
    cells
        Text; null where a format has no value.
    mark
        The decimal mark.
    wish
        ``text``, ``number`` or ``found``.
    """
    if wish == "text":
        return cells, ""
    values, spelled = without_missing(cells)
    if wish == "number":
        return _wanted(values, mark)
    if values.null_count == len(values):
        return (cells, "") if spelled else (pa.nulls(len(cells), pa.string()), "")
    found = _found(values, mark)
    if found is None:
        return cells, _why_text(values, mark)
    column, note = found
    if pa.types.is_string(column.type):
        return cells, note
    missing = f"{count(spelled)} such as NA read as missing" if spelled else ""
    return column, "; ".join(part for part in (note, missing) if part)


def _found(values: pa.Array, mark: str) -> tuple[pa.Array, str] | None:
    """Return the values in their type with a note, ``None`` where they are just text."""
    if not pc.any(pc.invert(pc.is_in(values, pa.array([*FLAGS, None])))).as_py():
        return pc.equal(pc.utf8_lower(values), "true"), ""
    whole = _whole(values)
    if whole is not None and not pc.any(pc.match_substring_regex(values, LEADING_ZERO)).as_py():
        return whole, ""
    if note := _codes(values):
        return values, note
    if every(values, NUMBER[mark]):
        return numbers(values, mark, wanted=False)
    column = _times(values)
    return None if column is None else (column, "")


def _codes(values: pa.Array) -> str:
    """Return why whole numbers are codes rather than numbers, empty if they are not: as numbers
    1e5 and 100000 would be one, and a telephone number would lose its plus sign.
    """
    if not every(values, CODE):
        return ""
    for what, pattern in (("exponents such as 1e5", "[eE]"), ("plus signs", r"^\+")):
        n = pc.sum(pc.match_substring_regex(values, pattern)).as_py() or 0
        if n and (what != "plus signs" or n == len(values) - values.null_count):
            return f"{what} in {count(n)}: kept as text"
    return ""


def _whole(values: pa.Array) -> pa.Array | None:
    """Return plain whole numbers of 64 bits, ``None`` where one value is anything else."""
    try:
        whole = values.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    hexadecimal = pc.any(pc.match_substring_regex(values, "[xX]")).as_py()  # 0x1F
    return None if hexadecimal else whole


def numbers(values: pa.Array, mark: str, wanted: bool) -> tuple[pa.Array, str]:
    """Return texts that are all numbers, or null, as whole numbers or as floating point.

    What neither holds exactly stays text; if numbers are ``wanted`` it becomes a decimal of up to
    38 digits. Beyond that whole numbers stay text and others are rounded; the note says it.
    """
    plain, grouped = _plain(values, mark)
    notes = [f"marks of thousands left out in {count(grouped)}"] if grouped else []
    if plus := pc.sum(pc.starts_with(values, "+")).as_py() or 0:
        notes.append(f"plus signs left out in {count(plus)}")
    zeros = pc.sum(pc.match_substring_regex(plain, LEADING_ZERO)).as_py() or 0
    if zeros and not wanted:
        return values, f"leading zeros in {count(zeros)}: kept as text"
    if zeros:
        notes.append(f"leading zeros dropped in {count(zeros)}")
    if (whole := _whole(plain)) is not None:
        return whole, "; ".join(notes)
    if every(plain, WHOLE):
        n_lost = _n_beyond(plain)
        what = f"whole numbers beyond 64 bits in {count(n_lost)}"
        rounded = None
    else:
        rounded = plain.cast(pa.float64())
        n_lost = _n_rounded(plain, rounded)
        if not n_lost:
            return rounded, "; ".join(notes)
        what = f"more than a 64-bit number holds exactly in {count(n_lost)}"
    if not wanted:
        return values, f"{what}: kept as text"
    exact = _decimals(plain)
    if exact is not None:
        return exact, "; ".join([*notes, f"{what}: read as decimals"])
    if rounded is None:
        return values, f"{what}, more than {MOST_DIGITS} digits: kept as text"
    return rounded, "; ".join([*notes, f"{what}: rounded"])


def _wanted(values: pa.Array, mark: str) -> tuple[pa.Array, str]:
    """Return what a person wants as numbers; what is none becomes null, which the note counts."""
    percent = pc.sum(pc.match_substring_regex(values, r"%$")).as_py() or 0
    plain = pc.replace_substring_regex(values, r"^([+-]?)[$€£¥]\s?|\s?[%€$£¥]$", r"\1")
    fits = pc.match_substring_regex(plain, number_pattern(mark, GROUPS + " "))
    n_lost = pc.sum(pc.invert(fits)).as_py() or 0
    column, note = numbers(pc.if_else(fits, plain, pa.scalar(None, pa.string())), mark, wanted=True)
    parts = [note, f"percent signs left out in {count(percent)}" if percent else ""]
    if n_lost:
        parts.append(f"{count(n_lost)} that are no numbers read as missing")
    return column, "; ".join(part for part in parts if part)


def _plain(values: pa.Array, mark: str) -> tuple[pa.Array, int]:
    """Return numbers as digits with a point, and how many had marks of thousands."""
    marks = f"[{re.escape(MARKS[mark])}{GROUPS} ]"
    grouped = pc.sum(pc.match_substring_regex(values, marks)).as_py() or 0
    if grouped:
        values = pc.replace_substring_regex(values, marks, "")
    if mark != ".":
        values = pc.replace_substring(values, mark, ".")
    values = pc.replace_substring_regex(values, r"^\+", "")
    return pc.replace_substring_regex(values, "^\u2212", "-"), grouped


def _n_beyond(plain: pa.Array) -> int:
    """Return how many whole numbers are beyond 64 bits."""
    long = plain.filter(pc.greater(pc.utf8_length(plain), 18)).to_pylist()
    return sum(not -(2**63) <= Decimal(text) < 2**63 for text in long)


def _n_rounded(plain: pa.Array, doubles: pa.Array) -> int:
    """Return how many numbers a double does not hold; only long ones and extremes can be such."""
    extreme = pc.or_(pc.is_inf(doubles), pc.less(pc.abs(doubles), 1e-300))
    asked = pc.or_(pc.greater(pc.utf8_length(plain), HELD_DIGITS), extreme)
    return sum(not is_held(text) for text in plain.filter(asked).to_pylist())


def is_held(text: str) -> bool:
    """Whether a double says all that a decimal number says: its shortest form is the same number,
    or its exact value rounds to the digits given (as ``%.18e`` writes them).
    """
    number = float(text)
    if repr(number) == text:
        return True
    if math.isinf(number):
        return "n" in text.lower()
    if number == 0.0:
        return not re.search("[1-9]", re.split("[eE]", text)[0])
    given = Decimal(text)
    if Decimal(repr(number)) == given:
        return True
    n_digits = len(given.as_tuple().digits)
    return Context(prec=n_digits).create_decimal(Decimal(number)) == given


def _decimals(plain: pa.Array) -> pa.Array | None:
    """Return numbers as decimals of one scale, ``None`` if those have more than 38 digits."""
    before = after = 0
    given: list[Decimal | None] = []
    for text in plain.to_pylist():
        number = None if text is None else Decimal(text)
        if number is not None:
            exponent = number.as_tuple().exponent
            if not isinstance(exponent, int):
                return None
            before = max(before, number.adjusted() + 1)
            after = max(after, -exponent)
        if before + after > MOST_DIGITS:
            return None
        given.append(number)
    return pa.array(given, pa.decimal128(max(before + after, 1), after))


def _times(values: pa.Array) -> pa.Array | None:
    """Return dates, times or both as ISO 8601 writes them, ``None`` if one of them is something
    else.
    """
    texts, targets = (
        values,
        [
            pa.date32(),
            *(pa.timestamp(unit, zone) for zone in (None, "UTC") for unit in ("s", "us", "ns")),
        ],
    )
    as_time = every(values, TIME)
    if as_time:
        texts = pc.binary_join_element_wise("1970-01-01", values, " ")
        targets = [pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("ns")]
    elif not every(values, r"^\d{4}-\d\d-\d\d"):
        return None
    for target in targets:
        try:
            column = texts.cast(target)
            check_times(pa.chunked_array([column]), "")
        except (pa.ArrowInvalid, InputError):
            continue
        if as_time:
            unit = target.unit
            return column.cast(pa.time32(unit) if unit == "s" else pa.time64(unit))
        return column
    return None


def _why_text(values: pa.Array, mark: str) -> str:
    """Return why a column that looks like something else is text, empty where it does not."""
    head = values[:HEAD].drop_null()
    n_head = len(head)
    if every(values, PERCENT[mark]):
        return f"percent signs in {count(len(values) - values.null_count)}: kept as text"
    if every(values, NUMBER[MARKS[mark]]):
        return "numbers with another decimal mark: kept as text"
    if n_head and 2 * (pc.sum(pc.match_substring_regex(head, DATE_LIKE)).as_py() or 0) >= n_head:
        return "dates in another form than 2013-12-31, or in several: kept as text"
    fits = pc.match_substring_regex(values, NUMBER[mark])
    n_fits = pc.sum(fits).as_py() or 0
    n = len(values) - values.null_count
    if 2 * n_fits < n:
        return ""
    row = pc.index(fits, False).as_py()
    example = name_in_sentence(values[row].as_py())
    return (
        f"{n - n_fits:,} of {n:,} values are no numbers, first {example!r} in row {row + 1:,}:"
        " kept as text"
    )


def count(n: int) -> str:
    """Return a number of values in words."""
    return f"{n:,} value{'s' * (n != 1)}"
