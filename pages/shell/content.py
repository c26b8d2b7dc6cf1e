"""The entries of a lesson, as a teacher writes them in TOML: scenes, predictions, challenges, the
steps of the path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pages.shell.conditions import Condition

Settings = dict[str, Any]  # widget key -> value
LOW, HIGH = "too low", "too high"  # the wrong choices of a prediction that asks for a number
NEAR = 0.1  # of a range: a number as near as this is right
KINDS = {  # of a step -> minutes that it takes
    "predict": 1.5,
    "see": 2.0,
    "explain": 2.5,
    "do": 4.0,
    "recall": 2.0,
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A named setting of the whole lab, with what to look at and what a speaker says."""

    title: str
    look_at: str
    note: str
    params: Settings
    chart: str = ""  # key of the only chart shown on stage; without it all are


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong choice: the misconception behind it, and a setting of the tab that disproves it.

    ``choice`` is one of the prediction's, or of a number ``too low`` or ``too high``.
    """

    choice: str
    belief: str
    params: Settings


@dataclass(frozen=True, slots=True)
class Drawn:
    """Where a chart shows what a prediction asks for, so that Learn mode draws the guess there.

    ``axis`` has the predicted quantity (``x``, ``y``, ``x2`` …), or ``trace``: the choices are
    traces. ``at`` is the category, or the number, on the other axis of the mark that is asked
    about; without it the guess is a line. What is drawn is ``plus`` + ``times`` × the value,
    both numbers or paths into the Result. ``chart`` is a chart's key, else it is the first one.
    """

    axis: str
    at: str | float | None = None
    chart: str = ""
    times: str | float = 1.0
    plus: str | float = 0.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """A question about a setting that is not on screen; ``field`` is the path into the Result to
    its answer (``value_of``).
    """

    question: str
    experiment: str
    params: Settings
    field: str
    because: str
    title: str = ""  # by which a step names it
    wrong: tuple[Wrong, ...] = ()
    choices: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    trap: bool = False  # what interviewers like to ask and many get wrong
    drawn: Drawn | None = None

    def takes(self, guess: Any) -> bool:
        """Whether a value can be a guess: one of the choices, or a number of the range."""
        if self.range is None:
            return guess in self.choices
        number = isinstance(guess, int | float) and not isinstance(guess, bool)
        return bool(number and self.range[0] <= guess <= self.range[1])

    def is_right(self, guess: Any, actual: Any) -> bool:
        """Whether a guess is right: the same choice, or a number that is near."""
        if self.range is None:
            return bool(str(actual) == guess)
        return bool(abs(actual - guess) <= NEAR * (self.range[1] - self.range[0]))

    def misconception(self, guess: Any, actual: Any) -> Wrong | None:
        """Return what a wrong guess suggests, or ``None`` for a right one."""
        if self.is_right(guess, actual):
            return None
        choice = guess if self.range is None else (LOW if guess < actual else HIGH)
        return next((one for one in self.wrong if one.choice == choice), None)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A goal that a run meets or not: all conditions; one setting that misses it and one that meets
    it; up to three hints, each a step closer.
    """

    goal: str
    experiment: str
    conditions: tuple[Condition, ...]
    wrong_params: Settings
    solved_params: Settings
    hints: tuple[str, ...] = ()

    def met_by(self, result: Any) -> bool:
        """Whether a Result of the experiment reaches the goal."""
        return all(condition.met_by(result) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the path, one screen.

    ``of`` names an entry of the lesson: the title of a prediction (predict, see, explain) or of a
    scene (see, explain), the goal of a challenge (do), or two titles of predictions (recall).
    ``question`` is what an explain step asks.
    """

    kind: str
    of: str | tuple[str, ...]
    question: str = ""

    @property
    def key(self) -> str:
        """The step's name in the learner's record, which holds when steps change their order."""
        return f"{self.kind}: {self.of if isinstance(self.of, str) else ' / '.join(self.of)}"


@dataclass(frozen=True, slots=True)
class Lab:
    """The lesson's number in the course, its experiment on Home, its name, its name in the
    navigation, interview question and an answer.
    """

    number: int
    preview: str
    title: str
    short: str
    question: str
    answer: str
