"""The alerts in *Monitoring*: each run compared with the runs before it, the list of alerts, a
webhook.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from engine import hosted
from engine.errors import InputError
from engine.orchestration import alerts
from engine.orchestration.alerts import AlertsParams, AlertsResult
from engine.orchestration.alerts import figure as figures
from engine.orchestration.alerts.webhook import POST
from pages.shell import controls, lab, state, texts
from pages.tabs.orchestration import parts

D = AlertsParams()


def _params() -> AlertsParams:
    parts.MONITORING.choose(parts.ALERTS)
    flow = controls.selectbox(D, "flow", "Flow", help="Whose runs are watched")
    source = controls.segmented(D, "source", "Runs from", help=parts.SOURCE_HELP)
    rules = controls.multiselect(D, "rules", "Rules", help="That raise an alert")
    k = controls.slider(
        D, "k", "Too slow above", help="Distance from the median of earlier runs", format="%g σ"
    )
    least = controls.slider(
        D, "min_runs", "Minimum runs", help="Completed earlier runs, same flow and settings"
    )
    late = controls.slider(
        D, "late_seconds", "Late after", help="From submission to start", format="%g s"
    )
    return AlertsParams(
        source=source, flow=flow, rules=tuple(rules), k=k, min_runs=least, late_seconds=late
    )


def _webhook(params: AlertsParams) -> None:
    """Ask for the webhook. It is no setting: an address may hold a secret, so no link has it."""
    owner = state.owner()
    with st.expander("Send new alerts to a webhook", icon=":material/webhook:"):
        if note := hosted.off("webhook"):
            st.markdown(note)
            return
        url = st.text_input(
            "Address",
            key="alerts_webhook",
            placeholder="https://…",
            help=(
                "Gets each new alert of a recorded run as JSON. Slack, Mattermost and Teams show"
                " its `text`. Kept in memory only"
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


def _list(result: AlertsResult) -> None:
    rows = result.rows()
    if not rows:
        st.caption("No alert by these rules.")
        return
    st.dataframe(
        rows,
        hide_index=True,
        height=min(38 + 35 * len(rows), 300),
        key="alerts_list",
        alt="The alerts",
    )


def _output(params: Any) -> None:
    result = alerts.run(params)
    with lab.screen("orchestration", "alerts", result) as screen:
        screen.answer(
            figures.scores(result, lab.pinned("alerts")),
            "alerts_scores",
            "Distance of each run from the median of the runs before it",
        )
        parts.note(result.simulated, params.source)
        _list(result)
        _webhook(params)


show = lab.tab("orchestration", "alerts", _params, _output)
