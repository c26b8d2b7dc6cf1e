"""The glossary, ``pages/glossary.toml``: each term of the labs with its definition and the scene
that shows it; and the links of a text to its terms.

Such a link leads nowhere (``#term-…``). Its title is the definition: the browser shows it under the
pointer, ``frame.css`` while the link has the focus, which a key or a touch gives it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache

from engine.errors import InputError, require
from engine.workspace import REPOSITORY
from pages.shell import lessons
from pages.shell.lesson_entries import entry

PATH = REPOSITORY / "pages" / "glossary.toml"
# What stays as it is: code, links, headings.
_LEFT = r"```.*?```|`[^`\n]*`|\[[^\]\n]*\]\([^)\n]*\)|^#+ .*$"


@dataclass(frozen=True, slots=True)
class Term:
    """A term of one lab; ``here``: the word means something else in other labs."""

    name: str
    topic: str
    means: str
    scene: str
    also: tuple[str, ...] = ()
    here: bool = False

    @property
    def scene_number(self) -> int:
        """The place of its scene in the lesson, from 0."""
        titles = [scene.title for scene in lessons.load(self.topic).scenes]
        return titles.index(self.scene)


@lru_cache(maxsize=1)
def terms() -> tuple[Term, ...]:
    """Read and check the glossary.

    Raises
    ------
    InputError
        It is not TOML, or an entry names no lab or no scene of it, or has a mark in its definition
        that a link's title cannot hold.
    """
    try:
        content = tomllib.loads(PATH.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{PATH.name} must be TOML: {error}") from error
    found = []
    for topic, table in content.items():
        titles = [scene.title for scene in lessons.load(topic).scenes]
        for name, one in table.items():
            where = f"{PATH.name} [{topic}] {name}"
            term: Term = entry(Term, {"name": name, "topic": topic, **one}, where)
            plain = not set('"\\|<\n') & set(term.means)
            require(plain, '{}: means must have no ", \\, | or <. Got {!r}.', where, term.means)
            known = term.scene in titles
            require(known, "{}: scene must be one of the lab. Got {!r}.", where, term.scene)
            found.append(term)
    return tuple(found)


@lru_cache(maxsize=16)
def _spelled(topic: str) -> tuple[re.Pattern[str], dict[str, Term]]:
    """Return what finds the terms in texts of a lab, and the term of each spelling; the lab's own
    meaning first.
    """
    chosen = [term for term in terms() if term.topic == topic or not term.here]
    chosen.sort(key=lambda term: term.topic == topic)  # the last one of a spelling is kept
    spelled = {word: term for term in chosen for word in (term.name, *term.also)}
    longest = sorted(spelled, key=len, reverse=True)
    words = "|".join(r"\s+".join(map(re.escape, word.split())) for word in longest)
    whole = rf"(?P<left>{_LEFT})|(?<![\w-])(?P<word>(?:{words})s?)(?![\w-])"
    return re.compile(whole, re.IGNORECASE | re.MULTILINE | re.DOTALL), spelled


def _meant(word: str, spelled: dict[str, Term]) -> Term | None:
    """Return the term of a word as found: a spelling in lower case also begins a sentence, and a
    line may end inside it.
    """
    word = " ".join(word.split())
    for form in (word, word.removesuffix("s")):
        if term := spelled.get(form) or spelled.get(form[:1].lower() + form[1:]):
            return term
    return None


def marked(text: str, topic: str = "") -> str:
    """Return Markdown with the first occurrence of each term as a link to its definition.

    Text of a visitor must be ``inert`` before.
    """
    pattern, spelled = _spelled(topic)
    seen = set()

    def link(found: re.Match[str]) -> str:
        term = None if found["left"] else _meant(found["word"], spelled)
        if term is None or term.name in seen:
            return found[0]
        seen.add(term.name)
        anchor = re.sub(r"\W+", "-", term.name.lower())
        return f'[{found[0]}](#term-{anchor} "{term.means}")'

    return pattern.sub(link, text)
