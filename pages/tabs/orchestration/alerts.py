"""Watch and alert: each run against its own history, the alerts with their rules, a webhook of the
visitor's own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from engine.errors import InputError
from engine.orchestration import alerts
from engine.orchestration.alerts import AlertsParams, AlertsResult
from engine.orchestration.alerts import figure as figures
from engine.orchestration.alerts.webhook import POST
from pages.shell import controls, lab, state, texts

D = AlertsParams()
WATCH_SECONDS = 3.0


def _params() -> AlertsParams:
    flow = controls.selectbox(D, "flow", "Flow", help="Whose runs are watched")
    source = controls.segmented(
        D,
        "source",
        "Runs",
        help=(
            "Recorded by Prefect; foretold ones are the same every time and stand in where nothing"
            " is recorded"
        ),
    )
    rules = controls.multiselect(D, "rules", "Rules", help="Which of them alert")
    k = controls.slider(
        D, "k", "Too slow beyond", help="Above the median of its past", format="%g σ"
    )
    least = controls.slider(
        D, "min_runs", "Runs that a history needs", help="Completed, same flow and settings"
    )
    late = controls.slider(
        D, "late_seconds", "Late after", help="From submission to start", format="%g s"
    )
    return AlertsParams(
        source=source, flow=flow, rules=tuple(rules), k=k, min_runs=least, late_seconds=late
    )


def _webhook(params: AlertsParams) -> None:
    """Ask for the webhook. It is no setting: an address may hold a secret, so it stands in no
    link.
    """
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


def _output(params: Any) -> None:
    _webhook(params)
    _show(alerts.run(params))


show = lab.tab("orchestration", "alerts", _params, _output)
