"""Keys as text: as Spark casts them, as folder names of ``partitionBy``, and as a person types
them.

Folder names follow ``ExternalCatalogUtils.getPartitionPathString`` of Spark 4.3: the value is cast
to text in the session's time zone (UTC here), characters on Hive's list become ``%`` and two hex
digits, and null or no text at all is ``__HIVE_DEFAULT_PARTITION__``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import InputError, require
from engine.spark import java
from engine.spark.java_floats import java_text

T = pa.types
N_QUOTED = 60  # characters of a key in a sentence
DEFAULT_FOLDER = "__HIVE_DEFAULT_PARTITION__"
MAX_NAME_BYTES = 255  # of a file or folder, on all usual file systems
HIVE_ESCAPED = {
    code: f"%{code:02X}" for code in (*range(1, 32), 127, *map(ord, "\"#%'*/:=?\\{[]^"))
}
# one of UTF-16's surrogates in UTF-8, whole or cut: Java replaces it once, Python byte by byte
SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]?")
TYPED_PART = re.compile(r'\s*("(?:[^"]|"")*"|[^,]*?)\s*(?:,|$)')


def cast_texts(column: pa.Array | pa.ChunkedArray) -> list[str | None]:
    """Return what Spark's ``cast(… as string)`` gives for each value of a column that ``as_spark``
    gave; None for null.
    """
    kind = column.type
    if T.is_floating(kind):
        version = java.find().version
        values = (
            column.to_numpy(zero_copy_only=False)
            if isinstance(column, pa.Array)
            else (column.to_numpy())
        )
        known = pc.is_valid(column).to_pylist()
        typed = values.astype(np.float32 if T.is_float32(kind) else np.float64)
        return [java_text(v, version) if ok else None for v, ok in zip(typed, known, strict=True)]
    if T.is_time(kind):
        return [_time(v) for v in pc.cast(column, pa.int64()).to_pylist()]
    return [None if v is None else _text(v) for v in column.to_pylist()]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        text = value.replace(tzinfo=None).isoformat(" ")
        return text.rstrip("0") if "." in text else text
    if isinstance(value, bytes):
        return SURROGATE.sub("\ufffd".encode(), value).decode(errors="replace")
    return str(value)


def _time(value: int | None) -> str | None:
    """Return a time of day, given in nanoseconds."""
    if value is None:
        return None
    seconds, fraction = divmod(value, 10**9)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{fraction:09}".rstrip("0") if fraction else text


def folder_names(columns: Sequence[pa.Array | pa.ChunkedArray]) -> list[str]:
    """Return the folder of each row's key without the columns' names: one part per column, ``/``
    between.
    """
    parts = [
        [text.translate(HIVE_ESCAPED) if text else DEFAULT_FOLDER for text in cast_texts(column)]
        for column in columns
    ]
    return ["/".join(row) for row in zip(*parts, strict=True)]


def key_texts(columns: Sequence[pa.Array | pa.ChunkedArray]) -> list[str]:
    """Return each row's key for people: as Spark casts it, commas between columns, bytes as
    ``X'00FF'``.

    Text that would be taken for something else (nothing, null, blanks at its ends) is in double
    quotes. ``parse_key`` reads all of it back.
    """
    several = len(columns) > 1
    shown = [_shown(column, several=several) for column in columns]
    return [", ".join(row) for row in zip(*shown, strict=True)]


def _shown(column: pa.Array | pa.ChunkedArray, *, several: bool) -> list[str]:
    if T.is_binary(column.type):
        return ["null" if v is None else f"X'{v.hex().upper()}'" for v in column.to_pylist()]
    texts = cast_texts(column)
    if not T.is_string(column.type):
        return ["null" if text is None else text for text in texts]
    return [
        "null"
        if text is None
        else '"{}"'.format(text.replace('"', '""'))
        if text in ("", "null")
        or text != text.strip()
        or text[0] == '"'
        or (several and "," in text)
        else text
        for text in texts
    ]


def quoted(text: str) -> str:
    """Return a key or a folder's name for a sentence: on one line, as code, not longer than
    ``N_QUOTED``.
    """
    plain = "".join(letter if letter.isprintable() else "?" for letter in text).replace("`", "'")
    return f"`{plain if len(plain) <= N_QUOTED else plain[: N_QUOTED - 1] + '…'}`"


def parse_key(typed: str, schema: pa.Schema) -> list[pa.Array]:
    """Return the key that a person typed, one array of one value for each column of ``schema``.

    Raises
    ------
    InputError
        Another number of values than columns, or a text that is no value of its type.
    """
    names = schema.names
    parts = _split(typed) if len(names) > 1 else [typed.strip()]
    rule = "The key to follow must be {} values with commas between ({}). Got {!r}."
    require(len(parts) == len(names), rule, len(names), ", ".join(names), typed)
    return [_parsed(part, field) for part, field in zip(parts, schema, strict=True)]


def _split(typed: str) -> list[str]:
    """Return the parts between commas; a part in double quotes may hold commas."""
    parts, at = [], 0
    while at <= len(typed):
        found = TYPED_PART.match(typed, at)
        if found is None:  # something after a closing quote
            return []
        parts.append(found[1])
        if found.end() == len(typed) and not found[0].endswith(","):
            break
        at = found.end()
    return parts


def _parsed(text: str, field: pa.Field) -> pa.Array:
    """Return one value of a column's type; no text at all, or ``null``, is null."""
    kind, name = field.type, field.name
    if text in ("", "null"):
        return pa.nulls(1, kind)
    if T.is_string(kind) and len(text) > 1 and text[0] == text[-1] == '"':
        return pa.array([text[1:-1].replace('""', '"')], kind)
    if T.is_boolean(kind):
        require(text in ("true", "false"), "{} must be true or false. Got {!r}.", name, text)
        return pa.array([text == "true"])
    try:
        return _value(text, kind)
    except (pa.ArrowException, ValueError, InvalidOperation) as error:
        raise InputError(f"{name} must be a value of type {kind}. Got {text!r}.") from error


def _value(text: str, kind: pa.DataType) -> pa.Array:
    if T.is_floating(kind):
        return pa.array(np.array([float(text)], "f4" if T.is_float32(kind) else "f8"))
    if T.is_decimal(kind):
        return pa.array([Decimal(text)], kind)
    if T.is_binary(kind):
        found = re.fullmatch(r"X'((?:[0-9A-Fa-f]{2})*)'", text)
        return pa.array([bytes.fromhex(found[1]) if found else text.encode()], kind)
    if T.is_timestamp(kind):
        try:
            return pc.cast(pa.array([text]), pa.timestamp("us")).cast(kind)
        except pa.ArrowInvalid:  # a text with a zone
            return pc.cast(pa.array([text]), pa.timestamp("us", "UTC")).cast(kind)
    if T.is_time(kind):
        moment = pc.cast(pa.array([f"1970-01-01 {text}"]), pa.timestamp("ns"))
        return moment.view(pa.int64()).view(kind)
    return pc.cast(pa.array([text]), kind)
