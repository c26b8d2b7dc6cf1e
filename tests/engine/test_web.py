"""What reaches a server of ours: its own pages and programs, no other site's page and no other
name.
"""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from engine import web

HOME = "http://127.0.0.1:8501"


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("open")
    await socket.close()


def client(**options: object) -> TestClient:
    routes = [
        Route("/", lambda _: HTMLResponse("<p>page"), methods=["GET", "POST"]),
        Route("/text", lambda _: PlainTextResponse("text")),
        WebSocketRoute("/stream", echo),
    ]
    return TestClient(web.Guard(Starlette(routes=routes), **options), base_url=HOME)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8501", "localhost:8501", "LOCALHOST", "[::1]:8501", "127.0.0.1"]
)
def test_this_machine_may_call_under_its_own_names(host: str) -> None:
    assert client().get("/", headers={"Host": host}).status_code == 200
    assert client().post("/", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8501",
        "127.0.0.1.evil.example",
        "192.168.0.7:8501",
        "",
        "[",
        "127.0.0.1@evil.com",
    ],
)
def test_no_other_name_may(host: str) -> None:
    assert client().get("/", headers={"Host": host}).status_code == 403
    assert client(hosts=None).get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://127.0.0.1.evil.example",
        "null",
        "http://127.0.0.1:9999",
        "file://",
        "",
        "[",
        "http://[",
    ],
)
def test_no_page_of_another_site_may(origin: str) -> None:
    assert client().post("/", headers={"Origin": origin}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        client().websocket_connect("/stream", headers={"Origin": origin}),
    ):
        pass


def test_a_websocket_of_its_own_page_opens_and_so_does_one_of_a_listed_origin() -> None:
    headers = {"Host": "127.0.0.1:8501", "Origin": HOME}
    with client().websocket_connect("/stream", headers=headers) as socket:
        assert socket.receive_text() == "open"
    listed = client(origins=["https://lab.example"])
    assert listed.post("/", headers={"Origin": "https://lab.example"}).status_code == 200


def test_html_alone_carries_the_policy() -> None:
    guarded = client(policy=web.PAGE_POLICY)
    assert guarded.get("/").headers["content-security-policy"] == web.PAGE_POLICY
    assert "content-security-policy" not in guarded.get("/text").headers
    assert "content-security-policy" not in client().get("/").headers


OPEN = re.compile(r"/|/text")  # what a machine of the network may ask for


def of_network(client_address: str = "192.168.1.20", **options: object) -> TestClient:
    routes = [
        Route("/", lambda _: HTMLResponse("<p>page"), methods=["GET", "POST", "PUT"]),
        Route("/text", lambda _: PlainTextResponse("text")),
        Route("/private", lambda _: PlainTextResponse("private")),
        WebSocketRoute("/stream", echo),
        WebSocketRoute("/text", echo),
    ]
    guard = web.Guard(Starlette(routes=routes), network=OPEN, **options)  # type: ignore[arg-type]
    return TestClient(guard, base_url="http://192.168.1.7:8501", client=(client_address, 5_000))


@pytest.mark.parametrize(
    "address", ["192.168.1.20", "8.8.8.8", "fe80::1", "::ffff:192.168.1.20", "testclient", ""]
)
def test_another_machine_gets_the_open_paths_and_nothing_else(address: str) -> None:
    visitor = of_network(address)
    assert visitor.get("/").status_code == visitor.get("/text").status_code == 200
    assert visitor.post("/", headers={"Origin": "http://192.168.1.7:8501"}).status_code == 200
    assert visitor.get("/private").status_code == visitor.put("/").status_code == 403
    for path in ("/stream", "/text"):
        with pytest.raises(WebSocketDisconnect), visitor.websocket_connect(path):
            pass


def test_another_machine_comes_by_an_address_and_from_no_other_site() -> None:
    visitor = of_network()
    assert visitor.get("/", headers={"Host": "evil.example:8501"}).status_code == 403
    assert visitor.get("/", headers={"Host": ""}).status_code == 403
    assert visitor.post("/", headers={"Origin": "http://evil.example"}).status_code == 403


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_gets_all_under_its_own_names_alone(address: str) -> None:
    own = {"Host": "127.0.0.1:8501"}
    assert of_network(address).get("/private", headers=own).status_code == 200
    assert of_network(address).get("/private").status_code == 403  # by a name of the network


def test_a_page_that_brings_a_policy_keeps_it() -> None:
    strict = {"Content-Security-Policy": "default-src 'none'"}
    app = Starlette(routes=[Route("/", lambda _: HTMLResponse("", headers=strict))])
    answer = TestClient(web.Guard(app, policy=web.PAGE_POLICY), base_url=HOME).get("/")
    assert answer.headers.get_list("content-security-policy") == ["default-src 'none'"]


@pytest.fixture
def shared() -> TestClient:
    def cookie(_: object) -> PlainTextResponse:
        answer = PlainTextResponse("text")
        answer.set_cookie("name", "value")
        return answer

    async def answered(scope: web.Scope, receive: web.Receive, send: web.Send) -> None:
        await cookie(None)(scope, receive, send)  # type: ignore[arg-type]

    return TestClient(web.Front(answered), base_url=HOME)  # type: ignore[arg-type]


@pytest.mark.parametrize("prefix", ["", "/class/a"])
def test_a_shared_server_answers_what_a_page_needs(shared: TestClient, prefix: str) -> None:
    for name in ("metrics", "agent/interact", "agent/openapi.json", "script-health-check", ""):
        for path in (f"/_stcore/{name}", f"/_stcore//{name}", f"/%5Fstcore/{name}"):
            assert shared.get(prefix + path).status_code == 404, path
    for path in ("/", "/formats", "/_stcore/health", "/_stcore/upload_file/a/b", "/static/a.js"):
        assert shared.get(prefix + path).status_code == 200, path


def test_a_cookie_of_an_encrypted_page_stays_encrypted(shared: TestClient) -> None:
    assert "secure" not in shared.get("/").headers["set-cookie"].lower()
    assert shared.get(f"https{HOME[4:]}/").headers["set-cookie"].endswith("; Secure")
