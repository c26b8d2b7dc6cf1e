"""A visitor's file in every tab that takes one: columns of every type, a name that is none, a file
that was refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from streamlit.testing.v1 import AppTest

from engine import data, processes
from engine.upload_reader.options import NO_SEPARATOR
from pages.shell.upload_names import UploadNames
from tests.engine.test_upload_types import CONTENT
from tests.pages.visit import open_page, settle

TABS = {
    "bytes_read": ("formats", {"formats_tab": "Bytes read", "bytes_read_table": "upload"}),
    "race": ("formats", {"race_table": "upload"}),
    "anatomy": ("formats", {"formats_tab": "Anatomy", "anatomy_source": "upload"}),
    "lineage": ("sampling", {"lineage_source": "upload"}),
    "audit": ("leakage", {"leakage_tab": "Audit", "audit_source": "upload"}),
    "partitioning": ("spark", {"partitioning_table": "upload"}),
}
BINARY = "application/octet-stream"


@pytest.mark.parametrize("name", TABS)
def test_a_file_of_every_type_is_shown(name: str) -> None:
    page, query = TABS[name]
    app = open_page(page, **query)  # type: ignore[arg-type]
    app.file_uploader(key=f"{name}_file").set_value(
        ("mine.parquet", CONTENT[".parquet"](), BINARY)
    ).run()
    assert not settle(app).exception
    assert not app.error or "column" in app.error[0].value.lower(), (
        "a sentence about a column is an answer too"
    )


SEMICOLONS = "plz;share;label\n" + "01067;1,5;a\n99999;2,25;b\n04109;0,5;a\n10115;3,75;a\n" * 20


@pytest.mark.parametrize("name", [name for name in TABS if name not in ("anatomy", "lineage")])
def test_how_a_text_file_was_read_is_shown_and_can_be_changed(name: str) -> None:
    page, query = TABS[name]
    app = open_page(page, **query)  # type: ignore[arg-type]
    app.file_uploader(key=f"{name}_file").set_value(
        ("mine.csv", SEMICOLONS.encode("utf-16"), "text/csv")
    ).run()
    settle(app)
    assert not app.exception
    assert how_read(app) == "Read as CSV: `;`, decimal comma, UTF-16, 3 columns. 1 note"
    app.multiselect(key=f"{name}_read_number").set_value(["plz"]).run()
    settle(app)
    assert not app.exception and not app.error
    app.selectbox(key=f"{name}_read_separator").set_value(",").run()
    settle(app)
    # with a comma between cells each decimal comma makes a cell
    assert "`,`" in how_read(app) and not app.exception
    app.selectbox(key=f"{name}_read_separator").set_value("found").run()
    assert "`;`" in how_read(settle(app)) and not app.error


def test_a_choice_reaches_the_result_and_ends_with_its_file() -> None:
    app = open_page("sampling", lineage_source="upload")
    app.file_uploader(key="lineage_file").set_value(
        ("mine.csv", SEMICOLONS.encode(), "text/csv")
    ).run()
    assert "two columns of numbers. Got 1" in app.error[0].value
    app.multiselect(key="lineage_read_number").set_value(["plz"]).run()
    assert not settle(app).error
    assert app.selectbox(key="lineage_x_column").options == ["plz", "share"]
    other = SEMICOLONS.replace("plz", "zip").encode()
    app.file_uploader(key="lineage_file").set_value(("other.csv", other, "text/csv")).run()
    assert app.multiselect(key="lineage_read_number").value == []
    assert "two columns of numbers. Got 1" in app.error[0].value


@pytest.mark.parametrize("name", ["bytes_read", "partitioning"])
def test_another_file_starts_with_its_own_columns(name: str) -> None:
    page, query = TABS[name]
    app = open_page(page, **query)  # type: ignore[arg-type]
    for columns in ("a,b", "c,d"):
        content = f"{columns}\n1,2\n3,4\n".encode()
        app.file_uploader(key=f"{name}_file").set_value(("mine.csv", content, BINARY)).run()
        assert not settle(app).error and not app.exception


def test_a_refused_text_file_can_be_read_another_way() -> None:
    app = open_page("spark", partitioning_table="upload")
    content = b"note;more\nA;1\nB\n"
    app.file_uploader(key="partitioning_file").set_value(("mine.csv", content, "text/csv")).run()
    assert "line 3 has 1 cell" in app.error[0].value and how_read(app).startswith("Tried as CSV")
    app.selectbox(key="partitioning_read_separator").set_value(NO_SEPARATOR).run()
    assert not settle(app).error and how_read(app).startswith("Read as CSV: one column")


def test_json_is_read_and_can_be_changed() -> None:
    app = open_page("spark", partitioning_table="upload")
    content = b'{"id": 12345678901234567890, "n": 1}\n' * 3
    app.file_uploader(key="partitioning_file").set_value(("mine.ndjson", content, BINARY)).run()
    assert not settle(app).error
    assert how_read(app) == "Read as JSON Lines: UTF-8, 2 columns. 1 note"
    assert not [box for box in app.selectbox if box.key == "partitioning_read_separator"]
    app.multiselect(key="partitioning_read_text").set_value(["n"]).run()
    path = Path(app.session_state["partitioning_upload_path"])
    chosen = data.choose_options(path, app.session_state["partitioning_upload_options"])
    assert data.read_upload(chosen)["n"].to_pylist() == ["1"] * 3


def how_read(app: AppTest) -> str:
    """The line under the uploader."""
    lines = [
        block.proto.popover.label
        for block in blocks(app._tree)
        if block.type == "popover" or "how_read" in str(getattr(block, "proto", ""))
    ]
    return next((line for line in lines if " as " in line), "")


def blocks(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", {}).values():
        yield from blocks(child)


NAMES = {
    "a" * 5_000 + ".csv": "aaaaaaaaaaaaaaaaaaa…aaaaaaaaaaaaaaaa.csv is empty",
    "../../etc/passwd.csv": "passwd.csv is empty",
    "C:\\secret\\a.csv": "a.csv is empty",
    "a\nb.csv": "a?b.csv is empty",
    "![x](http://a.b/c).csv": "c).csv is empty",
    "<img src=x>**b** $x$ :red[y].csv": "?img src?x???b?? ?x? ?red?y?.csv is empty",
    "a\u202egnp.csv": "a?gnp.csv is empty",
}


@pytest.mark.parametrize("file_name", NAMES, ids=range(len(NAMES)))
def test_any_name_gets_its_sentence(file_name: str) -> None:
    app = open_page("formats", formats_tab="Bytes read", bytes_read_table="upload")
    app.file_uploader(key="bytes_read_file").set_value((file_name, b"", BINARY)).run()
    assert (
        not app.exception
        and NAMES[file_name] in app.error[0].value
        and len(app.error[0].value) < 200
    )


async def name_received(chunks: list[bytes]) -> str:
    """Send the chunks of an upload through the middleware, and take them apart as Streamlit
    does.
    """
    names: list[str] = []

    async def streamlit(scope: Scope, receive: Receive, send: Send) -> None:
        form = await Request(scope, receive).form()
        names.extend(value.filename for value in form.values())  # type: ignore[union-attr]

    messages = [
        {"type": "http.request", "body": chunk, "more_body": number + 1 < len(chunks)}
        for number, chunk in enumerate(chunks)
    ]

    async def receive() -> Any:
        return messages.pop(0)

    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/_stcore/upload_file/a/b",
        "headers": [(b"content-type", KIND)],
    }
    await UploadNames(streamlit)(scope, receive, receive)
    return names[0]


KIND = b"multipart/form-data; boundary=xyz"
HEAD = (
    b'--xyz\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\nContent-Type:'
    b" text/csv\r\n\r\n"
)


@pytest.mark.parametrize("chunk", [1, 1_000, 1_000_000])
@pytest.mark.parametrize(
    ("sent", "received"),
    [
        ("a" * 5_000 + ".csv", "a" * 100 + "…" + "a" * 96 + ".csv"),
        ("ü" * 5_000 + ".csv", "ü" * 100 + "…" + "ü" * 96 + ".csv"),
        ("a\x00b\x1b.csv", "a?b?.csv"),
        ("mine (1).csv", "mine (1).csv"),
    ],
)
def test_a_name_reaches_streamlit_short_and_printable(sent: str, received: str, chunk: int) -> None:
    body = (
        HEAD % (sent.encode(), sent.encode())
        + b"x,y\r\n\r\n"
        + b'filename="\x00"' * 9
        + b"\r\n--xyz--\r\n"
    )
    chunks = [body[start : start + chunk] for start in range(0, len(body), chunk)]
    assert asyncio.run(name_received(chunks)) == received


def test_a_refused_file_is_read_once_and_the_next_one_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[str] = []
    start = processes.start

    def counted(module: str, *arguments: str, **options: object):
        started.append(module)
        return start(module, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(processes, "start", counted)
    app = open_page("formats", formats_tab="Bytes read", bytes_read_table="upload")
    app.file_uploader(key="bytes_read_file").set_value(
        ("cut.parquet", b"PAR1 and no more", BINARY)
    ).run()
    sentence = app.error[0].value
    app.run()
    app.run()
    assert (
        app.error[0].value == sentence
        and "damaged" in sentence
        and started == ["engine.upload_reader"]
    )
    path = Path(app.session_state["bytes_read_upload_path"])
    assert str(path.parent) not in sentence, "a sentence names no place on the server"
    app.file_uploader(key="bytes_read_file").set_value(
        ("mine.csv", CONTENT[".csv"](), "text/csv")
    ).run()
    assert (
        not app.error
        and data.read_upload(Path(app.session_state["bytes_read_upload_path"])).num_rows > 0
    )
