"""A mock interview: four questions drawn by a seed, 20 minutes, and a summary to keep."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from engine import html_page
from engine.practice.cards import NAMES, rating_of
from engine.practice.content import Question, questions
from engine.units import format_time

N_QUESTIONS = 4
MINUTES = 20
SEEDS = 9_999


@dataclass(frozen=True, slots=True)
class Said:
    """What was noted of one question: own notes, places of the signs seen, follow-ups revealed."""

    notes: str = ""
    strong: tuple[int, ...] = ()
    weak: tuple[int, ...] = ()
    n_followups: int = 0


def draw(seed: int) -> tuple[Question, ...]:
    """Return four questions, each of another group; the same seed draws the same."""
    rng = random.Random(seed)
    groups = list(dict.fromkeys(question.group for question in questions()))
    chosen = rng.sample(groups, N_QUESTIONS)
    return tuple(rng.choice([one for one in questions() if one.group == group]) for group in chosen)


def rating(question: Question, said: Said) -> int:
    """Return how the answer was by its signs (``cards.RATINGS``)."""
    return rating_of(len(said.strong), len(question.strong), len(said.weak))


def summary(
    asked: Sequence[Question], said: Mapping[str, Said], at: datetime, seed: int
) -> list[tuple[str, list[str]]]:
    """Return the written summary: headings, each with its lines, plain text."""
    parts = [
        (
            f"Mock interview, {format_time(at)}",
            [f"{len(asked)} questions, {MINUTES} minutes, draw {seed}."],
        )
    ]
    for number, question in enumerate(asked, 1):
        one = said.get(question.id, Said())
        lines = [f"Group: {question.group}. Own rating: {NAMES[rating(question, one)]}."]
        lines += [f"My notes: {one.notes.strip() or 'none'}"]
        lines += [f"Shown: {question.strong[i]}" for i in one.strong]
        missing = [sign for i, sign in enumerate(question.strong) if i not in one.strong]
        lines += [f"Missing: {sign}" for sign in missing]
        lines += [f"Weak sign: {question.weak[i]}" for i in one.weak]
        lines += [
            f"Follow-up ({follow.kind}): {follow.text} → {follow.answer}"
            for follow in question.followups[: one.n_followups]
        ]
        parts.append((f"{number}. {question.text}", lines))
    return parts


def to_markdown(parts: Sequence[tuple[str, list[str]]]) -> str:
    """Return a summary as Markdown; what a person wrote makes no heading and no link."""
    lines = []
    for number, (heading, listed) in enumerate(parts):
        lines += [f"{'#' if number == 0 else '##'} {_plain(heading)}", ""]
        lines += [f"- {_plain(one)}" for one in listed] + [""]
    return "\n".join(lines)


def to_html(parts: Sequence[tuple[str, list[str]]]) -> str:
    """Return a summary as one self-contained page."""
    body = "".join(
        f"<h{min(2, 1 + number)}>{escape(heading)}</h{min(2, 1 + number)}><ul>"
        + "".join(f"<li>{escape(one)}</li>" for one in listed)
        + "</ul>"
        for number, (heading, listed) in enumerate(parts)
    )
    return html_page.page("Mock interview", body)


def _plain(text: str) -> str:
    """Return a text on one line, whose marks of Markdown and HTML are only letters."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(text.split()))
