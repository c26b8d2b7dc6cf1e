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
    """A new round starts blind."""
    st.session_state["rounds_guess"] = UNDECIDED
    st.session_state["rounds_revealed"] = False


def _params() -> RoundsParams:
    level = controls.segmented(D, "level", "Level", help="3 is hardest", on_change=_blind)
    number = controls.slider(
        D, "number", "Round", help="A level starts again at its end", on_change=_blind
    )
    guess = controls.selectbox(D, "guess", "What is it?", help="Clean rounds exist")
    revealed = controls.toggle(
        D, "revealed", "Reveal",
        help="Your first answer is the one that counts", on_change=_count_answer,
    )  # fmt: skip
    st.button(
        "Next round",
        key="rounds_next",
        on_click=_next,
        icon=":material/skip_next:",
        help="Starts blind",
    )
    seed = controls.slider(
        D, "seed", "Seed", help="Of the order and of every table", on_change=_blind
    )
    tally = _tally()
    if tally:
        st.metric("Named at once", f"{sum(tally.values())} of {len(tally)}")
    return RoundsParams(level=level, number=number, seed=seed, guess=guess, revealed=revealed)


def _output(params: RoundsParams) -> None:
    result = rounds.run(params)
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


show = lab.tab("leakage", "rounds", _params, _output)
