"""The notebook as files: one HTML page with its figures, and a Jupyter notebook of the code panels.

What a visitor wrote, or a record brought, is text in both: nothing in it is a tag or a link.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Any

import plotly.graph_objects as go

from engine import figures, scripts
from engine.texts import inert
from engine.units import format_time
from pages.shell import lessons, notebook
from pages.shell.notebook import Entry
from pages.shell.quiz import format_value

NO_FIGURE = "The figure is not kept: open the run in its lab and keep it again."
START = (
    "# Lab notebook\n\nStart Jupyter in the root of the playground's repository. Each run has the"
    " idea with public libraries, then its exact script, which prints the numbers of the run."
)


def place(one: Entry) -> str:
    """Return the lab and the experiment of an entry by their names."""
    lesson = lessons.load(one["lab"])
    return f"{lesson.title} · {lesson.experiments[one['experiment']]}"


def lines(one: Entry) -> list[tuple[str, str]]:
    """Return what an entry says, as pairs of a name and a text; what is empty is left out."""
    numbers = ", ".join(f"{key} {format_value(value)}" for key, value in one["headline"].items())
    said = {
        "Kept": f"{_moment(one['at'])}, UTC",
        "Settings": notebook.changed(one),
        "Predicted": one["predicted"],
        "Numbers": numbers,
        "Remark": one["remark"],
    }
    return [(name, text) for name, text in said.items() if text]


def _moment(at: str) -> str:
    """Return a time as people read it; what is no time stays as it is."""
    try:
        return format_time(datetime.fromisoformat(at))
    except ValueError:
        return at


def html_of(held: Iterable[tuple[Entry, go.Figure | None]]) -> str:
    """Return the entries as one file that needs nothing else; its figures move and zoom."""
    parts: list[str | go.Figure] = []
    for one, figure in held:
        rows = "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in lines(one)
        )
        title = f"<h2>{escape(one['verdict'])}</h2><p>{escape(place(one))}</p>"
        parts.append(f"<section>{title}<dl>{rows}</dl></section>")
        parts.append(f"<p>{NO_FIGURE}</p>" if figure is None else figure)
    return figures.to_document("Lab notebook", parts)


def to_jupyter(held: Iterable[Entry]) -> str:
    """Return the entries as a Jupyter notebook (nbformat 4.5): for each what it says, the example
    and the script of its run, with the numbers as they were.
    """
    cells = [_cell("start", "markdown", START)]
    for one in held:
        params = notebook.params_of(one)
        said = "\n".join(f"- **{name}**: {_quoted(text)}" for name, text in lines(one))
        head = f"## {_quoted(one['verdict'])}\n\n{_quoted(place(one))}\n\n{said}"
        cells.append(_cell(f"{one['id']}-run", "markdown", head))
        if params is not None:
            printed = json.dumps(one["headline"]) + "\n"
            cells.append(_cell(f"{one['id']}-idea", "code", scripts.example(params)))
            cells.append(_cell(f"{one['id']}-script", "code", scripts.render(params), printed))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}}
    return json.dumps({**content, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def _quoted(text: str) -> str:
    """Return a text as one line of Markdown that makes no link, picture or tag."""
    return inert(" ".join(text.split()))


def _cell(name: str, kind: str, source: str, printed: str = "") -> dict[str, Any]:
    cell = {"id": name, "cell_type": kind, "metadata": {}, "source": source}
    if kind == "markdown":
        return cell
    output = {"output_type": "stream", "name": "stdout", "text": printed}
    return {**cell, "execution_count": None, "outputs": [output] if printed else []}
