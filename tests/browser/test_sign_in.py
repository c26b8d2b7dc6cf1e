"""A shared server that asks for a sign-in, against a real provider: nobody else gets a page or what
pages made, and no secret of the operator is sent or logged.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from engine import sign_in
from pages.shell import chart
from tests import deployment
from tests.bench import load
from tests.bench.sessions import PAGES, Visitor, run
from tests.browser import oidc
from tests.browser.serve import launch

KEY = "k3y-of-the-operator"
BASE = "class"
DEEP = "formats?formats_tab=Anatomy&anatomy_seed=7"
LIBRARY = f"/{BASE}{chart.LIBRARY}"
CONTENT = (  # what is for those who may enter, beside the pages
    ("GET", f"/{BASE}/media/0.png"),
    ("GET", f"/{BASE}/component/name/index.html"),
    ("GET", f"/{BASE}/_stcore/bidi-components/name/index.js"),
    ("PUT", f"/{BASE}/_stcore/upload_file/session/file"),
    ("GET", LIBRARY),
    ("GET", "/vote/ABCDE"),
    ("POST", "/speaker/ABCDE"),
)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address and the workspace of a server that lets in people of example.org."""
    folder, workspace = tmp_path_factory.mktemp("operator"), tmp_path_factory.mktemp("closed")
    callback = f"http://127.0.0.1:{{port}}/{BASE}/oauth2callback"
    with oidc.provider(folder) as provider, pytest.MonkeyPatch.context() as patch:
        secrets = oidc.secrets_file(folder, provider, callback, KEY)
        settings = {
            **deployment.environment(),
            **load.HOSTED,
            "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
            "STREAMLIT_SECRETS_FILES": str(secrets),
            sign_in.ALLOWED: "example.org, bob@example.net",
        }
        for name, value in settings.items():
            patch.setenv(name, value)
        with launch("app.py", workspace, base=BASE) as (address, _):
            yield address, workspace
    assert KEY not in (workspace / "server.log").read_text(encoding="utf-8")


def origin(address: str) -> str:
    return address.removesuffix(f"/{BASE}")


def cookie(address: str, secret: str = oidc.cookie_secret(KEY), **claims: Any) -> str:
    """Return the cookie of somebody who signed in just now, but for ``claims``."""
    known = {"is_logged_in": True, "origin": origin(address), "provider": "default", "sub": "ada"}
    known |= {"email": "ada@example.org", "iat": int(time.time()), **claims}
    return create_signed_value(secret, "_streamlit_user", json.dumps(known)).decode()


class Known(Visitor):
    """A visitor with a cookie, which it sends as a browser does."""

    def __init__(self, address: str, user: str) -> None:
        super().__init__(address, 1)
        self.user = user

    async def _greeting(self) -> dict[str, Any]:
        async with httpx.AsyncClient() as client:
            token = (await client.get(f"{self.address}/_stcore/health")).cookies["_streamlit_xsrf"]
        cookies = {"Cookie": f"_streamlit_xsrf={token}; _streamlit_user={self.user}"}
        greeting = {"subprotocols": ["streamlit", token], "additional_headers": cookies}
        return {**greeting, "origin": origin(self.address)}


def test_a_stranger_gets_the_sign_in_and_nothing_else(closed: tuple[str, Path]) -> None:
    address, workspace = closed

    async def look() -> None:
        async with Visitor(address, 1) as stranger:
            for page in (*PAGES, "talks", "stage"):
                await stranger.open(page)
                assert stranger.texts == [stranger.texts[0]] and "Sign in" in stranger.texts[0]
                assert [widget.kind for widget in stranger.widgets.values()] == ["button"]
            assert stranger.problems == []

    run(look())
    assert not list(workspace.glob("sessions/*"))
    with httpx.Client(base_url=origin(address)) as client:
        for method, path in CONTENT:
            assert client.request(method, path).status_code == 401, path
        assert client.get(f"/{BASE}/_stcore/health").status_code == 200
        encrypted = {"X-Forwarded-Proto": "https", "Referer": f"{address}/etl"}
        answer = client.get(f"/{BASE}/auth/login", headers=encrypted)
        cookies = answer.headers.get_list("set-cookie")
        assert cookies and all(one.endswith("; Secure") for one in cookies)


def test_a_cookie_lets_in_whom_this_server_signed_in_lately_and_lists(
    closed: tuple[str, Path],
) -> None:
    address, _ = closed

    async def enters(user: str) -> bool:
        async with Known(address, user) as visitor:
            await visitor.open("glossary")
            return len(visitor.texts) > 1 and visitor.problems == []

    def is_given(user: str) -> bool:
        headers = {"Cookie": f"_streamlit_user={user}"}
        return httpx.get(f"{origin(address)}{LIBRARY}", headers=headers).status_code == 200

    late = int(time.time()) - sign_in.LASTS_SECONDS - 60
    for user, may in {
        cookie(address): True,
        cookie(address, email="Bob@Example.net"): True,
        cookie(address, email="eve@example.net"): False,
        cookie(address, email="ada@example.org", email_verified=False): False,
        cookie(address, iat=late): False,
        cookie(address, secret="another" * 8): False,
        cookie(address, is_logged_in=False): False,
        cookie(address)[:-1]: False,
    }.items():
        assert (run(enters(user)), is_given(user)) == (may, may), user


class Heard:
    """What a browser is sent: frames of its websockets, addresses and headers."""

    def __init__(self, page: Page) -> None:
        self.parts: list[bytes] = []
        page.on("websocket", lambda socket: socket.on("framereceived", self._frame))
        page.on("response", lambda answer: self._note(f"{answer.url} {answer.headers}"))

    def _frame(self, payload: str | bytes) -> None:
        self.parts.append(payload if isinstance(payload, bytes) else payload.encode())

    def _note(self, text: str) -> None:
        self.parts.append(text.encode())


def test_signing_in_leads_to_the_page_that_the_link_named_and_signing_out_back(
    closed: tuple[str, Path], page: Page
) -> None:
    address, heard = closed[0], Heard(page)
    page.goto(f"{address}/{DEEP}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="ada").click()
    expect(page.locator(".main-svg").first).to_be_visible()
    assert page.url == f"{address}/{DEEP}"
    kept = {one["name"]: one for one in page.context.cookies()}
    assert sign_in.RETURN_COOKIE not in kept
    user = kept["_streamlit_user"]
    assert user["httpOnly"] and user["sameSite"] == "Lax" and user["path"] == f"/{BASE}"
    assert page.request.get(f"{origin(address)}{LIBRARY}").ok
    expect(page.get_by_text("Signed in as Ada Lovelace")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()  # the provider's own page
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto(f"{address}/{DEEP}")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.locator(".main-svg").count() == 0
    assert page.request.get(f"{origin(address)}{LIBRARY}").status == 401
    assert len(heard.parts) > 50 and not any(KEY.encode() in part for part in heard.parts)


def test_who_is_not_listed_is_told_so_and_can_change_the_account(
    closed: tuple[str, Path], page: Page
) -> None:
    page.goto(f"{closed[0]}/glossary")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="eve").click()
    expect(page.get_by_text("may not enter this server")).to_be_visible()
    assert page.get_by_role("heading").count() == 1
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
