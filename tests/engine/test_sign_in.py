"""Who may enter a server that asks for a sign-in, which settings it starts with, and its door."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from engine import sign_in

HOME = "http://class.example:8501"
AUTH = {
    "redirect_uri": "https://class.example/lab/oauth2callback",
    "cookie_secret": "s" * 32,
    "client_id": "playground",
    "client_secret": "c1ient",
    "server_metadata_url": "https://id.example/.well-known/openid-configuration",
}


def person(**claims: Any) -> dict[str, Any]:
    return {"is_logged_in": True, "iat": time.time(), "email": "ada@example.org", **claims}


@pytest.mark.parametrize(
    ("changes", "base", "word"),
    [
        ({}, "/lab", ""),
        ({"client_secret": ""}, "/lab", "Missing: client_secret"),
        ({"cookie_secret": "s" * 31}, "/lab", "32"),
        ({}, "", "redirect_uri"),
        ({"redirect_uri": "https://class.example/lab"}, "/lab", "redirect_uri"),
    ],
)
def test_settings_are_whole_or_the_server_does_not_start(
    changes: dict[str, str], base: str, word: str
) -> None:
    problem = sign_in.start_problem({**AUTH, **changes}, base)
    assert word in problem and bool(word) == bool(problem)
    assert AUTH["client_secret"] not in problem


def test_a_list_of_people_without_a_sign_in_lets_no_server_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert sign_in.start_problem({}, "") == ""
    monkeypatch.setenv(sign_in.ALLOWED, "example.org")
    assert sign_in.ALLOWED in sign_in.start_problem({}, "")


@pytest.mark.parametrize(
    ("claims", "listed", "may"),
    [
        ({}, "", True),
        ({}, " , ", True),
        ({"email": None}, "", True),
        ({}, "example.org", True),
        ({"email": "Ada@EXAMPLE.org"}, "@Example.ORG", True),
        ({}, "bob@example.net, ada@example.org", True),
        ({"email_verified": True}, "example.org", True),
        ({"email_verified": False}, "example.org", False),
        ({"email_verified": "false"}, "example.org", False),
        ({}, "example.net", False),
        ({"email": "ada@sub.example.org"}, "example.org", False),
        ({"email": "ada@badexample.org"}, "example.org", False),
        ({"email": "example.org"}, "example.org", False),
        ({"email": "@example.org"}, "example.org", False),
        ({"email": None}, "example.org", False),
        ({"is_logged_in": False}, "", False),
        ({"iat": None}, "", False),
        ({"iat": time.time() - sign_in.LASTS_SECONDS - 1}, "", False),
    ],
)
def test_who_may_enter(
    claims: dict[str, Any], listed: str, may: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(sign_in.ALLOWED, listed)
    assert sign_in.may_enter(person(**claims)) == may
    assert not sign_in.may_enter({})


def door(base: str = "") -> TestClient:
    """A server behind the door; the cookie ``known`` is a sign-in."""

    async def callback(request: Request) -> Response:
        answer = RedirectResponse(f"{base}/", 302)
        if "code" in request.query_params:
            answer.set_cookie("_streamlit_user", "signed", path=base or "/")
        else:
            answer.delete_cookie("_streamlit_user")
        return answer

    async def login(_: Request) -> Response:
        return RedirectResponse("https://id.example/authorize", 302)

    async def anything(_: Request) -> Response:
        return PlainTextResponse("given")

    def of(cookies: Mapping[str, str]) -> dict[str, Any]:
        return person() if "known" in cookies else {}

    routes = [
        Route(f"{base}/auth/login", login),
        Route(f"{base}{sign_in.CALLBACK}", callback),
        Route("/{path:path}", anything, methods=["GET", "PUT"]),
    ]
    own = [Route("/vote/{code}", anything)]
    inner = sign_in.Door(Starlette(routes=routes), base, own, of)  # type: ignore[arg-type]
    return TestClient(inner, base_url=HOME, follow_redirects=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("base", ["", "/class", "/media"])
def test_what_pages_made_is_for_those_who_may_enter(base: str) -> None:
    made = [
        *("/media/a.png", "/media//a.png", "/component/a/b.html", "/_stcore/upload_file/a/b"),
        *("/_stcore//upload_file/a/b", "/_stcore/bidi-components/a", "/_stcore/streams"),
    ]
    given = ["/", "/formats", "/static/a.js", "/_stcore/health", "/_stcore/stream", "/mediation"]
    closed = [f"{base}{path}" for path in made] + ["/vote/ABCDE"]
    stranger, known = door(base), door(base)
    known.cookies.set("known", "yes")
    for path in closed:
        assert stranger.get(path).status_code == stranger.put(path).status_code == 401, path
        assert known.get(path).text == "given", path
    for path in given:
        assert stranger.get(f"{base}{path}").text == "given", path


def landing(page: str, base: str, query: str = "?code=1", host: str = HOME) -> str:
    """Return where a browser lands that signs in from ``page`` of ``host``."""
    client = door(base)
    client.get(f"{base}/auth/login", headers={"Referer": f"{host}{page}"})
    return client.get(f"{base}{sign_in.CALLBACK}{query}").headers["location"]


@pytest.mark.parametrize("base", ["", "/class"])
def test_who_signs_in_lands_on_the_page_that_asked(base: str) -> None:
    for page in ("/formats?formats_tab=Anatomy&a=b%20c", "/etl", ""):
        assert landing(f"{base}{page}", base) == (f"{base}{page}" or "/")
    home = f"{base}/"
    assert landing(f"{base}/etl", base, query="?error=denied") == home
    assert landing(f"{base}/etl", base, host="http://evil.example") == home
    assert landing(f"{base}/etl?text={'a' * 4_000}", base) == home


@pytest.mark.parametrize(
    "page",
    ["//evil.example/a", "/\\evil.example", "https://evil.example", "/other", "/class\r\nA: b", ""],
)
def test_a_page_that_was_not_noted_here_is_not_gone_to(page: str) -> None:
    client = door("/class")
    client.cookies.set(sign_in.RETURN_COOKIE, sign_in.quote(page, safe=""))
    answer = client.get(f"/class{sign_in.CALLBACK}?code=1")
    assert answer.headers["location"] == "/class/"


def test_the_note_is_for_one_sign_in() -> None:
    client = door()
    noted = client.get("/auth/login", headers={"Referer": f"{HOME}/etl"}).headers["set-cookie"]
    assert "HttpOnly" in noted and "SameSite=Lax" in noted
    client.get(f"{sign_in.CALLBACK}?code=1")
    assert sign_in.RETURN_COOKIE not in client.cookies
