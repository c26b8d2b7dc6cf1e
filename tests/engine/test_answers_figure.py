"""A guess and what happened, drawn into figures of every kind."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from engine.answers_figure import with_answers

BOTH = [("you: 2", 2.0), ("it is: 8", 8.0)]


def bars() -> go.Figure:
    """Three lanes, as most first charts are."""
    traces = [{"type": "bar", "orientation": "h", "x": [3, 8], "y": ["CSV", "Avro"]}]
    return go.Figure(traces, {"yaxis": {"categoryarray": ["Avro", "CSV", "ORC"]}})


def marks_of(figure: go.Figure) -> list[tuple[object, object, str]]:
    """Return place and text of the marks behind the first trace."""
    return [(one.x[0], one.y[0], one.text[0]) for one in figure.data[1:]]


def test_a_number_is_a_line_across_the_plot() -> None:
    plain = bars()
    figure = with_answers(plain, BOTH, "x")
    guess, happened = figure.layout.shapes
    assert (guess.x0, guess.x1, guess.line.dash) == (2, 2, "dot")
    assert (happened.x0, happened.line.dash) == (8, "solid")
    assert (guess.yref, guess.y0, guess.y1) == ("paper", 0, 1)
    # the texts are on the sides with more room, and at the two ends
    assert (guess.label.xanchor, happened.label.xanchor) == ("left", "right")
    assert (guess.label.textposition, happened.label.textposition) == ("end", "start")
    assert plain.layout.shapes == ()


def test_a_line_belongs_to_its_own_subplot() -> None:
    figure = bars().update_layout(xaxis2={"anchor": "y"}, yaxis2={"anchor": "x2"})
    assert with_answers(figure, BOTH, "x2").layout.shapes[0].xref == "x2"
    across = with_answers(figure, BOTH, "y2").layout.shapes[0]
    assert (across.yref, across.xref, across.y0) == ("y2", "x2 domain", 2)


def test_with_a_place_a_number_is_a_mark_in_its_lane() -> None:
    found = marks_of(with_answers(bars(), BOTH, "x", "CSV"))
    assert found == [(2, "CSV", "<b>you: 2</b>"), (8, "CSV", "<b>it is: 8</b>")]
    assert marks_of(with_answers(bars(), BOTH, "x", "ORC"))[0][1] == "ORC"  # a lane without a bar


def test_an_axis_with_set_ends_reaches_as_far_as_the_answers() -> None:
    short = bars().update_xaxes(range=[0, 5])
    assert with_answers(short, BOTH, "x", "CSV").layout.xaxis.range == (0, 8.8)
    assert short.layout.xaxis.range == (0, 5)
    turned = bars().update_yaxes(range=[4, 0])
    assert with_answers(turned, BOTH, "y").layout.yaxis.range == (8.8, 0)
    assert with_answers(bars().update_xaxes(range=[0, 9]), BOTH, "x").layout.xaxis.range == (0, 9)


def test_a_choice_is_a_tick_or_a_category() -> None:
    choices = [("you: load", "load"), ("it is: watch", "watch")]
    named = bars().update_xaxes(tickvals=[0, 1], ticktext=["load", "watch"])
    assert [one[0] for one in marks_of(with_answers(named, choices, "x", "Avro"))] == [0, 1]
    upright = go.Figure([{"type": "bar", "x": ["load", "watch"], "y": [1, 2]}])
    assert [one.x0 for one in with_answers(upright, choices, "x").layout.shapes] == [
        "load",
        "watch",
    ]


def test_a_choice_among_traces_is_marked_at_its_end() -> None:
    lines = [
        {"type": "scatter", "name": name, "x": [1, 10], "y": [1, end], "yaxis": "y2"}
        for name, end in (("pandas", 5), ("Spark", 50))
    ]
    choices = [("you: pandas", "pandas"), ("it is: Spark", "Spark")]
    figure = with_answers(go.Figure(lines), choices, "trace")
    assert [(one.x[0], one.y[0], one.yaxis) for one in figure.data[2:]] == [
        (10, 5, "y2"),
        (10, 50, "y2"),
    ]


@pytest.mark.parametrize(
    ("answers", "axis", "at"),
    [
        (BOTH, "x", "Parquet"),  # no such lane
        ([("you: a", "a"), ("it is: b", "b")], "x", None),  # no such category
        ([("you: a", "a"), ("it is: b", "b")], "trace", None),  # no such trace
    ],
)
def test_what_has_no_place_is_not_drawn(
    answers: list[tuple[str, object]], axis: str, at: str | None
) -> None:
    plain = bars()
    assert with_answers(plain, answers, axis, at) is plain
