"""A lab's prediction as a question to the room: its choices, or some five parts of its range."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from typing import Any

from engine.rooms.vote import Question
from engine.texts import strip_marks
from engine.units import MINUS, format_range
from pages.shell import quiz
from pages.shell.lessons import Prediction

PARTS = 5  # of a range
_EMPHASIS = re.compile(r"\*(\w[^*]*)\*")


def question(prediction: Prediction) -> Question:
    """Return the question without marks; for a number the choices are parts of its range, equal
    but for the last.
    """
    text = _EMPHASIS.sub(r"\1", strip_marks(prediction.question))
    return Question(text, tuple(prediction.choices) or _parts(prediction))


def right(prediction: Prediction, actual: Any) -> tuple[int | None, str]:
    """Return the number of the choice that a run's value proves right, from 0, ``None`` where none
    is, and the value as people read it.
    """
    text = quiz.format_value(actual, prediction.field)
    if prediction.range is None:
        listed = [str(actual) == choice for choice in prediction.choices]
        return (listed.index(True) if True in listed else None), text
    low, high = prediction.range
    given = round(float(actual)) if _is_whole(prediction) else float(actual)
    return (bisect_right(_starts(prediction), given) - 1 if low <= given <= high else None), text


def _is_whole(prediction: Prediction) -> bool:
    """Whether the number is guessed in whole numbers, as ``quiz.ask`` has it."""
    low, high = prediction.range or (0.0, 1.0)
    return high - low >= quiz.MANY


def _starts(prediction: Prediction) -> list[float]:
    """Return where each part begins; it ends before the next, the last with the range."""
    low, high = prediction.range or (0.0, 1.0)
    width = (high - low) / PARTS
    if not _is_whole(prediction):
        return [low + width * part for part in range(PARTS)]
    return [float(start) for start in range(round(low), round(high), math.ceil(width))]


def _parts(prediction: Prediction) -> tuple[str, ...]:
    _, high = prediction.range or (0.0, 1.0)
    starts = _starts(prediction)
    if _is_whole(prediction):
        ends = [start - 1 for start in starts[1:]] + [high]
        return tuple(
            quiz.format_value(round(start)) if start == end else format_range(start, end)
            for start, end in zip(starts, ends, strict=True)
        )

    def write(edge: float) -> str:
        return quiz.format_value(round(edge, 9), prediction.field).replace("-", MINUS)

    return tuple(
        format_range(start, end, write)
        for start, end in zip(starts, [*starts[1:], high], strict=True)
    )
