"""Spot the leak: every pipeline runs as it stands and says what its answer claims; blind until
revealed.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from engine import scripts
from engine.leakage import rounds
from engine.leakage.rounds import LEVELS, PRODUCTION, TEST, TRAIN, RoundsParams, figure
from engine.leakage.rounds.cases import ANSWERS, CASES, NONE
from engine.units import format_signed
from tests.engine.printed import run_script

NUMBERS = range(1, len(CASES) + 1)


def test_there_are_rounds_of_three_levels_with_clean_ones_among_them() -> None:
    assert len(CASES) >= 12 and {case.level for case in CASES} == {1, 2, 3}
    for level in (1, 2, 3):
        assert sum(case.level == level for case in CASES) >= 4 and any(
            c.level == level and c.answer == NONE for c in CASES
        )
    assert {case.answer for case in CASES} == set(ANSWERS), "every answer is right somewhere"


@pytest.mark.parametrize("place", range(len(CASES)), ids=lambda place: CASES[place].name)
def test_a_leak_lifts_the_report_and_a_clean_round_holds_in_production(place: int) -> None:
    played = rounds.play(place, 0)
    gap = played.scores[TEST] - played.scores[PRODUCTION]
    error = np.hypot(
        *(
            rounds.auc_error(played.scores[name], *played.counts[name])
            for name in (TEST, PRODUCTION)
        )
    )
    assert (
        (abs(gap) < 3 * error) if CASES[place].answer == NONE else (gap > 2 * error and gap > 0.05)
    )
    assert played.n_rows >= 300 and played.evidence and played.head.num_rows == 6


@pytest.mark.parametrize("level", LEVELS)
def test_every_round_of_a_level_comes_once_in_an_order_of_the_seed(level: Any) -> None:
    chosen = [
        place for place, case in enumerate(CASES) if level == "all" or case.level == int(level)
    ]
    order = [rounds.deal(level, number, 3) for number in range(1, len(chosen) + 1)]
    assert sorted(order) == chosen
    orders = {
        tuple(rounds.deal(level, n, seed) for n in range(1, len(chosen) + 1)) for seed in range(6)
    }
    assert len(orders) > 1


def test_nothing_is_given_away_before_the_reveal() -> None:
    for number in NUMBERS:
        result = rounds.run(RoundsParams(number=number))
        told = " ".join(
            [
                result.verdict,
                *result.why,
                json.dumps(result.headline()),
                str(result.table().to_pylist()),
            ]
        )
        assert result.answer not in told or result.answer == NONE
        assert (
            PRODUCTION not in str(result.table().to_pylist())
            and "production AUC" not in result.headline()
        )
        shown = figure.scores(result)
        assert PRODUCTION not in list(shown.data[0].y)


def test_the_first_answer_is_judged() -> None:
    case = CASES[rounds.deal("all", 1, 0)]
    right = rounds.run(RoundsParams(guess=case.answer, revealed=True))
    wrong = rounds.run(RoundsParams(guess="identifier", revealed=True))
    quiet = rounds.run(RoundsParams(revealed=True))
    assert right.right and not wrong.right and not quiet.right
    assert right.verdict.startswith(
        f"Correct: it is **{case.answer}**. Reported AUC **{right.reported_score:.3f}**"
    )
    assert wrong.verdict.startswith("Not identifier: ") and quiet.verdict.startswith("It is **")
    assert (
        right.why[0].startswith("**Evidence.** ")
        and f"{format_signed(right.gap, 3)}" in right.why[1]
    )
    assert not rounds.run(RoundsParams(guess=case.answer)).right, "not before the reveal"
    assert [row["scored on"] for row in right.table().to_pylist()] == [TRAIN, TEST, PRODUCTION]
    assert list(figure.scores(right, wrong).data[0].y) == [TRAIN, TEST, PRODUCTION]


@pytest.mark.parametrize("number", [1, 4, 7])
def test_the_script_gives_the_headline(number: int) -> None:
    params = RoundsParams(number=number, revealed=number > 1)
    assert run_script(scripts.render(params)) == rounds.run(params).headline()
