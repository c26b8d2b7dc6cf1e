"""Two views of Monitor: false alarms of the distances, and river's online detectors."""

from __future__ import annotations

from engine.pipeline.weeks import TITLES, WeeksParams, alarms, alarms_figure, streams
from engine.pipeline.weeks.streams import StreamsParams, StreamsResult
from pages.shell import lab, texts, work

VIEWS = ("False alarms", "Online detectors")


def _detectors(result: StreamsResult) -> None:
    if not result.watched:
        texts.note("The detectors read the flights.")
        return
    texts.table(result.rows(), "What each online detector said")
    texts.note(
        f"{result.n_flights:,} flights after the learned days, evenly in time. False alarms: share"
        " of streams of as many flights, drawn from the learned days in random order."
    )


def draw(view: str, params: WeeksParams) -> None:
    """Draw one of ``VIEWS``."""
    if view == VIEWS[0]:
        rates, title = alarms.rates(params.run), TITLES[params.distance]
        lab.chart(
            alarms_figure.false_alarms(rates, params.distance, title),
            "weeks_alarms",
            "Share of false alarms of each feature, by rows and by whole days",
        )
        texts.note(rates.note(params.distance))
        return
    asked = StreamsParams(run=params.run, feature=params.feature)
    work.run("streams", asked, streams.steps, _detectors, first=StreamsResult(asked, 0, ()))
