"""How far the learner is on each lesson's path: the section ``path`` of the record.

For each lab ``{"step": place, "steps": {key: entry}}``; ``place`` counts from 0 and is the number
of steps once the path has ended. An entry has ``chosen`` (a guess, two of them, a sentence),
``right`` (``None`` until it is known), ``at`` (ISO time), and of a prediction ``actual``, what its
run gave, and ``confidence``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from engine.errors import InputError, require
from pages.shell import learner
from pages.shell.content import Prediction
from pages.shell.lessons import Lesson, Step, load, topics

LONGEST = 600  # characters of a learner's own sentence
FIELDS = {"chosen", "right", "at", "actual", "confidence"}


def _of(topic: str) -> dict[str, Any]:
    found: dict[str, Any] = learner.section("path").get(topic, {"step": 0, "steps": {}})
    return found


def place(lesson: Lesson) -> int:
    """Return the place of the step that is next, from 0; past the last once the path has ended."""
    return min(int(_of(lesson.topic)["step"]), len(lesson.steps))


def is_begun(lesson: Lesson) -> bool:
    """Whether the learner has answered a step of the path."""
    return bool(_of(lesson.topic)["steps"])


def go(lesson: Lesson, number: int) -> None:
    """Make a step the next one."""
    _keep(lesson, {**_of(lesson.topic), "step": max(0, min(number, len(lesson.steps)))})


def entry(lesson: Lesson, key: str) -> dict[str, Any]:
    """Return what is known of a step, by its key; empty where nothing is, or where it does not fit
    the step any more, as after a change of the lesson.
    """
    found: dict[str, Any] = _of(lesson.topic)["steps"].get(key, {})
    step = next((one for one in lesson.steps if one.key == key), None)
    return found if found and step and _answers(lesson, step, found) else {}


def _answers(lesson: Lesson, step: Step, found: dict[str, Any]) -> bool:
    """Whether an entry answers what the step asks."""
    if step.kind == "explain":
        return isinstance(found["chosen"], str)
    if step.kind not in ("predict", "recall"):
        return True
    names = step.of if isinstance(step.of, tuple) else (step.of,)
    guesses = found["chosen"] if isinstance(found["chosen"], list) else [found["chosen"]]
    asked = [lesson.named(name) for name in names]
    return len(guesses) == len(asked) and all(
        isinstance(one, Prediction)
        and one.takes(guess)
        and (one.range is None or isinstance(found.get("actual"), int | float | None))
        for one, guess in zip(asked, guesses, strict=True)
    )


def note(lesson: Lesson, step: Step, **fields: Any) -> None:
    """Add to what is known of a step."""
    mine = _of(lesson.topic)
    before = mine["steps"].get(step.key, {"chosen": None, "right": None})
    at = datetime.now(UTC).isoformat(timespec="seconds")
    mine["steps"][step.key] = {**before, **fields, "at": at}
    _keep(lesson, mine)


def forget(lesson: Lesson, step: Step) -> None:
    """Forget a step, so that it can be answered again."""
    mine = _of(lesson.topic)
    mine["steps"].pop(step.key, None)
    _keep(lesson, mine)


def n_done(lesson: Lesson) -> int:
    """Return how many steps of the path are done."""
    return sum(bool(entry(lesson, step.key)) for step in lesson.steps)


def is_complete(lesson: Lesson) -> bool:
    """Whether every step of the path is done."""
    return bool(lesson.steps) and n_done(lesson) == len(lesson.steps)


def latest() -> str | None:
    """Return the topic of the path that was walked last and has not ended, or ``None``."""
    begun = {
        topic: max(one["at"] for one in mine["steps"].values())
        for topic, mine in learner.section("path").items()
        if mine["steps"] and place(load(topic)) < len(load(topic).steps)
    }
    return max(begun, key=lambda topic: begun[topic], default=None)


def _keep(lesson: Lesson, mine: dict[str, Any]) -> None:
    learner.put("path", {**learner.section("path"), lesson.topic: mine})


def _check(value: dict[str, Any]) -> None:
    for topic, mine in value.items():
        require(topic in topics(), "path must be of a lesson. Got {!r}.", topic)
        fits = (
            isinstance(mine, dict)
            and set(mine) == {"step", "steps"}
            and type(mine["step"]) is int
            and mine["step"] >= 0
            and isinstance(mine["steps"], dict)
            and all(_fits(one) for one in mine["steps"].values())
        )
        if not fits:
            raise InputError(f"path of {topic} must hold step and steps. Got something else.")


def _fits(one: Any) -> bool:
    """Whether a value is an entry of a step."""
    if not isinstance(one, dict) or not {"chosen", "right", "at"} <= set(one) <= FIELDS:
        return False
    plain = str | int | float | bool | None
    chosen = one["chosen"] if isinstance(one["chosen"], list) else [one["chosen"]]
    return (
        all(isinstance(part, plain) and len(str(part)) <= LONGEST for part in chosen)
        and isinstance(one.get("actual"), plain)
        and one["right"] in (None, True, False)
        and isinstance(one["at"], str)
    )


learner.register("path", _check)
