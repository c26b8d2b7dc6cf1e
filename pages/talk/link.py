"""A talk as one part of a link: its TOML compressed, in letters that an address may have."""

from __future__ import annotations

import base64
import binascii
import zlib

from engine.errors import InputError, require
from pages.talk.talk import MOST_BYTES, Talk, dumps, loads

LONGEST = 8_000  # characters: what chats, mail and servers take of an address


def encode(talk: Talk) -> str:
    """Return a talk as letters of an address; ``InputError`` where it is too long for a link."""
    code = base64.urlsafe_b64encode(zlib.compress(dumps(talk).encode(), 9)).decode().rstrip("=")
    require(
        len(code) <= LONGEST,
        "A talk in a link must have at most {:,} characters. Got {:,}. Save it as a file instead.",
        LONGEST,
        len(code),
    )
    return code


def decode(code: str) -> Talk:
    """Return the talk of a link.

    Raises
    ------
    InputError
        The letters are no talk's, or there are more than a talk has.
    """
    require(
        len(code) <= LONGEST,
        "A talk in a link must have at most {:,} characters. Got {:,}.",
        LONGEST,
        len(code),
    )
    try:
        packed = base64.b64decode(code + "=" * (-len(code) % 4), altchars=b"-_", validate=True)
        reader = zlib.decompressobj()
        text = reader.decompress(packed, MOST_BYTES + 1)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise InputError("A talk's link must be copied whole. Got a part of one.") from error
    whole = (reader.eof and not reader.unused_data) or len(text) > MOST_BYTES
    require(whole, "A talk's link must be copied whole. Got a part of one.")
    return loads(text)
