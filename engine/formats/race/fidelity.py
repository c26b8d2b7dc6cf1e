"""What a round trip changed: the table read, held column by column against the table written.

Real: both tables are compared in full, type by type and value by value. A type that came back
otherwise is named by what was lost (width, zone, category, decimal); values are compared after the
column is turned back into its own type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

Kind = Literal[
    "rows",
    "column",
    "number width",
    "time zone",
    "time unit",
    "category",
    "decimal",
    "type",
    "null → empty text",
    "values",
]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a round trip changed in one column (``""``: in the table)."""

    column: str
    kind: Kind
    detail: str


def compare(written: pa.Table, read: pa.Table) -> tuple[Change, ...]:
    """Return every change from ``written`` to ``read``, in column order; none for a faithful round
    trip.
    """
    if read.num_rows != written.num_rows:
        return (Change("", "rows", f"{read.num_rows:,} rows of {written.num_rows:,}"),)
    changes: list[Change] = []
    for name in written.column_names:
        if name not in read.column_names:
            changes.append(Change(name, "column", "not there any more"))
            continue
        before, after = written[name], read[name]
        changes += _type_changes(name, before.type, after.type)
        changes += _value_changes(name, before, after)
    return tuple(changes)


def _type_changes(name: str, before: pa.DataType, after: pa.DataType) -> list[Change]:
    types = pa.types
    if before == after:
        return []
    became = f"{_short(before)} → {_short(after)}"
    if types.is_timestamp(before) and types.is_timestamp(after):
        changes = []
        if before.tz != after.tz:
            changes.append(
                Change(name, "time zone", f"{before.tz or 'none'} → {after.tz or 'none'}")
            )
        if before.unit != after.unit:
            changes.append(Change(name, "time unit", f"{before.unit} → {after.unit}"))
        return changes
    if types.is_dictionary(before):
        return [Change(name, "category", became)]
    if types.is_decimal(before):
        return [Change(name, "decimal", became)]
    for same in (types.is_integer, types.is_floating):
        if same(before) and same(after):
            return [Change(name, "number width", became)]
    return [Change(name, "type", became)]


def _value_changes(name: str, before: pa.ChunkedArray, after: pa.ChunkedArray) -> list[Change]:
    plain = before.cast(before.type.value_type) if pa.types.is_dictionary(before.type) else before
    try:
        back = after.cast(plain.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        return [
            Change(
                name,
                "values",
                f"cannot be turned back into {_short(plain.type)}:"
                f" {str(error).splitlines()[0][:120]}",
            )
        ]
    changes = []
    if _is_text(plain.type):
        emptied = pc.and_(plain.is_null(), pc.fill_null(pc.equal(back, ""), False))
        if n := pc.sum(emptied).as_py():
            changes.append(
                Change(name, "null → empty text", f"{n:,} nulls came back as empty text")
            )
    else:
        emptied = pa.scalar(False)
    same = pc.or_(
        pc.fill_null(pc.equal(plain, back), False), pc.and_(plain.is_null(), back.is_null())
    )
    if pa.types.is_floating(plain.type):
        same = pc.or_(same, pc.fill_null(pc.and_(pc.is_nan(plain), pc.is_nan(back)), False))
    n_other = len(plain) - (pc.sum(pc.or_(same, emptied)).as_py() or 0)
    if n_other:
        changes.append(Change(name, "values", f"{n_other:,} values differ"))
    return changes


def _is_text(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(type_)
        or pa.types.is_large_string(type_)
        or pa.types.is_string_view(type_)
    )


def _short(type_: pa.DataType) -> str:
    return "category" if pa.types.is_dictionary(type_) else str(type_)


def summary(changes: tuple[Change, ...]) -> str:
    """Return the changes as one line, like with like: ``14 number widths · tailnum: 2,512 nulls
    came back as …``.
    """
    if not changes:
        return "faithful"
    parts = []
    for kind in dict.fromkeys(change.kind for change in changes):
        alike = [change for change in changes if change.kind == kind]
        details = list(dict.fromkeys(change.detail for change in alike))
        if len(alike) > 2:
            parts.append(
                f"{kind} of {len(alike)} columns"
                + (f" ({details[0]})" if len(details) == 1 else "")
            )
        else:
            parts += [f"{change.column} {change.detail}".strip() for change in alike]
    return " · ".join(parts)
