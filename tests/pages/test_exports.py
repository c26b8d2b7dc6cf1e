"""Every file that a page offers names no address beyond this server; a CSV holds no formula."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import plotly.graph_objects as go
import plotly.offline
import pyarrow as pa
import pyarrow.csv as csv
import pytest
import streamlit as st

from engine import figures
from pages.shell import export, lessons
from tests.pages.visit import open_page, share

TOPICS = sorted(lessons.topics())
ADDRESS = re.compile(
    r"(?:https?|wss?|ftp):?//[^\s\"'<>\\)]+|//(?:cdn|www)\.[^\s\"'<>]+", re.IGNORECASE
)
OWN = ("127.0.0.1", "localhost")
MORE = {"quality": {"quality_view": "Tests"}}  # views that offer files of their own


def addresses(text: str) -> list[str]:
    """Return the addresses of elsewhere that a file names, Plotly's own source left aside."""
    text = (
        text.replace(plotly.offline.get_plotlyjs(), "")
        .replace("\\u002f", "/")
        .replace("\\u003c", "<")
        .replace("\\u003e", ">")
    )
    found = ADDRESS.findall(text)
    return [address for address in found if urlsplit(address).hostname not in OWN]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What pages offer for download while a test runs, by file name."""
    files: dict[str, Any] = {}
    button = st.download_button

    def noting(label: str, data: Any, file_name: str, *rest: Any, **named: Any) -> bool:
        files[file_name] = data
        return button(label, data, file_name, *rest, **named)

    monkeypatch.setattr(st, "download_button", noting)
    return files


def read(data: str | bytes | Callable[[], str | bytes]) -> str:
    content = data() if callable(data) else data
    return content.decode() if isinstance(content, bytes) else content


@pytest.mark.parametrize("topic", TOPICS)
def test_no_file_names_another_address(topic: str, offered: dict[str, Any]) -> None:
    lesson = lessons.load(topic)
    for name, label in lesson.tabs.items():
        offered.clear()
        app = share(open_page(topic, **{lesson.tab_key: label, **MORE.get(name, {})}))
        assert not app.exception
        assert {f"{name}.csv", f"{name}.json", f"{name}.html"} <= set(offered), name
        for file_name, data in offered.items():
            text = read(data)
            assert addresses(text) == [], file_name
            if file_name == f"{name}.html":
                assert '"showSendToCloud": false' in text and '"displaylogo": false' in text
                assert f'content="{figures.FILE_POLICY}"' in text.partition("<script")[0], (
                    "the policy stands before all scripts"
                )


def test_the_check_sees_an_address() -> None:
    figure = go.Figure(layout={"title": {"text": "see https://evil.example/x"}})
    assert addresses(figure.to_html(include_plotlyjs=True)) != []
    assert addresses(figure.to_html(include_plotlyjs="cdn")) != []
    assert addresses(go.Figure().to_html(include_plotlyjs=True)) == []


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_spreadsheet_runs_no_cell_of_a_csv(kind: pa.DataType) -> None:
    texts = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1"]
    plain = ["-0.3", "+12 %", "−4", "JFK", None, "a=b"]
    cells = [*texts, *plain]
    table = pa.table({"=name": pa.array(cells, kind), "n": [-1.5] * len(cells)})
    options = csv.ConvertOptions(strings_can_be_null=True)
    back = csv.read_csv(pa.BufferReader(export._csv(table)), convert_options=options)
    assert back["n"].to_pylist() == [-1.5] * len(cells)
    assert back["'=name"].to_pylist() == [*(f"'{text}" for text in texts), *plain]


def test_every_figure_that_leaves_goes_the_one_way() -> None:
    root = Path(__file__).resolve().parents[2]
    ways = [
        f"{path.relative_to(root)}: {line.strip()}"
        for folder in ("engine", "pages")
        for path in (root / folder).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\.(to|write)_html\(|plotly_chart\(", line)
    ]
    allowed = ("engine/figures.py", "pages/shell/chart.py", "pages/shell/export.py")
    assert ways and all(way.startswith(allowed) for way in ways), ways
