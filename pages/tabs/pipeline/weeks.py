"""Monitor: the score of each week beside the one estimated without labels, drift, predictions,
skew, freshness and alerts.
"""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from engine.pipeline import weeks
from engine.pipeline.weeks import TITLES, WeeksParams, WeeksResult
from engine.pipeline.weeks import figure as figures
from pages.shell import controls, lab, texts
from pages.tabs.pipeline import runs

D = WeeksParams()
VIEWS = ("Drift", "By week", "Predictions", "Skew", "Freshness", "Alerts")


def preview() -> go.Figure:
    """Return the chart of the default run."""
    return figures.scores(weeks.run(D))


def _params() -> WeeksParams:
    return WeeksParams(
        run=runs.choose(D),
        feature=controls.selectbox(
            D, "feature", "Feature", help="Whose drift the reasons and the second chart show"
        ),
        distance=controls.segmented(
            D,
            "distance",
            "Distance",
            help="How far a feature has moved from the learned days: PSI on ten bins, the KS"
            " distance, or the Wasserstein distance over the standard deviation",
            format_func=TITLES.__getitem__,
        ),
    )


def _closer(result: WeeksResult) -> None:
    view = controls.view("weeks_view", VIEWS)
    if view == "By week":
        lab.chart(figures.feature(result), "weeks_feature_chart", "Drift of one feature by week")
    elif view == "Predictions":
        lab.chart(figures.predictions(result), "weeks_predictions", "Late flights by week")
    elif view == "Skew":
        lab.chart(figures.skew(result), "weeks_skew", "Share of served values that differ")
    elif view == "Freshness":
        texts.table(result.freshness(), "Age of the newest row of each view")
    elif view == "Alerts":
        rows = result.alerts()
        if rows:
            st.dataframe(rows, hide_index=True, height=360, alt="Alerts")
        else:
            texts.note("No rule was broken in any week.")
    else:
        lab.chart(figures.drift(result), "weeks_drift", "Drift of each feature, with its limit")


def _show(params: WeeksParams) -> None:
    result = weeks.run(params)
    with lab.screen("pipeline", "weeks", result) as screen:
        screen.answer(
            figures.scores(result),
            "weeks_scores",
            "AUC of each week: measured on labels, and estimated without them",
        )
        _closer(result)


def _output(params: WeeksParams) -> None:
    runs.look_into("weeks", params, params.run, _show)


show = lab.tab("pipeline", "weeks", _params, _output)
