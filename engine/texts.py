"""A person's text on its way to a page: shown letter by letter, whatever it spells.

Names and values of uploads, rules and links reach verdicts, errors and figures, which are Markdown
or Plotly's own HTML: there ``[x](http://…)`` would be drawn as a link and ``![](http://…)`` fetch a
picture from another host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

JOINER: Final = "\u2060"  # word joiner: no width, no line break
LONGEST_ERROR: Final = 1_500
# What begins something in Markdown (CommonMark and GitHub's autolinks, which look at the text after
# entities and backslashes
# are resolved) or in Plotly's text: each gets a joiner behind it and begins nothing any more.
_ACTIVE: Final = re.compile(
    r"""\](?=[(\[:])                     # [text](address), [text][name], [name]: address
    |<(?=[A-Za-z/!?])                    # <a href=…>, <http://…>
    |(?:https?|ftp)(?=:)|www(?=\.)       # an address by itself
    |@(?=\w)                             # somebody@host
    |&(?=\#?\w+;)                        # an entity that spells one of these
    |\\(?=[!-/:-@\[-`{-~])               # a backslash that hides one of these""",
    re.IGNORECASE | re.VERBOSE,
)
# The tags that figures of this project write themselves.
_OWN_TAG: Final = re.compile(r"</?(?:b|i|br|sub|sup|extra)>", re.IGNORECASE)


def inert(text: str) -> str:
    """Return ``text`` so that neither Markdown nor Plotly makes a link, a picture or a tag of it;
    it looks the same.

    A text without such marks, as nearly every one is, comes back unchanged. Bold and code stay:
    what they do is harmless.
    """
    return _ACTIVE.sub(lambda found: found[0] + JOINER, text)


def strip_marks(text: str) -> str:
    """Return a sentence without its marks of bold and code, as a figure's title has it."""
    return text.replace("**", "").replace("`", "")


def inert_label(text: str) -> str:
    """As ``inert``, for a text of a figure, whose own tags (``<b>``, ``<br>``, ``<extra>``)
    stay.
    """
    if not _ACTIVE.search(text):
        return text
    kept = _OWN_TAG.findall(text)
    return "".join(
        inert(part) + tag for part, tag in zip(_OWN_TAG.split(text), [*kept, ""], strict=True)
    )


def inert_cells(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of a table with every name and text ``inert``; numbers stay as they are."""
    return [
        {
            inert(key): inert(value) if isinstance(value, str) else value
            for key, value in row.items()
        }
        for row in rows
    ]


def inert_tree(node: Any) -> Any:
    """Return a figure's JSON-like tree with every text in it ``inert_label``."""
    if isinstance(node, str):
        return inert_label(node)
    if isinstance(node, Mapping):
        return {key: inert_tree(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return type(node)(inert_tree(value) for value in node)
    return node


def sentence(text: str) -> str:
    """Return the text of an error: ``inert`` and no longer than a person reads."""
    return inert(text if len(text) <= LONGEST_ERROR else f"{text[:LONGEST_ERROR]} …")
