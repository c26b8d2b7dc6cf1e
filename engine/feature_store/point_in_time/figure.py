"""Figures of *point in time*: one key's life with each label's arrow to the row it got, and the
cells of the three joins.

Blue was known, orange-red is from the future of the picked label, grey is expired or missing. The
upright axis of the first chart is the value, or the time of arrival, where what a label may see is
a rectangle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import figures
from engine.feature_store.explanation import OUTCOMES, VERDICTS
from engine.feature_store.feast_repo import CREATED, EVENT
from engine.feature_store.flight_features import UNITS
from engine.feature_store.point_in_time.naive_joins import Joined
from engine.feature_store.point_in_time.result import SPANS, PointInTimeResult
from engine.texts import strip_marks
from engine.units import format_time

STYLES: dict[str, tuple[str, str, int]] = {  # verdict -> colour, symbol, size
    "won": (figures.KNOWN, "circle", 15),
    "lost the tie": (figures.SYNTHETIC, "diamond", 9),
    "older": (figures.KNOWN, "circle-open", 7),
    "arrived too late": (figures.FAILED, "square", 8),
    "expired": (figures.WAITING, "x-thin", 7),
    "future": (figures.LEAKED, "circle", 7),
}
CELLS: dict[str, str] = {  # what a cell holds -> colour
    "known by then": figures.KNOWN,
    "from the future": figures.LEAKED,
    "no value (null)": figures.WAITING,
    "lost the tie": figures.SYNTHETIC,
    "row missing": figures.HOLLOW,
    "Feast disagrees": figures.FAILED,
}
# candidates that still carry their arrival for the pointer: beyond, the figure would grow too large
MAX_HOVERED = 1_500
CELL_BARS = {
    "type": "bar",
    "orientation": "h",
    "textposition": "inside",
    "insidetextanchor": "middle",
    "textangle": 0,
    "constraintext": "inside",
}
MAX_TEXTS = 24  # cells in a lane that still have room for their value


def _times(column: Any) -> np.ndarray:
    return np.asarray(column.to_numpy(zero_copy_only=False)).astype("datetime64[ms]")


def clock(moment: Any) -> str:
    """Return a moment as the page writes it."""
    return format_time(np.datetime64(moment, "ms").astype(object))


def life(result: PointInTimeResult, *, label: int = 0, arrival: bool = False) -> go.Figure:
    """Draw one key's rows and labels. To see first: the row that the picked label gets, and its
    future on the right.
    """
    explanation = result.explanation
    event, created = _times(explanation.features[EVENT]), _times(explanation.features[CREATED])
    moments = _times(explanation.labels[EVENT])
    value = explanation.features[result.params.feature].to_numpy(zero_copy_only=False).astype(float)
    unit = UNITS[result.params.feature]
    y_title = "arrived (UTC)" if arrival else f"{result.params.feature}, {unit}"
    low, high = (
        float(np.nanmin(value, initial=0)) if np.isnan(value).all() else np.nanmin(value),
        np.nanmax(value),
    )
    lane = low - 0.22 * max(high - low, 1.0)
    heights = created if arrival else value
    label_heights = moments if arrival else np.full(len(moments), lane)
    traces = _arrows(result, label, moments, label_heights, event, heights)
    traces += _candidates(result, label, event, created, heights, arrival)
    traces += _labels(result, label, moments, label_heights)
    if arrival:
        ends = [min(event.min(), moments.min()), max(event.max(), moments.max())]
        traces.append(_diagonal(ends))
    windows = _windows(result, label, moments[label], np.concatenate([event, moments]), arrival)
    layout: dict[str, Any] = {**windows, "legend": {"traceorder": "reversed"}}
    return figures.drawn(
        strip_marks(result.verdict),
        traces,
        height=460,
        x=f"event time (UTC) · {_got(result, label)}",
        y=y_title,
        **layout,
    )


def _candidates(
    result: PointInTimeResult, label: int, event: Any, created: Any, heights: Any, arrival: bool
) -> list[dict[str, Any]]:
    """Return the feature rows, one trace for each verdict on them as candidates of a label."""
    explanation = result.explanation
    unit = UNITS[result.params.feature]
    traces: list[dict[str, Any]] = []
    rows, verdicts = explanation.candidates(label)
    more = ": %{y:.1f} " + unit if not arrival else ""
    more += "%{customdata}" if len(rows) <= MAX_HOVERED else ""
    for verdict in VERDICTS[::-1]:
        here = rows[np.asarray(verdicts, dtype=object) == verdict]
        if len(here):
            color, symbol, size = STYLES[verdict]
            leaked = verdict == "won" and explanation.leaked[label]
            color, name = (figures.LEAKED, "won, not yet arrived") if leaked else (color, verdict)
            arrivals = (
                [f", arrived {clock(created[row])}" for row in here]
                if len(rows) <= MAX_HOVERED
                else None
            )
            line = {"width": 1.5, "color": color}
            marker = {"color": color, "symbol": symbol, "size": size, "line": line}
            at = {"x": event[here], "y": heights[here], "mode": "markers", "marker": marker}
            hover = "%{x|%-d %b %Y %H:%M}" + more + "<extra>" + name + "</extra>"
            traces.append(
                {
                    "type": "scatter",
                    **at,
                    "name": name,
                    "customdata": arrivals,
                    "hovertemplate": hover,
                }
            )
    return traces


def _diagonal(ends: list[Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": ends,
        "y": ends,
        "mode": "lines",
        "line": {"color": figures.WAITING, "width": 1, "dash": "dot"},
        "name": "no delay",
        "hoverinfo": "skip",
    }


def _got(result: PointInTimeResult, label: int) -> str:
    """Return what a label gets, or why it gets nothing."""
    explanation = result.explanation
    if explanation.winner[label] < 0:
        reason = {
            "no rows": "no rows of the key",
            "future": "all rows are later",
            "expired": "all rows expired",
            "arrived too late": "not arrived yet",
        }[OUTCOMES[explanation.outcome[label]]]
        row = "null" if explanation.returned[label] else "dropped"
        return f"label {label}: {row}, {reason}"
    leak = ", leaked" if explanation.leaked[label] else ""
    return f"label {label}: {result.value[label]:.1f} {UNITS[result.params.feature]}{leak}"


def _windows(
    result: PointInTimeResult, label: int, moment: Any, times: np.ndarray, arrival: bool
) -> dict[str, Any]:
    """Return the layout that shades what the picked label may see, and its future."""
    ttl = SPANS[result.params.ttl]
    first, last = times.min() - np.timedelta64(30, "m"), times.max() + np.timedelta64(30, "m")
    start = first if ttl == 0 else max(first, moment - np.timedelta64(max(ttl, 0), "m"))
    top = (
        {"yref": "y", "y0": first, "y1": moment}
        if arrival and result.params.filter_by_created
        else {"yref": "paper", "y0": 0, "y1": 1}
    )
    shape = {"type": "rect", "layer": "below", "line": {"width": 0}}
    whole = {"yref": "paper", "y0": 0, "y1": 1}
    shapes = [
        {**shape, **top, "x0": start, "x1": moment, "fillcolor": figures.KNOWN, "opacity": 0.16},
        {**shape, **whole, "x0": moment, "x1": last, "fillcolor": figures.LEAKED, "opacity": 0.08},
        {
            "type": "line",
            "layer": "below",
            **whole,
            "x0": moment,
            "x1": moment,
            "line": {"color": figures.LEAKED, "width": 1},
        },
    ]
    note = {"yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False, "font": {"size": 12}}
    window = "never expires " if ttl == 0 else f"TTL {result.params.ttl} "
    notes = [
        {
            **note,
            "x": moment,
            "xanchor": "right",
            "text": window,
            "font": {"size": 12, "color": figures.KNOWN},
        },
        {
            **note,
            "x": moment,
            "xanchor": "left",
            "text": " the label's future",
            "font": {"size": 12, "color": figures.LEAKED},
        },
    ]
    if arrival:
        shapes.append(
            {"type": "line", "layer": "below", "xref": "paper", "x0": 0, "x1": 1, "y0": moment,
             "y1": moment, "line": {"color": figures.LEAKED, "width": 1, "dash": "dash"}}
        )  # fmt: skip
    return {"shapes": shapes, "annotations": notes, "xaxis": {"range": [first, last]}}


def _arrows(
    result: PointInTimeResult,
    label: int,
    moments: Any,
    label_heights: Any,
    event: Any,
    heights: Any,
) -> list[dict[str, Any]]:
    """Return the arrow from each label to its row; that of the picked label is thick."""
    winner = result.explanation.winner
    traces: list[dict[str, Any]] = []
    for chosen, width in (
        (np.flatnonzero((winner >= 0) & (np.arange(len(winner)) != label)), 1),
        ([label], 2.5),
    ):
        x: list[Any] = []
        y: list[Any] = []
        for number in chosen:
            if winner[number] >= 0:
                x += [moments[number], event[winner[number]], None]
                y += [label_heights[number], heights[winner[number]], None]
        if x:
            color, opacity = (figures.KNOWN, 1) if width > 1 else (figures.WAITING, 0.6)
            sizes = [0, 11, 0] * (len(x) // 3)
            traces.append(
                {
                    "type": "scatter",
                    "x": x,
                    "y": y,
                    "mode": "lines+markers",
                    "line": {"color": color, "width": width},
                    "marker": {
                        "symbol": "arrow",
                        "angleref": "previous",
                        "size": sizes,
                        "color": color,
                    },
                    "opacity": opacity,
                    "hoverinfo": "skip",
                    "showlegend": False,
                }
            )
    return traces


def _labels(
    result: PointInTimeResult, label: int, moments: Any, label_heights: Any
) -> list[dict[str, Any]]:
    explanation = result.explanation
    kinds = (
        ("label: value", figures.KNOWN, "triangle-up", explanation.has_value & ~explanation.leaked),
        ("label: leaked value", figures.LEAKED, "triangle-up", explanation.leaked),
        ("label: no value", figures.WAITING, "triangle-up-open", ~explanation.has_value),
    )
    names = explanation.labels["flight_name"].to_pylist()
    traces: list[dict[str, Any]] = []
    for name, color, symbol, mask in kinds:
        here = np.flatnonzero(mask)
        if len(here):
            sizes = [18 if number == label else 11 for number in here]
            line = {"width": 1.5, "color": color}
            traces.append(
                {
                    "type": "scatter",
                    "x": moments[here],
                    "y": label_heights[here],
                    "mode": "markers",
                    "name": name,
                    "marker": {
                        "opacity": 1,
                        "color": color,
                        "symbol": symbol,
                        "size": sizes,
                        "line": line,
                    },
                    "customdata": [[int(number), names[number]] for number in here],
                    "hovertemplate": (
                        "label %{customdata[0]}, %{customdata[1]}, %{x|%-d %b %Y"
                        " %H:%M}<extra></extra>"
                    ),
                }
            )
    return traces


def cells(
    result: PointInTimeResult, pinned: PointInTimeResult | None = None, *, label: int = 0
) -> go.Figure:
    """Draw what each join gives each label. To see first: the cells from the future in the naive
    joins.
    """
    lanes = _lanes(result)
    if pinned is not None:
        lanes.append(("pinned run A", *_explained(pinned)))
    n = result.n_labels
    bars: list[dict[str, Any]] = []
    text = n <= MAX_TEXTS
    for state, color in CELLS.items():
        base, names, texts, custom = [], [], [], []
        for lane, states, values in lanes:
            for number in np.flatnonzero(states == state):
                base.append(number - 0.47)
                names.append(lane)
                texts.append(
                    f"{values[number]:.1f}"
                    if np.isfinite(values[number])
                    else "–"
                    if state != "row missing"
                    else ""
                )
                custom.append([int(number), texts[-1] or "no row"])
        if base:
            line = {"color": figures.WAITING, "width": 1 if state == "row missing" else 0}
            bars.append(
                CELL_BARS
                | {
                    "x": [0.94] * len(base),
                    "base": base,
                    "y": names,
                    "name": state,
                    "text": texts if text else None,
                    "customdata": custom,
                    "marker": {"color": color, "line": line},
                    "hovertemplate": (
                        "%{y}, label %{customdata[0]}: %{customdata[1]}<extra>" + state + "</extra>"
                    ),
                }
            )
    around = {"x0": label - 0.5, "x1": label + 0.5, "y0": 0, "y1": 1, "yref": "paper"}
    outline = {"type": "rect", **around, "line": {"color": figures.WAITING, "width": 2}}
    return figures.drawn(
        "What each join gives each label",
        bars,
        height=330,
        x="label",
        barmode="overlay",
        # on a narrow screen no text is better than overlapping ones
        uniformtext={"mode": "hide", "minsize": 10},
        shapes=[outline],
        xaxis={"range": [-0.6, n - 0.4], "showgrid": False, "dtick": 1 if text else None},
        yaxis={"categoryorder": "array", "categoryarray": [lane for lane, _, _ in lanes][::-1]},
    )


def _lanes(result: PointInTimeResult) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return name, state (n,) and value (n,) of each join's lane."""
    explanation = result.explanation
    lanes = [("explained", *_explained(result))]
    if result.check is not None:
        check = result.check
        seen = np.where(
            np.isnan(check.value),
            "no value (null)",
            np.where(explanation.leaked, "from the future", "known by then"),
        )
        seen = np.where(check.returned, seen, "row missing").astype(object)
        seen[check.differs] = "Feast disagrees"
        seen[check.tie_lost] = "lost the tie"
        lanes.insert(0, (f"Feast, {result.params.store} store", seen, check.value))
    for name, joined in (("latest value", result.latest), ("equi-join on hour", result.equi)):
        lanes.append((name, _naive_state(joined), joined.value))
    return lanes


def _explained(result: PointInTimeResult) -> tuple[np.ndarray, np.ndarray]:
    """Return state (n,) and value (n,) of the explained join."""
    explanation = result.explanation
    value = np.where(explanation.returned, result.value, np.nan)
    state = np.where(
        np.isnan(value),
        "no value (null)",
        np.where(explanation.leaked, "from the future", "known by then"),
    )
    return np.where(explanation.returned, state, "row missing").astype(object), value


def _naive_state(joined: Joined) -> np.ndarray:
    known = np.where(joined.future, "from the future", "known by then")
    return np.where(np.isnan(joined.value), "no value (null)", known).astype(object)
