"""A visitor's file in every tab that takes one: columns of every type, a name that is none, a file
that was refused.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from engine import data, processes
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
