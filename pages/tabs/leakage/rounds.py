"""Spot the leak: a pipeline, its data and its scores; name the leak or say that there is none."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.leakage import rounds
from engine.leakage.rounds import GUESSES, LEVELS, UNDECIDED, RoundsParams, RoundsResult
from engine.leakage.rounds import figure as figures
from engine.leakage.rounds.cases import CASES
from pages.shell import lab

D = RoundsParams()
BOUND: dict[str, Any] = {"bind": "query-params"}


def _tally() -> dict[tuple[Any, ...], bool]:
    """Return round -> whether its first answer was right."""
    tally: dict[tuple[Any, ...], bool] = st.session_state.setdefault("rounds_tally", {})
    return tally


def _revealed() -> None:
    """Count the first answer to each round; an answer after the reveal counts no more."""
    state = st.session_state
    if not state["rounds_revealed"]:
        return
    level, number, seed, guess = (
        state[f"rounds_{name}"] for name in ("level", "number", "seed", "guess")
    )
    place = (rounds.dealt(level, number, seed), seed)
    if guess != UNDECIDED:
        _tally().setdefault(place, guess == CASES[place[0]].answer)


def _next() -> None:
    st.session_state["rounds_number"] = st.session_state["rounds_number"] % len(CASES) + 1
    _blind()


def _blind() -> None:
    """A new round starts blind."""
    st.session_state["rounds_guess"] = UNDECIDED
    st.session_state["rounds_revealed"] = False


def _params() -> RoundsParams:
    level = st.segmented_control(
        "Level",
        LEVELS,
        default=D.level,
        required=True,
        key="rounds_level",
        on_change=_blind,
        help="3 is hardest",
        **BOUND,
    )
    number = st.slider(
        "Round",
        1,
        len(CASES),
        D.number,
        key="rounds_number",
        on_change=_blind,
        help="A level starts again at its end",
        **BOUND,
    )
    guess = st.selectbox(
        "What is it?", GUESSES, key="rounds_guess", help="Clean rounds exist", **BOUND
    )
    revealed = st.toggle(
        "Reveal",
        D.revealed,
        key="rounds_revealed",
        on_change=_revealed,
        help="Your first answer is the one that counts",
        **BOUND,
    )
    st.button(
        "Next round",
        key="rounds_next",
        on_click=_next,
        icon=":material/skip_next:",
        help="Starts blind",
    )
    seed = st.slider(
        "Seed",
        0,
        99,
        D.seed,
        key="rounds_seed",
        on_change=_blind,
        help="Of the order and of every table",
        **BOUND,
    )
    tally = _tally()
    if tally:
        st.metric("Named at once", f"{sum(tally.values())} of {len(tally)}")
    return RoundsParams(level=level, number=number, seed=seed, guess=guess, revealed=revealed)


def _show(result: RoundsResult) -> None:
    st.markdown(result.verdict)
    figure = figures.scores(result, lab.pinned("rounds"))
    lab.chart(
        figure, "rounds_scores", "Scores on training and test rows, and in production once revealed"
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.code(result.case.code.strip(), language="python", wrap_lines=True)
    with right:
        st.caption(
            f"`table`: {result.played.n_rows:,} rows, the first {len(result.played.head)}, then its"
            " columns"
        )
        st.dataframe(
            result.played.head,
            hide_index=True,
            key="rounds_head",
            alt="The first rows of the table",
        )
        st.dataframe(
            result.played.columns,
            hide_index=True,
            key="rounds_columns",
            alt="The table's columns in numbers",
        )
    lab.report("leakage", "rounds", result, figure)


@lab.experiment("rounds")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("leakage", "rounds")
    with output:
        _show(rounds.run(params))
