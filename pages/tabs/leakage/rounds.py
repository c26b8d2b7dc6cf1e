"""Spot the leak: a pipeline, its data and its scores; name the leak or say that there is none."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.leakage import rounds
from engine.leakage.rounds import UNDECIDED, RoundsParams
from engine.leakage.rounds import figure as figures
from engine.leakage.rounds.cases import CASES
from pages.shell import controls, lab

D = RoundsParams()


def _tally() -> dict[tuple[Any, ...], bool]:
    """Return round -> whether its first answer was right."""
    tally: dict[tuple[Any, ...], bool] = st.session_state.setdefault("rounds_tally", {})
    return tally


def _count_answer() -> None:
    """Count the first answer to each round; an answer after the reveal counts no more."""
    state = st.session_state
    if not state["rounds_revealed"]:
        return
    level, number, seed, guess = (
        state[f"rounds_{name}"] for name in ("level", "number", "seed", "guess")
    )
    case = rounds.deal(level, number, seed)
    if guess != UNDECIDED:
        _tally().setdefault((case, seed), guess == CASES[case].answer)


def _next() -> None:
    st.session_state["rounds_number"] = st.session_state["rounds_number"] % len(CASES) + 1
    _blind()


def _blind() -> None:
    """Hide the answer: a new round starts without it."""
    st.session_state["rounds_guess"] = UNDECIDED
    st.session_state["rounds_revealed"] = False


def _params() -> RoundsParams:
    level = controls.segmented(D, "level", "Level", help="3 is the hardest", on_change=_blind)
    number = controls.slider(
        D,
        "number",
        "Round",
        help="After the last round of a level the first follows",
        on_change=_blind,
    )
    guess = controls.selectbox(D, "guess", "Your answer", help="Some rounds have no leak")
    revealed = controls.toggle(
        D, "revealed", "Reveal",
        help="The first answer counts", on_change=_count_answer,
    )  # fmt: skip
    st.button(
        "Next round",
        key="rounds_next",
        on_click=_next,
        icon=":material/skip_next:",
        help="The answer is hidden again",
    )
    seed = controls.slider(
        D, "seed", "Seed", help="For the order and every table", on_change=_blind
    )
    tally = _tally()
    if tally:
        st.metric("Correct on first answer", f"{sum(tally.values())} of {len(tally)}")
    return RoundsParams(level=level, number=number, seed=seed, guess=guess, revealed=revealed)


def _output(params: RoundsParams) -> None:
    result = rounds.run(params)
    with lab.screen("leakage", "rounds", result) as screen:
        screen.answer(
            figures.scores(result, lab.pinned("rounds")),
            "rounds_scores",
            "Scores on training and test rows, and in production once revealed",
        )
        st.code(result.case.code.strip(), language="python", wrap_lines=True)
        played = result.played
        st.caption(
            f"`table`: {played.n_rows:,} rows; the first {len(played.head)}, and its columns"
        )
        st.dataframe(
            played.head,
            hide_index=True,
            key="rounds_head",
            alt="The first rows of the table",
        )
        st.dataframe(
            played.columns,
            hide_index=True,
            key="rounds_columns",
            alt="The table's columns in numbers",
        )


show = lab.tab("leakage", "rounds", _params, _output)
