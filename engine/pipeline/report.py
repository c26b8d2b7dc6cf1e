"""One HTML file about a run: it calls no address and holds no script."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from engine import html_page
from engine.errors import InputError
from engine.pipeline import store
from engine.pipeline.records import Run, StageRecord
from engine.units import (
    format_bytes,
    format_interval,
    format_number,
    format_seconds,
    format_share,
    format_signed,
)

STYLE = """body { max-width: 70rem; color-scheme: light dark }
td.n { text-align: right; font-variant-numeric: tabular-nums }
.bad { color: #c0392b; font-weight: 600 } code { font-size: .85em }"""


def write(run: Run, target: str | Path) -> None:
    """Write the report of a run to ``target``.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    try:
        Path(target).write_text(render(run), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"to must be a file that can be written. Got {target}: {error.strerror}."
        ) from error


def table(head: list[str], rows: list[list[str]], numbers: tuple[int, ...] = ()) -> str:
    """Return an HTML table of cells that are escaped already; columns ``numbers`` are aligned
    right.
    """
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td class=n>{cell}</td>" if number in numbers else f"<td>{cell}</td>"
            for number, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _stage_row(record: StageRecord) -> list[str]:
    dropped = "<br>".join(f"{format_number(n)} {escape(why)}" for why, n in record.dropped.items())
    unexplained = record.count.n_unexplained
    if unexplained:
        dropped += f"<span class=bad>{format_number(unexplained)} without a reason</span>"
    state = f"<span class=bad>{escape(record.error)}</span>" if record.error else record.state
    return [
        escape(record.stage),
        state,
        format_number(record.n_in),
        format_number(record.n_out),
        dropped,
        format_bytes(record.n_bytes),
        format_seconds(record.seconds),
        f"<code>{escape(record.digest[:12])}</code>",
    ]


def _scores(record: StageRecord | None) -> str:
    if record is None or "model" not in record.details:
        return ""
    rows = []
    names = {
        "model": "model",
        "baseline": "baseline: schedule only",
        "leaky": "with a leak (departure delay), never registered",
    }
    for name, label in names.items():
        score = record.details[name]
        low, high = score["auc_interval"]
        rows.append(
            [label, f"{score['auc']:.3f}", format_interval(low, high), f"{score['brier']:.3f}"]
        )
    gain, (low, high) = record.details["gain"], record.details["gain_interval"]
    text = (
        f"Gain over the baseline: {format_signed(gain)} AUC (95% CI {format_interval(low, high)})."
    )
    return f"<h2>Score</h2>{table(['', 'AUC', '95% CI', 'Brier'], rows, (1, 3))}<p>{text}</p>"


def _served(record: StageRecord | None) -> str:
    if record is None or "expired" not in record.details:
        return ""
    details = record.details
    rows = [[escape(name), format_share(share)] for name, share in details["skewed_shares"].items()]
    old = ", ".join(f"{escape(view)} {format_number(n)}" for view, n in details["expired"].items())
    return (
        f"<h2>Serving of {escape(details['day'])}</h2>"
        "<p>Share of flights whose served value differs from the one for training.</p>"
        + table(["feature", "differs"], rows, (1,))
        + "<p>Feast's online store serves a value however old it is. Flights that got no value"
        f" rather than one too old: {old}.</p>"
    )


def _weeks(run: Run) -> str:
    record = run.stage("monitor")
    if record is None or record.state == "failed":
        return ""
    try:
        path = store.place("monitor", record.key) / "monitor.json"
        made: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return "<p>The weeks of this run are no longer kept.</p>"
    rows = [
        [
            week["week"],
            format_number(week["rows"]),
            "–" if week["auc"] is None else f"{week['auc']:.3f}",
            f"{week['promised_auc']:.3f}",
            "<br>".join(f"{escape(one['rule'])}: {one['value']:.3f}" for one in week["alerts"])
            or "none",
        ]
        for week in made["weeks"]
    ]
    rates = [
        [escape(name), *(format_share(rate[kind]) for kind in ("psi", "ks", "wasserstein"))]
        for name, rate in made["false_alarms"].items()
        if rate
    ]
    n = format_number(made["batch_rows"])
    return (
        "<h2>Weeks</h2>"
        + table(
            ["week from", "flights", "AUC", "AUC promised without answers", "alerts"],
            rows,
            (1, 2, 3),
        )
        + f"<h2>False alarms at {n} rows</h2>"
        + "<p>Share of batches without drift that would alarm.</p>"
        + table(["feature", "PSI", "KS", "Wasserstein"], rates, (1, 2, 3))
    )


def render(run: Run) -> str:
    """Return the report as HTML."""
    settings = table(
        ["setting", "value"],
        [[escape(name), escape(str(value))] for name, value in run.params.items()],
    )
    head = ["stage", "state", "rows in", "rows out", "dropped", "stored", "time", "content"]
    stages = table(head, [_stage_row(record) for record in run.stages], (2, 3, 5, 6))
    body = f"<h1>Run {escape(run.id)}: {run.state}</h1>{settings}<h2>Stages</h2>{stages}"
    body += _scores(run.stage("train")) + _served(run.stage("serve")) + _weeks(run)
    return html_page.page(f"Run {run.id}", body, style=STYLE)
