"""The letters of a text file: which encoding, and the same text as UTF-8."""

from __future__ import annotations

import codecs
from pathlib import Path

from engine.errors import InputError
from engine.upload_reader.options import ENCODINGS, FOUND, Options, Report

MARKS = (  # the longer ones first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
START = 4_096  # bytes that are looked at for zeros
STEP = 1 << 20
NOT_IN_WINDOWS_1252 = b"\x81\x8d\x8f\x90\x9d"


def read_text(path: Path, options: Options, report: Report) -> bytes:
    """Return a file's text in UTF-8 without a mark in front, and note in ``report`` what it was in.

    A byte-order mark decides; then zeros in every other byte, which are UTF-16; then whether the
    text is UTF-8. Text that is not is taken as Windows-1252, or Latin-1 where that has no such
    letter: no statistics decide, so the report says that it was decided.

    Raises
    ------
    InputError
        The text holds zeros, or what the chosen encoding has no letter for.
    """
    content = path.read_bytes()
    name = options.encoding if options.encoding != FOUND else _find(content, report)
    report.encoding = name
    text = _as_utf8(content, report) if name == "UTF-8" else _decode(content, name)
    if b"\x00" in text[:START]:
        raise InputError(
            f"This {report.format} file holds binary data. Upload text with one row a line."
        )
    return text


def _find(content: bytes, report: Report) -> str:
    """Return the name of the encoding that the bytes show."""
    marked = next((name for mark, name in MARKS if content.startswith(mark)), "")
    if marked:
        return marked
    if (codec := _zeros(content[:START])) and _is_in(content, codec):
        report.notes.append("UTF-16 without a mark in front, found by its zeros.")
        return "UTF-16"
    bad = _first_bad(content)
    if bad is None:
        return "UTF-8"
    if _mostly_utf8(content):
        return "UTF-8"
    odd = any(bytes([byte]) in content for byte in NOT_IN_WINDOWS_1252)
    name = "Latin-1" if odd else "Windows-1252"
    report.notes.append(f"Not UTF-8, and without a mark: read as {name}. Check accented letters.")
    return name


def _zeros(start: bytes) -> str:
    """Return the codec of UTF-16 without a mark by where its zeros are, or an empty text.

    Chinese has few: those of the separators and the ends of lines, which must be such in it too.
    """
    even, odd = start[0::2].count(0), start[1::2].count(0)
    codec = "utf-16-le" if odd > even else "utf-16-be"
    text = start[: len(start) // 2 * 2].decode(codec, "replace")
    breaks, n_bytes = (text.count("\n") + text.count("\r"), start.count(10) + start.count(13))
    binary = any(letter < " " and letter not in "\t\n\f\r" for letter in text)
    return "" if even == odd or binary or 2 * breaks < n_bytes else codec


def _is_in(content: bytes, codec: str) -> bool:
    try:
        content.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _first_bad(content: bytes) -> int | None:
    """Return the place of the first byte that is not UTF-8; in steps, for a text of 200 MB would
    be 800 MB at once.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), STEP):
        end = min(start + STEP, len(content))
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(content[start:end], final=end == len(content))
        except UnicodeDecodeError as error:
            return start - held + error.start
    return None


def _mostly_utf8(content: bytes) -> bool:
    """Whether most letters beyond ASCII are whole UTF-8 sequences, and few bytes are not."""
    step = content[: 4 * STEP]
    text = step.decode("utf-8", "replace")
    bad = text.count("\ufffd") - step.count("\ufffd".encode())
    beyond = sum(1 for letter in text if letter > "\x7f") - bad
    return beyond >= max(bad, 1)


def _as_utf8(content: bytes, report: Report) -> bytes:
    while content.startswith(codecs.BOM_UTF8):
        content = content.removeprefix(codecs.BOM_UTF8)
    bad = _first_bad(content)
    if bad is None:
        return content
    line = content.count(b"\n", 0, bad) + 1
    report.notes.append(
        f"Line {line:,} has bytes that are not UTF-8: such bytes are shown as \ufffd. Choose"
        " another encoding if letters are missing."
    )
    return content.decode("utf-8", "replace").encode()


def _decode(content: bytes, name: str) -> bytes:
    codec = ENCODINGS[name]
    marked = any(content.startswith(mark) for mark, _ in MARKS)
    if name == "UTF-16" and not marked:
        codec = _zeros(content[:START]) or "utf-16-le"
    try:
        text = content.decode(codec)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"This file is not {name}: line {line:,} has bytes that are no letter in it. Choose"
            " another encoding under the uploader."
        ) from error
    return text.lstrip("\ufeff").encode("utf-8", "replace")
