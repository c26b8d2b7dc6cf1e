"""A real server that the network reaches, with an open room: for the room's tests and its bench."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from engine.rooms import network
from tests.browser.serve import serve
from tests.browser.test_outside import is_foreign

# The server takes a caller on loopback for a proxy: this is how another machine is seen by it.
ELSEWHERE = {"X-Forwarded-For": "192.168.1.20"}


@dataclass
class Opened:
    """A server with one open room, and the windows of its stage and its speaker."""

    address: str
    code: str
    stage: Page
    speaker: Page
    token: str

    def ask(
        self, path: str, headers: dict[str, str], form: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], str]:
        """Return status, headers and text of one request."""
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=60)
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        connection.request(
            "POST" if form else "GET", path, urlencode(form or {}), {**headers, **kind}
        )
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, dict(answer.getheaders()), text

    def phone(self, number: int) -> list[int]:
        """Open the page of the vote as a phone and vote, each fourth phone twice; return the
        status of each vote.
        """
        path = f"/vote/{self.code}"
        status, headers, page = self.ask(path, ELSEWHERE)
        assert status == 200 and len(page) < 6_000
        cookie = {"Cookie": headers["set-cookie"].partition(";")[0]}
        vote = re.findall('name="vote" value="(.*?)"', page)[0]
        form = {"vote": vote, "choice": str(number % 5)}
        presses = [form] * (2 if number % 4 == 0 else 1)
        answers = [self.ask(path, {**ELSEWHERE, **cookie}, one)[0] for one in presses]
        self.ask(f"{path}/state", ELSEWHERE)
        return answers


@contextmanager
def talk_server(workspace: Path, script: str = "app.py") -> Iterator[str]:
    """Run the playground as ``make talk`` does; yield its address on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(network.SWITCH, "auto")
        with serve(script, workspace, "--server.address=0.0.0.0") as address:
            yield address


@contextmanager
def room(browser: Browser, address: str) -> Iterator[Opened]:
    """Present the tour in a room, with the speaker's screen in a window of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    called: list[str] = []
    context.route(_is_beyond, lambda route: (called.append(route.request.url), route.abort()))
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)  # as ``page`` of conftest has it
    stage = context.new_page()
    stage.goto(f"{address}/talks")
    stage.get_by_role("button", name="Room").click()
    stage.get_by_role("button", name="Open a room").click()
    with context.expect_page() as popup:
        stage.get_by_role("link", name="Speaker's screen").click()
    link = stage.get_by_role("link", name="Speaker's screen").get_attribute("href") or ""
    stage.get_by_role("button", name="Present in this window").click()
    expect(stage.locator(".talk-title")).to_contain_text("1 of 6")
    expect(stage.locator(".chart.first .main-svg").first).to_be_visible()
    code = popup.value.url.rpartition("/")[2]
    yield Opened(address, code, stage, popup.value, link.partition("token=")[2])
    context.close()
    assert called == [], "nothing leaves this machine and its network"


def _is_beyond(url: str) -> bool:
    return is_foreign(url) and urlsplit(url).hostname not in network._addresses()
