"""Thrift's compact protocol, as far as Parquet's footer, page headers and indexes need it: bytes →
{field number: value}.

The bytes may come from a stranger: every length is checked against what is left, every field
against its type, nesting is bounded, and whatever breaks a rule is an ``InputError``.
"""

from __future__ import annotations

from typing import Any, NoReturn

from engine.errors import InputError

MAX_DEPTH = 12  # the deepest structure of the format has 6 levels
HINT = "The file is damaged or cut short: write it again from its source."


def damaged(rule: str, got: object) -> NoReturn:
    """Raise the sentence for a file that breaks a rule of its format."""
    raise InputError(f"{rule} Got {got}. {HINT}")


class Compact:
    """A reader of ``data`` from ``position``, never beyond ``end``."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: memoryview, position: int, end: int) -> None:
        self.data, self.position, self.end = data, position, end

    def byte(self) -> int:
        """Return the next byte, 0–255."""
        if self.position >= self.end:
            damaged(
                "A structure must end before its part of the file.",
                f"its end, byte {self.end:,}",
            )
        self.position += 1
        return self.data[self.position - 1]

    def varint(self) -> int:
        """Return an unsigned number of up to 64 bits, seven bits a byte, the lowest first."""
        number = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
        damaged("A number must have at most 10 bytes.", f"more, at byte {self.position:,}")

    def integer(self) -> int:
        """Return a signed number: zigzag, so that small negatives stay short."""
        number = self.varint()
        return (number >> 1) ^ -(number & 1)

    def take(self, length: int) -> bytes:
        """Return the next ``length`` bytes."""
        if length > self.end - self.position:
            damaged(
                f"A text at byte {self.position:,} must end before byte {self.end:,}.",
                f"a length of {length:,}",
            )
        self.position += length
        return bytes(self.data[self.position - length : self.position])

    def items(self, depth: int) -> list[Any]:
        """Return a list or a set."""
        head = self.byte()
        count = head >> 4 if head >> 4 < 15 else self.varint()
        if count > self.end - self.position:  # an item takes at least one byte
            damaged(
                f"A list at byte {self.position:,} must end before byte {self.end:,}.",
                f"{count:,} items",
            )
        kind = head & 15
        if kind in (1, 2):
            return [self.byte() == 1 for _ in range(count)]
        return [self.value(kind, depth) for _ in range(count)]

    def mapping(self, depth: int) -> dict[Any, Any]:
        """Return a map as pairs; its keys are never looked at here, so they only have to be passed
        over.
        """
        count = self.varint()
        if count > self.end - self.position:
            damaged(
                f"A map at byte {self.position:,} must end before byte {self.end:,}.",
                f"{count:,} items",
            )
        kinds = self.byte() if count else 0
        return {
            i: (self.value(kinds >> 4, depth), self.value(kinds & 15, depth)) for i in range(count)
        }

    def value(self, kind: int, depth: int) -> Any:
        """Return a value of Thrift's compact type ``kind`` (a bool counts as a byte here)."""
        if depth > MAX_DEPTH:
            damaged(
                f"Structures must be nested at most {MAX_DEPTH} deep.",
                f"more, at byte {self.position:,}",
            )
        if kind in (4, 5, 6):
            return self.integer()
        if kind == 8:
            return self.take(self.varint())
        if kind == 12:
            return self.struct(depth + 1)
        if kind in (9, 10):
            return self.items(depth + 1)
        if kind in (1, 2, 3):
            return self.byte()
        if kind == 7:
            return self.take(8)
        if kind == 11:
            return self.mapping(depth + 1)
        if kind == 13:
            return self.take(16)
        damaged(f"The type at byte {self.position:,} must be one of Thrift's, 1–13.", kind)

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Return a structure up to and with its stop byte."""
        fields: dict[int, Any] = {}
        field = 0
        while head := self.byte():
            field = field + (head >> 4) if head >> 4 else self.integer()
            kind = head & 15
            fields[field] = kind == 1 if kind in (1, 2) else self.value(kind, depth)
        return fields


def number_of(fields: dict[int, Any], field: int, name: str) -> int:
    """Return a count or size of a structure: a whole number ≥ 0."""
    value = fields.get(field)
    if type(value) is not int or value < 0:
        damaged(
            f"{name} must be a whole number ≥ 0.", "none" if value is None else repr(value)[:40]
        )
    return value


def optional_number(fields: dict[int, Any], field: int, name: str) -> int | None:
    """Return a count or size, ``None`` when the structure does not have it."""
    return number_of(fields, field, name) if field in fields else None


def struct_of(fields: dict[int, Any], field: int, name: str) -> dict[int, Any]:
    """Return a structure inside a structure."""
    value = fields.get(field)
    if not isinstance(value, dict):
        damaged(f"{name} must be a structure.", "none" if value is None else repr(value)[:40])
    return value


def list_of(fields: dict[int, Any], field: int, name: str, kind: type) -> list[Any]:
    """Return a list whose items are all of one kind."""
    value = fields.get(field)
    if not isinstance(value, list) or any(type(item) is not kind for item in value):
        damaged(
            f"{name} must be a list of {kind.__name__}.",
            "none" if value is None else repr(value)[:40],
        )
    return value
