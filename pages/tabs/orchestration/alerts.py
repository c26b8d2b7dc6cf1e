"""Watch and alert: each run against its own history, the alerts with their rules, a webhook of the
visitor's own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from engine.errors import InputError
from engine.orchestration import alerts
from engine.orchestration.alerts import RULES, WATCHED, AlertsParams, AlertsResult
from engine.orchestration.alerts import figure as figures
from engine.orchestration.alerts.webhook import POST
from engine.orchestration.history import SOURCES
from pages.shell import lab, state, texts

D = AlertsParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
WATCH_SECONDS = 3.0


def _params() -> AlertsParams:
    flow = st.selectbox(
        "Flow",
        WATCHED,
        WATCHED.index(D.flow),
        key="alerts_flow",
        help="Whose runs are watched",
        **BOUND,
    )
    source = st.segmented_control(
        "Runs",
        SOURCES,
        default=D.source,
        required=True,
        key="alerts_source",
        help=(
            "Recorded by Prefect; foretold ones are the same every time and stand in where nothing"
            " is recorded"
        ),
        **BOUND,
    )
    rules = st.multiselect(
        "Rules",
        RULES,
        default=list(D.rules),
        key="alerts_rules",
        help="Which of them alert",
        **BOUND,
    )
    k = st.slider(
        "Too slow beyond",
        1.0,
        10.0,
        D.k,
        0.5,
        format="%g σ",
        key="alerts_k",
        help="Above the median of its past",
        **BOUND,
    )
    least = st.slider(
        "Runs that a history needs",
        3,
        50,
        D.min_runs,
        key="alerts_min_runs",
        help="Completed, same flow and settings",
        **BOUND,
    )
    late = st.slider(
        "Late after",
        1.0,
        600.0,
        D.late_seconds,
        1.0,
        format="%g s",
        key="alerts_late_seconds",
        help="From submission to start",
        **BOUND,
    )
    return AlertsParams(
        source=source, flow=flow, rules=tuple(rules), k=k, min_runs=least, late_seconds=late
    )


def _webhook(params: AlertsParams) -> None:
    """Ask for the webhook. It is no setting: an address may hold a secret, so it stands in no link."""
    owner = state.owner()
    with st.expander("Send new alerts to a webhook of your own", icon=":material/webhook:"):
        url = st.text_input(
            "Address",
            key="alerts_webhook",
            placeholder="https://…",
            help=(
                "Gets each new alert as JSON; `text` is what Slack, Mattermost and Teams show. Kept"
                " in memory only"
            ),
        )
        try:
            POST.set(owner, url or "", params)
            if url and st.button("Send a test alert", key="alerts_webhook_test"):
                POST.test(owner)
        except InputError as error:
            st.error(str(error), icon=":material/error:")
        for sent in POST.sent(owner)[:5]:
            icon = ":material/check_circle:" if sent.ok else ":material/error:"
            texts.say(
                f"{icon} {datetime.fromtimestamp(sent.at, UTC):%H:%M:%S} UTC · {sent.about} →"
                f" **{sent.answer}**"
            )


def _show(result: AlertsResult) -> None:
    if result.foretold and result.params.source == "recorded":
        st.info(
            "No such run is recorded yet: foretold ones stand in until *Run monitor* has run the"
            " flow."
        )
    texts.say(result.verdict)
    figure = figures.scores(result, lab.pinned("alerts"))
    lab.chart(figure, "alerts_scores", "Each run against the runs before it")
    rows = result.rows()
    if rows:
        st.dataframe(
            rows,
            hide_index=True,
            height=min(38 + 35 * len(rows), 300),
            key="alerts_list",
            alt="The alerts",
        )
    else:
        st.caption("No alert by these rules.")
    lab.report("orchestration", "alerts", result, figure)


@lab.experiment("alerts")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("orchestration", "alerts")
    with output:
        _webhook(params)
        _show(alerts.run(params))
