"""The hand-out of a talk: one HTML file of its scenes with their charts, findings and settings, and
no notes. The browser's print puts each scene on a page of its own.
"""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go
import plotly.io

from engine import figures
from engine.errors import require
from engine.texts import strip_marks
from engine.units import format_number
from pages.shell.lessons import to_field
from pages.talk import recorded
from pages.talk.recorded import Recorded
from pages.talk.talk import Talk, TalkScene

HEIGHT = 430  # pixels of a chart: with its texts it fits a page of A4 or Letter across
TOP = 44  # pixels above the plot: notes of two lines
STYLE = """
h1{font-size:1.5rem} h2{font-size:1.25rem;margin:.2rem 0}
.place,.settings{color:#555;font-size:.85rem;margin:.2rem 0} .finding{margin:.2rem 0 .6rem}
section{border-top:1px solid #ccc;padding:.6rem 0}
@page{size:A4 landscape;margin:10mm}
@media print{
 h1{display:none} body{margin:0 auto;padding:0}
 section{border:0;padding:0;height:184mm;overflow:hidden}
 section+section{break-before:page}
}"""


def render(talk: Talk) -> str:
    """Return the hand-out of a talk whose scenes were all shown before.

    Raises
    ------
    InputError
        A scene has no record yet.
    """
    records = [recorded.load(scene) for scene in talk.scenes]
    missing = [str(number) for number, one in enumerate(records, 1) if one is None]
    require(
        not missing,
        "Every scene must have been shown once. Got none of {}. Run the check first.",
        ", ".join(missing),
    )
    parts: list[str | go.Figure] = []
    for number, (scene, record) in enumerate(zip(talk.scenes, records, strict=True), 1):
        if record is not None:
            parts += [_head(talk, number, scene, record), _figure(record), _foot(scene, record)]
    return figures.to_document(talk.title, parts, STYLE)


def _head(talk: Talk, number: int, scene: TalkScene, record: Recorded) -> str:
    place = f"{talk.title} · {format_number(number)} of {format_number(len(talk.scenes))}"
    asked, question = scene.prediction, ""
    if asked is not None:
        answer = escape(strip_marks(record.answer))
        question = f"{escape(asked.question)} <strong>{answer}</strong> {escape(asked.because)}"
    return (
        f'<section><p class="place">{escape(place)}</p><h2>{escape(scene.shown_title)}</h2>'
        + (f'<p class="finding">{question}</p>' if question else "")
        + f'<p class="finding"><strong>{escape(strip_marks(record.finding))}</strong></p>'
    )


def _foot(scene: TalkScene, record: Recorded) -> str:
    lesson = scene.lesson
    label = {**lesson.defaults(), **scene.settings}[lesson.tab_key]
    said, drawn = ", ".join(_changed(scene)) or "the defaults", strip_marks(record.alt).rstrip(".")
    return (
        f'<p class="settings">{escape(drawn)}. Measured {escape(record.when)}.<br>'
        f"{escape(f'{lesson.title} · {label}')}. Settings: {escape(said)}.</p></section>"
    )


def _changed(scene: TalkScene) -> list[str]:
    """Return the settings that differ from the defaults, as texts."""
    lesson, found = scene.lesson, []
    for key, value in scene.settings.items():
        if key != lesson.tab_key and to_field(value) != lesson.defaults()[key]:
            own = next(name for name in lesson.experiments if key.startswith(f"{name}_"))
            name = key.removeprefix(f"{own}_").replace("_", " ")
            listed = isinstance(value, list | tuple)
            found.append(f"{name} = {' · '.join(map(str, value)) if listed else value}")
    return found


def _figure(record: Recorded) -> go.Figure:
    """Return the chart without its own title, in the size of a page."""
    figure: go.Figure = plotly.io.from_json(record.figure)
    layout: dict[str, object] = {"title": {"text": ""}, "height": HEIGHT, "width": None}
    own = figure.layout.meta or {}  # what its notes need above and below
    margin = {"t": max(TOP, own.get("top", 0))} | ({"b": own["bottom"]} if "bottom" in own else {})
    return figure.update_layout(layout, margin=margin)
