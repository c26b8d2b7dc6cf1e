"""Which columns name rows or things (a patient, an order) instead of measuring them.

No table says so outright, so three signs are read: the column's name, the shape of its text, and
how its values were issued (each once; counted up without gaps; in blocks with empty ranges between
them, where a measured amount has none).
"""

from __future__ import annotations

import re

import numpy as np

from engine.leakage.table_columns import Column

UNIQUE_SHARE = 0.99  # of the rows that have a value of their own
DENSE_SPREAD = 10  # unique whole numbers in a range up to this times their count were counted up
BLOCK_GAP = 30.0  # times the mean of 20 gaps on either side; of random gaps, one in 1e8 is wider:
# the ratio of an exponential to the mean of 20 is Lomax, P(> g) = (1 + g / 20)^−20
N_BESIDE = 20
MIN_THINGS = 20
ID_WORD = re.compile(
    "ids?|uid|uuid|guid|key|pk|identifier|hash|token|serial|mrn|ssn|imei|vin|isbn|ean"
)
LAST_WORD = re.compile("no|nr|num|number|ref|reference")
THING = re.compile(
    "(patient|customer|client|user|member|subject|person|employee|student|account|participant"
    "|respondent|device|machine|vehicle|household|invoice|ticket|case|row|record|unnamed)(id)?"
)
MEASURE = re.compile(
    "n|counts?|sum|total|mean|rate|share|min|max|age|days|hours|length|size|amount|price|since|date"
    "|time|per"
)
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
CODE = re.compile(r"[A-Za-z]{0,5}[-_/.: #]{0,2}\d{3,}(?:[-_/.:]?\w{0,4})|[0-9A-Fa-f-]{12,}")


def is_named_as_id(name: str) -> bool:
    """Whether the name says identifier: ``patient_id``, ``CustomerNo``, ``case number``, ``uuid``.

    A plural or a measure (``n_visits``, ``no_show``, ``token_count``) does not.
    """
    words = [word.lower() for word in WORD.findall(name)]
    if not words or any(map(MEASURE.fullmatch, words)):
        return False
    if any(map(ID_WORD.fullmatch, words)):
        return True
    named = THING if len(words) == 1 else LAST_WORD
    return named.fullmatch(words[-1]) is not None


def is_unique(column: Column, n: int) -> bool:
    """Whether all but every row has a value of its own."""
    return column.n_distinct >= UNIQUE_SHARE * (n - column.n_null) and column.n_null <= 0.05 * n


def is_whole(column: Column) -> bool:
    """Whether the column holds whole numbers, as integers or (after a gap was read) as floats."""
    if column.kind == "whole":
        return True
    if column.kind != "number" or column.numbers is None:
        return False
    known = column.numbers[np.isfinite(column.numbers)]
    return bool(np.all(known == np.floor(known)))


def names_rows(column: Column, n: int) -> bool:
    """Whether each row has its own text, or its own whole number that was issued, not measured."""
    if not is_unique(column, n):
        return False
    if column.kind == "category":
        return True
    if not is_whole(column) or column.numbers is None:
        return False
    spread = np.nanmax(column.numbers) - np.nanmin(column.numbers) + 1
    return bool(
        spread <= DENSE_SPREAD * column.n_distinct
        or is_named_as_id(column.name)
        or _comes_in_blocks(column.numbers)
    )


def names_things(column: Column, n: int) -> bool:
    """Whether the column names rows, or things with several rows each: by its name, or as codes of
    letters and digits (``P-00123``).
    """
    if names_rows(column, n):
        return True
    if column.n_distinct < MIN_THINGS or column.n_null > 0.05 * n:
        return False
    if column.kind == "category":
        return is_named_as_id(column.name) or _is_code(column)
    return is_whole(column) and is_named_as_id(column.name)


def _is_code(column: Column) -> bool:
    sample = column.values[:500].to_pylist()
    texts = [text for text in sample if isinstance(text, str)]
    codes = sum(CODE.fullmatch(text) is not None for text in texts)
    return len(texts) == len(sample) and codes >= 0.95 * len(texts)


def _comes_in_blocks(numbers: np.ndarray) -> bool:
    """Whether an empty range is far wider than the gaps on either side of it."""
    gaps = np.diff(np.unique(numbers[np.isfinite(numbers)]))
    if len(gaps) < 2 * N_BESIDE + 1:
        return False
    total = np.r_[0.0, np.cumsum(gaps)]
    beside = (total[N_BESIDE:] - total[:-N_BESIDE]) / N_BESIDE  # mean of N_BESIDE gaps from each on
    middle = gaps[N_BESIDE:-N_BESIDE]
    left, right = beside[: len(middle)], beside[N_BESIDE + 1 : N_BESIDE + 1 + len(middle)]
    return bool((middle > BLOCK_GAP * np.maximum(left, right)).any())
