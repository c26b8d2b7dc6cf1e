"""Find the cause: a hidden fault, clues that cost time, an answer that is judged."""

from __future__ import annotations

from functools import partial

import plotly.graph_objects as go
import streamlit as st

from engine.pipeline import game
from engine.pipeline.game import CaseParams, GameParams, GameResult, Pair
from engine.pipeline.game import figure as figures
from engine.pipeline.game.cases import CLUES, UNDECIDED
from pages.shell import controls, lab, texts, work

D = GameParams()


def preview() -> go.Figure:
    """Return the first case before anything is asked."""
    return figures.price_list(GameResult(D, None))


def _blind() -> None:
    """Start a case without clues and without an answer."""
    st.session_state["game_clues"] = []
    st.session_state["game_answer"] = UNDECIDED


def _clue(name: str) -> str:
    return f"{CLUES[name].title} ({CLUES[name].minutes} min)"


def _params() -> GameParams:
    case = controls.slider(
        D,
        "case",
        "Case",
        help="Three levels; one of the ten has no fault",
        on_change=_blind,
    )
    clues = controls.multiselect(
        D, "clues", "Clues", help="Each costs its minutes", format_func=_clue
    )
    answer = controls.selectbox(D, "answer", "Your answer", help="A wrong one costs two hours")
    with st.expander("Assumptions"):
        announced = controls.slider(
            D,
            "announced_from",
            "Announce from",
            help="A flight is announced as late from this probability on",
            percent=True,
        )
        saved = controls.slider(
            D,
            "saved_share",
            "Delay saved",
            help="Share of a delay's cost that its announcement saves",
            percent=True,
        )
        usd = controls.slider(D, "minute_usd", "USD per minute", help="Cost of a minute of delay")
    return GameParams(
        case=case,
        clues=clues,
        answer=answer,
        announced_from=announced,
        saved_share=saved,
        minute_usd=usd,
    )


def _show(params: GameParams, made: Pair | GameResult) -> None:
    result = made if isinstance(made, GameResult) else GameResult(params, made)
    with lab.screen("pipeline", "game", result) as screen:
        screen.answer(
            figures.price_list(result),
            "game_prices",
            "Minutes and money that each clue and a wrong answer cost",
        )
        for title, rows in result.opened().items():
            st.markdown(f"**{title}**")
            if rows:
                st.dataframe(rows, hide_index=True, alt=title)
            else:
                texts.note("The run stopped before this was measured.")


def _output(params: GameParams) -> None:
    work.run(
        "game",
        CaseParams(case=params.case),
        game.steps,
        partial(_show, params),
        first=GameResult(params, None),
    )


show = lab.tab("pipeline", "game", _params, _output)
