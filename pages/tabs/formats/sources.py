"""Sources: the same flights from an API, a database, a stream and files, and what each tells."""

from __future__ import annotations

import streamlit as st

from engine.formats import sources
from engine.formats.sources import SourcesResult, figure
from engine.formats.sources.params import SourcesParams
from pages.shell import controls, lab, texts

D = SourcesParams()
VIEWS = ("One flight", "Table")
run = st.cache_resource(max_entries=64, show_spinner=False)(sources.run)


def _params() -> SourcesParams:
    at_hour = controls.slider(
        D, "at_hour", "Read at, h", help="Hour of 24 Jun 2013 at which the first page is asked for"
    )
    age_hours = controls.slider(
        D, "age_hours", "File age, h", help="Hours since the files were exported"
    )
    page_rows = controls.slider(D, "page_rows", "Rows per page", help="That the API gives at most")
    gap_minutes = controls.slider(
        D, "gap_minutes", "Between calls, min", help="The API's rate limit; the table changes on"
    )
    n_repeats = controls.slider(
        D, "n_repeats", "Events repeated", help="That the stream delivers again after a restart"
    )
    number = controls.slider(D, "number", "Flight shown", help="In the view One flight", most=49)
    return SourcesParams(
        at_hour=at_hour,
        age_hours=age_hours,
        page_rows=page_rows,
        gap_minutes=gap_minutes,
        n_repeats=n_repeats,
        number=number,
    )


def _one_flight(result: SourcesResult) -> None:
    st.caption(f"{result.sample}, as it came from each source:")
    for one in result.readings:
        st.markdown(f"**{one.source}**")
        st.code(one.sample or "nothing", language=None, wrap_lines=True)


def _output(params: SourcesParams) -> None:
    result = run(params)
    with lab.screen("formats", "sources", result) as screen:
        screen.answer(figure.matrix(result), "sources_matrix", "What each source tells and hides")
        if controls.view("sources_view", VIEWS) == "Table":
            texts.table(result.rows(), "Calls, bytes and counts of each source")
        else:
            _one_flight(result)


show = lab.tab("formats", "sources", _params, _output)
