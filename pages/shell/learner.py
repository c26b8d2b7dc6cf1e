"""The learner's record: what one visitor has answered, kept in the visitor's own browser.

The session holds it, the browser's local storage mirrors it (``learner.js``), a file takes it away
and brings it back. It is made of sections, each a JSON object with its own checker; a section is
replaced whole, and where the browser and the session differ the newer one is used.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import streamlit as st

from engine.errors import InputError, require

Value = dict[str, Any]
FORMAT = "data-pipeline-playground learner"
VERSION = 1
MOST_BYTES = {  # of each section as JSON; what is not named here is no section
    "path": 100_000,
    "answers": 300_000,
    "cards": 200_000,
    "plan": 20_000,
    "practice": 200_000,
    "notebook": 1_000_000,
}
TICK = timedelta(microseconds=1)
DEEPEST = 12  # levels of lists and objects in a section
FOREIGN = "The file must be a record that this page has saved. Got {}. Choose another file."
_checkers: dict[str, Callable[[Value], None]] = {}
_mount = st.components.v2.component(
    "learner_record",
    js=(Path(__file__).parent / "learner.js").read_text("utf-8"),
    isolate_styles=False,
)


def register(name: str, checker: Callable[[Value], None]) -> None:
    """Have ``checker`` look at every value of a section, wherever it comes from.

    It raises ``InputError`` for a value that the section's pages cannot use. Call it in a module
    that ``pages/router.py`` imports, so that no record arrives before its checker.
    """
    _checkers[name] = checker


def section(name: str) -> Value:
    """Return a copy of a section; an empty dict where nothing was put yet."""
    one = _held().get(name)
    return copy.deepcopy(one["value"]) if one else {}


def put(name: str, value: Value) -> None:
    """Replace a section; the browser gets it as the page is drawn.

    Raises
    ------
    InputError
        The value is not JSON, too large, or not what the section's checker takes.
    """
    _check(name, value)
    _held()[name] = {"at": _now(), "value": copy.deepcopy(value)}


def export() -> bytes:
    """Return the whole record as a file, for ``load``."""
    sections = {name: one["value"] for name, one in _held().items()}
    content = {"format": FORMAT, "version": VERSION, "saved_at": _now(), "sections": sections}
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8")


def load(content: bytes) -> None:
    """Replace the whole record by that of a file; sections that the file lacks become empty.

    Raises
    ------
    InputError
        The file is too large, broken, of another program or of a later version. Then the record
        stays as it is.
    """
    most = sum(MOST_BYTES.values())
    require(
        len(content) <= 2 * most,
        "The file must have at most {:,} bytes. Got {:,}. Choose a record that was saved here.",
        2 * most,
        len(content),
    )
    try:
        read = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(FOREIGN.format("a file that is not JSON")) from error
    named = isinstance(read, dict) and read.get("format") == FORMAT
    require(named, FOREIGN, "a file of another kind")
    version = read.get("version")
    require(
        isinstance(version, int) and 1 <= version <= VERSION,
        "The record's version must be 1 to {}. Got {!r}. Open it where it was saved.",
        VERSION,
        version,
    )
    sections = read.get("sections")
    if not isinstance(sections, dict):
        raise InputError(FOREIGN.format("a record without sections"))
    for name, value in sections.items():
        _check(name, value)
    _replace(sections)


def clear() -> None:
    """Empty every section, in the browser too."""
    _replace({})


def _replace(sections: Value) -> None:
    now = _now()
    st.session_state["learner"] = {
        name: {"at": now, "value": sections.get(name, {})} for name in MOST_BYTES
    }


def bridge() -> None:
    """Mirror the record to the browser and take what the browser holds. Once on every page."""
    st.session_state["learner_mirrored"] = _latest()
    _draw("learner_bridge")


def mirror(name: str) -> None:
    """Mirror what has changed since ``bridge`` was drawn: by a fragment, or by the page itself."""
    if _latest() > st.session_state.get("learner_mirrored", ""):
        _draw(f"{name}_learner_bridge")


def _draw(key: str) -> None:
    heard = st.session_state.get("learner_heard", {})
    _mount(data={"held": _held(), "heard": heard}, key=key, on_stored_change=lambda: _receive(key))


def _receive(key: str) -> None:
    """Take the sections that the browser holds and this session does not, or only older ones."""
    # a run that starts at the same moment can swallow it: the browser then sends it again
    stored = st.session_state.get(key, {}).get("stored")
    if not isinstance(stored, dict):
        return
    heard = st.session_state.setdefault("learner_heard", {})
    for name, one in stored.items():
        at, value = (one.get("at"), one.get("value")) if isinstance(one, dict) else (None, None)
        if name not in MOST_BYTES or not isinstance(at, str):
            continue
        heard[name] = at  # also what is refused, so that it is not sent again
        try:
            _check(name, value)
        except InputError:
            continue  # of an older version or another hand: the next put replaces it
        if at > _held().get(name, {"at": ""})["at"]:
            _held()[name] = {"at": at, "value": value}


def _held() -> dict[str, Value]:
    """Return this session's sections: name -> ``at`` (ISO time, UTC) and ``value``."""
    held: dict[str, Value] = st.session_state.setdefault("learner", {})
    return held


def _latest() -> str:
    return max((one["at"] for one in _held().values()), default="")


def _now() -> str:
    """Return the time (ISO, UTC) of a change that is made now: later than every other of the
    record, also where the clock was put back, for the latest is used.
    """
    now = datetime.now(UTC)
    heard = st.session_state.get("learner_heard", {}).values()
    for at in (*(one["at"] for one in _held().values()), *heard):
        with suppress(ValueError, OverflowError):  # no time: the browser's record is anybody's text
            now = max(now, datetime.fromisoformat(at).astimezone(UTC) + TICK)
    return now.isoformat(timespec="microseconds")


def _check(name: str, value: Any) -> None:
    require(
        name in MOST_BYTES,
        "section must be one of {}. Got {!r}.",
        ", ".join(MOST_BYTES),
        name,
    )
    if not isinstance(value, dict) or not _is_json(value, DEEPEST):
        raise InputError(f"section {name} must be a JSON object. Got something else.")
    size = len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    require(
        size <= MOST_BYTES[name],
        "section {} must have at most {:,} bytes. Got {:,}. Delete some of its entries.",
        name,
        MOST_BYTES[name],
        size,
    )
    if name in _checkers:
        _checkers[name](value)


def _is_json(value: Any, depth: int) -> bool:
    """Whether a value is made of JSON's types alone, at most ``depth`` levels deep."""
    if value is None or isinstance(value, str | bool | int):
        return True
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    if depth == 0:
        return False
    if isinstance(value, list):
        return all(_is_json(one, depth - 1) for one in value)
    return isinstance(value, dict) and all(
        isinstance(key, str) and _is_json(one, depth - 1) for key, one in value.items()
    )
