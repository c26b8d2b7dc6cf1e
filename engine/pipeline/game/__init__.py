"""Find the cause: a day that was executed with a hidden fault, or without one. Each clue costs
time, and time costs delay minutes of flights that nobody announces.

Real: the fault is executed (``engine.pipeline.faults``), each clue is what its run left, and the
delay minutes at risk are those of the flights that the run without a fault announces and this one
does not. Simplified: what a look takes is set, nobody resumes the run before the cause is named,
and a minute of any hour has the day's mean risk. Money is the three assumptions multiplied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

import pyarrow as pa

from engine.jobs import Progress, Steps, run_to_end
from engine.pipeline import faults
from engine.pipeline.faults import OneParams
from engine.pipeline.faults.executed import Executed, missed_minutes
from engine.pipeline.faults.kinds import KINDS, NONE
from engine.pipeline.faults.watch import MINUTES_OF_DAY
from engine.pipeline.game.cases import ANSWERS, CASES, CLUES, UNDECIDED, Rows
from engine.ranges import Choice, Choices, Params, Range
from engine.units import format_number

WRONG_MINUTES = 120  # that a wrong answer costs: what is changed for it must be undone


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseParams(Params):
    """Which case is executed."""

    case: Annotated[int, Range(1, len(CASES))] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GameParams(Params):
    """A case, what was looked at, the answer, and the assumptions."""

    case: Annotated[int, Range(1, len(CASES))] = 1
    clues: Annotated[tuple[str, ...], Choices(tuple(CLUES), least=0)] = ()
    answer: Annotated[str, Choice((UNDECIDED, *ANSWERS.values()))] = UNDECIDED
    announced_from: Annotated[float, Range(0.1, 0.9, step=0.05)] = 0.3  # probability
    saved_share: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.25  # of an announced delay
    minute_usd: Annotated[int, Range(0, 500, step=10)] = 100  # of delay


@dataclass(frozen=True, slots=True)
class Pair:
    """The case's run and the run without a fault."""

    one: Executed
    clean: Executed


@dataclass(frozen=True, slots=True, eq=False)
class GameResult:
    """A case as far as it is known; ``pair`` is ``None`` until it is executed."""

    params: GameParams
    pair: Pair | None

    @property
    def fault(self) -> str:
        """What was executed."""
        return CASES[self.params.case - 1][0]

    @property
    def level(self) -> int:
        """1 to 3, the hardest."""
        return CASES[self.params.case - 1][1]

    @property
    def complete(self) -> bool:
        """Whether the case is executed."""
        return self.pair is not None

    @property
    def decided(self) -> bool:
        """Whether an answer is given."""
        return self.params.answer != UNDECIDED

    @property
    def right(self) -> bool:
        """Whether the answer names what was executed."""
        return self.params.answer == ANSWERS[self.fault]

    @property
    def wrong(self) -> bool:
        """Whether the answer names something else."""
        return self.decided and not self.right

    @property
    def minutes(self) -> int:
        """What the clues, and a wrong answer, have cost."""
        return sum(CLUES[clue].minutes for clue in self.params.clues) + (
            WRONG_MINUTES if self.wrong else 0
        )

    @property
    def risk(self) -> float:
        """Delay minutes at risk per minute until the cause is named; of a sound day 0, until a
        wrong answer stops it.
        """
        if self.pair is None:
            return 0.0
        one, clean = self.pair.one, self.pair.clean
        stopped = bool(one.failures) or (self.fault == NONE and self.wrong)
        if stopped:
            return _of_stopped(clean, self.params.announced_from) / MINUTES_OF_DAY
        return missed_minutes(one, clean, self.params.announced_from) / MINUTES_OF_DAY

    @property
    def delay_minutes(self) -> float:
        """Delay minutes at risk so far."""
        spent = WRONG_MINUTES if self.fault == NONE and self.wrong else self.minutes
        return self.risk * spent

    @property
    def money_usd(self) -> float:
        """Money at risk so far: delay minutes, the share that an announcement saves, their
        price.
        """
        return self.delay_minutes * self.params.saved_share * self.params.minute_usd

    @property
    def call(self) -> str:
        """What the one on call hears."""
        if self.pair is None:
            return "The day is being run with what is hidden in it."
        if self.pair.one.failures:
            return "The run has stopped: no flight is predicted."
        n = len(self.pair.one.fired)
        if n:
            return f"The day is served. {'One alert is' if n == 1 else f'{n} alerts are'} on."
        return "The day is served and no alert is on. A dispatcher finds the predictions odd."

    @property
    def verdict(self) -> str:
        """The call, or once answered the judgement, with the score."""
        score = (
            f"**{self.minutes} min**, {format_number(self.delay_minutes)} delay minutes and"
            f" {format_number(self.money_usd)} USD at risk."
        )
        if not self.decided or self.pair is None:
            head = f"Case {self.params.case}, level {self.level}. {self.call}"
        elif self.right:
            head = f"**Correct: {self.params.answer}.**"
        else:
            head = f"**Not {self.params.answer}.** It was: {ANSWERS[self.fault]}."
        return f"{head} {score}" if self.pair else head

    @property
    def why(self) -> list[str]:
        """How to play, or once answered what was executed and how it shows."""
        if not self.decided or self.pair is None:
            return [
                "**Open a clue** by choosing it: it costs its minutes.",
                f"**Name the cause** in Your answer. A wrong one costs {WRONG_MINUTES} min.",
                "**One case has no fault.** To stop a sound pipeline costs money too.",
                f"**At risk:** {format_number(self.risk, 1)} delay minutes per minute, of flights"
                " that a sound run announces.",
            ]
        if self.fault == NONE:
            return [
                "**Nothing was injected.** Every gate was silent because all was well.",
                "**A complaint is no measurement.** The clues show the usual values.",
            ]
        found = [f"**Executed.** {KINDS[self.fault].story}"]
        caught = self.pair.one.caught
        found.append(
            f"**Seen by** the {caught.gate}: {caught.evidence}"
            if caught
            else "**Seen by no gate.** Only the raw lines show it."
        )
        return found

    def opened(self) -> dict[str, Rows]:
        """Return the clues that were opened: title -> rows; empty until the case is executed."""
        if self.pair is None:
            return {}
        return {
            CLUES[clue].title: CLUES[clue].rows(self.pair.one, self.pair.clean)
            for clue in self.params.clues
        }

    def headline(self) -> dict[str, Any]:
        """Return the numbers that the script reproduces."""
        return {
            "minutes": self.minutes,
            "delay minutes": round(self.delay_minutes, 1),
            "USD": round(self.money_usd),
            **({"right": self.right} if self.decided else {}),
        }

    def table(self) -> pa.Table:
        """Return one row for each clue: its minutes, and whether it was opened."""
        return pa.Table.from_pylist(
            [
                {"clue": clue.title, "minutes": clue.minutes, "opened": name in self.params.clues}
                for name, clue in CLUES.items()
            ]
        )


def _of_stopped(clean: Executed, announced_from: float) -> float:
    """Return the delay minutes that nobody announces when nothing is served."""
    return missed_minutes(replace(clean, served=None), clean, announced_from)


def steps(params: CaseParams) -> Steps:
    """Execute a case, or find what its execution left.

    Returns
    -------
    Pair
    """
    fault = CASES[params.case - 1][0]
    made = []
    for number, name in enumerate((NONE, fault)):
        label = _Label(number)
        made.append((yield from faults.relabel(faults.one(OneParams(fault=name)), label)))
    return Pair(made[1], made[0])


@dataclass(frozen=True, slots=True)
class _Label:
    """Progress of the day without a fault (0), then of the case (1), which is not named."""

    number: int

    def __call__(self, inner: Progress) -> Progress:
        return Progress((self.number + inner.share) / 2, "the day is run")


def run(params: GameParams) -> GameResult:
    """Execute the case here and now, and judge the answer."""
    return GameResult(params, run_to_end(steps(CaseParams(case=params.case))))
