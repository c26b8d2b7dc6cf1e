"""The one error that a page shows as a sentence, and the sentence for every other: what is wrong
and what to do next.
"""

from __future__ import annotations

import errno
import logging
import os
import uuid

from engine import texts

UNFORESEEN = (
    "Something went wrong that the playground did not expect. Change a control or press Reset; if"
    " it comes back, report reference {}: the server's log explains it."
)
MAX_NAME = 40
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # a full disk, a quota, a limit
OWN_FOLDERS = ("/server/scratch/", "/sessions/")  # of a workspace, wherever it is
NO_ROOM_WORDS = (*map(os.strerror, sorted(NO_ROOM)), "disk is full")  # the last is SQLite's


class InputError(ValueError):
    """Input that the playground cannot use: a setting, a link, a file. Its text is written for the
    person at the page.

    It may quote what was given, so it is made ``inert`` here, once, for every place that shows it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(texts.sentence(message))


def require(condition: bool, message: str, *values: object) -> None:
    """Raise ``InputError`` with ``message`` (its ``{}`` filled with ``values``) unless
    ``condition`` holds.

    Messages follow "name must rule. Got value.", for example ``"k_neighbors must be 1–50. Got
    {}."``.
    """
    if not condition:
        raise InputError(message.format(*values))


def require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise ``InputError`` unless ``value`` is one of ``choices``."""
    require(value in choices, "{} must be one of {}. Got {!r}.", name, ", ".join(choices), value)


def explain(error: BaseException) -> str:
    """Return the sentence that a page shows for ``error``.

    An ``InputError`` is its own; a full disk and a workspace that was deleted have one. Any other
    is logged with its traceback under a fresh reference, which the sentence names.
    """
    if isinstance(error, InputError):
        return str(error)
    if words := no_room(error):
        return (
            f"The disk must take what is written. Got: {words}. Make room and run it again; what"
            " was stored before is whole."
        )
    if isinstance(error, FileNotFoundError) and any(one in str(error) for one in OWN_FOLDERS):
        return (
            "A file of the workspace must stay while it is used. Got: it was deleted. Run it again,"
            " or upload it again."
        )
    reference = uuid.uuid4().hex[:8]
    logging.getLogger(__name__).error(
        "Reference %s: %s", reference, type(error).__name__, exc_info=error
    )
    return UNFORESEEN.format(reference)


def no_room(error: BaseException) -> str:
    """Return the system's words for a full disk where ``error`` comes of one, else ``""``.

    Engines raise errors of their own for it (DuckDB, Spark, SQLite, a child process), with these
    words inside.
    """
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return os.strerror(error.errno)
    text = str(error)
    return next((words for words in NO_ROOM_WORDS if words in text), "")


def name_in_sentence(name: str) -> str:
    """Return a file's or a column's name as it may stand in a sentence: short, on one line, without
    markup.

    It is a stranger's text, which the page would take for Markdown: a link, an image, a color.
    """
    plain = "".join(letter if letter.isalnum() or letter in " .,_-()" else "?" for letter in name)
    half = MAX_NAME // 2
    return plain if len(plain) <= MAX_NAME else f"{plain[: half - 1]}…{plain[-half:]}"
