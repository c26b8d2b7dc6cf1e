"""Two views of Break it: how often a distance rings without a fault, and river's online
detectors, both on the first run.
"""

from __future__ import annotations

from engine.pipeline import choice
from engine.pipeline.weeks import TITLES, alarms, alarms_figure, streams
from engine.pipeline.weeks.streams import StreamsParams, StreamsResult
from pages.shell import controls, lab, texts, work

ALARMS, ONLINE = "False alarms", "Online detectors"
DISTANCES = {title: name for name, title in TITLES.items()}


def draw(view: str) -> None:
    """Draw ``ALARMS`` or ``ONLINE``."""
    if choice.latest() is None:
        texts.note("The first run is not done yet.")
    elif view == ALARMS:
        title = controls.view("faults_distance", tuple(DISTANCES), "Distance")
        rates, distance = alarms.rates(""), DISTANCES[title]
        lab.chart(
            alarms_figure.false_alarms(rates, distance, title),
            "faults_alarms",
            "Share of false alarms of each feature, by rows and by whole days",
        )
        texts.note(rates.note(distance))
    else:
        asked = StreamsParams()
        work.run("streams", asked, streams.steps, _detectors, first=StreamsResult(asked, 0, ()))


def _detectors(result: StreamsResult) -> None:
    if not result.watched:
        texts.note("The detectors read the flights.")
        return
    texts.table(result.rows(), "What each online detector said")
    texts.note(
        f"{result.n_flights:,} flights after the learned days, evenly in time. False alarms: share"
        " of streams of as many flights, drawn from the learned days in random order."
    )
