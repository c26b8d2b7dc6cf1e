"""What a person may choose about reading a text file, and what was found: how it was read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from engine.errors import require, require_choice

FOUND = "found"  # the reader decides and says what it decided
NO_SEPARATOR = "\x1f"  # one column: a mark that no text has
SEPARATORS = {",": ",", ";": ";", "\t": "tab", "|": "|", NO_SEPARATOR: "none: one column"}
DECIMALS = {".": "decimal point", ",": "decimal comma"}
HEADERS = {"yes": "header", "no": "no header"}
ENCODINGS = {
    "UTF-8": "utf-8-sig",
    "UTF-16": "utf-16",
    "Windows-1252": "cp1252",
    "Latin-1": "latin-1",
    "UTF-32": "utf-32",
    "Windows-1250": "cp1250",
    "Windows-1251": "cp1251",
    "DOS 850": "cp850",
    "Mac Roman": "mac-roman",
    "Shift JIS": "cp932",
    "GB 18030": "gb18030",
    "Big5": "big5",
    "EUC-KR": "euc-kr",
}
MAX_NAMES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to read a text file; ``found`` leaves it to the reader."""

    encoding: str = FOUND
    separator: str = FOUND
    decimal: str = FOUND
    header: str = FOUND
    text: tuple[str, ...] = ()  # columns to keep as text
    number: tuple[str, ...] = ()  # columns to read as numbers

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            require_choice(name, getattr(self, name), (FOUND, *choices))
        for name in ("text", "number"):
            require(
                len(getattr(self, name)) <= MAX_NAMES,
                name + " must name at most {} columns. Got more.",
                MAX_NAMES,
            )

    def as_json(self) -> str:
        """Return the options as one line."""
        return json.dumps(asdict(self))

    def checksum(self) -> str:
        """Return 16 hex digits that no other options share."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()[:16]

    def wish(self, name: str) -> str:
        """Return what a person wants of a column: ``text``, ``number`` or ``found``."""
        return "text" if name in self.text else "number" if name in self.number else FOUND


CHOICES = {
    "encoding": ENCODINGS,
    "separator": SEPARATORS,
    "decimal": DECIMALS,
    "header": HEADERS,
}


def options_from_json(text: str) -> Options:
    """Return the options that ``as_json`` wrote."""
    found: dict[str, Any] = json.loads(text)
    text_columns, number_columns = (tuple(found.pop(name)) for name in ("text", "number"))
    return Options(**found, text=text_columns, number=number_columns)


@dataclass(frozen=True, slots=True)
class ColumnRead:
    """How one column was read: the kind of its values, and what a person should know."""

    name: str
    kind: str
    note: str = ""


@dataclass(slots=True)
class Report:
    """How a text file was read. What is not known yet, or not of this format, is empty."""

    format: str = ""
    encoding: str = ""
    separator: str = ""
    decimal: str = ""
    header: str = ""
    columns: list[ColumnRead] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # of the whole file
    done: bool = False  # whether it was read to its end

    def as_json(self) -> str:
        """Return the report as one line."""
        return json.dumps(asdict(self))

    def all_notes(self) -> list[str]:
        """Return every note, those of the whole file first."""
        return [*self.notes, *(f"{c.name}: {c.note}" for c in self.columns if c.note)]

    def line(self) -> str:
        """Return one line: format, what was found, number of columns and of notes."""
        named = {"": "", NO_SEPARATOR: "one column", "\t": "tab"}
        parts = [
            named.get(self.separator, f"`{self.separator}`"),
            DECIMALS[","] if self.decimal == "," else "",
            HEADERS["no"] if self.header == "no" else "",
            self.encoding,
        ]
        n, notes = len(self.columns), len(self.all_notes())
        if n and self.separator != NO_SEPARATOR:
            parts.append(f"{n:,} column{'s' * (n != 1)}")
        verb = "Read" if self.done else "Tried"
        said = f"{verb} as {self.format}: {', '.join(part for part in parts if part)}."
        return f"{said} {notes} note{'s' * (notes != 1)}" if notes else said


def report_from_json(text: str) -> Report:
    """Return the report that ``as_json`` wrote."""
    report = Report(**json.loads(text))
    return replace(report, columns=[ColumnRead(**column) for column in report.columns])  # type: ignore[arg-type]
