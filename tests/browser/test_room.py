"""A talk's room on a real server that the network reaches: who gets what, 200 phones, and a stage
and a speaker that keep in step.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from engine.rooms import network
from pages.shell.chart import LIBRARY
from pages.talk.talk import shipped
from tests.browser.conftest import take_kept_results
from tests.browser.room import ELSEWHERE, Opened, room, talk_server

TOUR = shipped()["tour"]
N_PHONES = 200
CLAIMS: tuple[dict[str, str], ...] = (  # of a phone that says it is this machine
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-For": "127.0.0.1, 127.0.0.1", "X-Real-IP": "127.0.0.1"},
    {"Forwarded": "for=127.0.0.1", "Host": "127.0.0.1"},
)


@pytest.fixture(scope="module")
def opened(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    workspace = tmp_path_factory.mktemp("talk")
    kept = workspace / "server" / "kept"
    kept.mkdir(mode=0o700, parents=True)
    take_kept_results(kept)
    with (
        talk_server(workspace, "tests/browser/room_app.py") as address,
        room(browser, address) as found,
    ):
        yield found


def test_stage_and_speaker_keep_in_step_and_survive_a_reload_of_either(opened: Opened) -> None:
    stage, speaker = opened.stage, opened.speaker
    title, place = stage.locator(".talk-title"), speaker.locator("#place")
    expect(place).to_have_text("1 of 6")
    expect(speaker.locator("#note")).to_have_text(TOUR.scenes[0].shown_note)
    expect(speaker.locator("#after")).to_contain_text(TOUR.scenes[1].shown_title)
    assert opened.token not in speaker.url

    speaker.locator("#advance").click()
    expect(title).to_contain_text("2 of 6")
    expect(stage.locator(".room-count")).to_have_text("0 voted")
    expect(stage.locator("[data-does=next]")).to_have_text("Close the vote")
    speaker.reload()
    expect(place).to_have_text("2 of 6")
    phone = speaker.context.new_page()
    phone.goto(way_to_vote(opened))
    phone.get_by_role("button").first.click()
    expect(phone.get_by_text("Counted.")).to_be_visible()
    speaker.locator("[name=hands_0]").fill("2")
    speaker.get_by_role("button", name="Set hands").click()
    expect(stage.locator(".room-count")).to_have_text("3 voted")
    expect(speaker.locator("#rows b").first).to_have_text("")  # no histogram while it is open

    stage.keyboard.press("PageDown")
    expect(stage.locator(".st-key-room_share .main-svg").first).to_be_visible()
    expect(speaker.locator("#rows b").first).to_have_text("3")
    stage.reload()
    expect(stage.locator(".st-key-room_share .main-svg").first).to_be_visible()
    speaker.get_by_role("button", name="Reveal").first.click()
    expect(stage.locator(".st-key-room_answer .main-svg").first).to_be_visible()
    expect(stage.locator(".st-key-room_answer .chart-title")).to_contain_text(
        "of the room is right"
    )
    speaker.keyboard.press("b")
    expect(stage.locator(".talk-black")).to_be_visible()
    speaker.keyboard.press("PageDown")  # a black stage comes back first
    expect(stage.locator(".talk-black")).to_be_hidden()
    speaker.locator("#advance").click()
    expect(stage.locator(".st-key-room_answer")).to_have_count(0)
    expect(stage.locator(".chart.first .main-svg").first).to_be_visible()
    expect(phone.get_by_text("The vote is closed.")).to_be_visible()  # it comes by itself
    phone.close()
    assert not [scene for scene in TOUR.scenes if scene.shown_note in stage.content()]


def way_to_vote(opened: Opened) -> str:
    """Return the address that the stage shows to the hall; a machine in no network shows none."""
    shown = opened.stage.locator(".room-address").inner_text()
    own = f"{opened.address}/vote/{opened.code}"
    return f"http://{shown}" if network._addresses() else own


def test_another_machine_gets_the_vote_and_nothing_else(opened: Opened) -> None:
    vote = f"/vote/{opened.code}"
    shut = [
        *("/", "/talks", "/stage", "/formats", "/practice", "/index.html", "/vote/", "/vote"),
        *("/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/_stcore/stream"),
        *("/media/a.png", "/component/a/b.js", "/static/a", "/app/static/a", LIBRARY),
        f"/_stcore/upload_file/a/{opened.code}",
        f"{vote}/../../talks",
        f"{vote}%2F..%2F..%2Ftalks",
        f"/speaker/{opened.code}?token={opened.token}",
        f"/speaker/{opened.code}/state?token={opened.token}",
        f"/speaker/{opened.code}/remote?token={opened.token}",
    ]
    own = {"Host": urlsplit(opened.address).netloc}
    for address in [None, *network._addresses()[:1]]:  # the real way too, where there is one
        there = opened
        headers = {**ELSEWHERE, **own}
        if address:
            port = urlsplit(opened.address).port
            there = Opened(
                f"http://{address}:{port}", opened.code, opened.stage, opened.speaker, ""
            )
            headers = {}
        assert there.ask(vote, headers)[0] == 200
        assert {path: there.ask(path, headers)[0] for path in shut} == dict.fromkeys(shut, 403)
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        assert there.ask("/_stcore/stream", {**headers, **upgrade, **key})[0] == 403
        if address:  # who is no proxy of this machine cannot speak for another
            for claim in CLAIMS:
                assert {path: there.ask(path, claim)[0] for path in shut} == (
                    dict.fromkeys(shut, 403)
                )
    assert opened.ask("/_stcore/health", own)[0] == 200
    assert opened.ask("/_stcore/health", {"Host": "evil.example"})[0] == 403


def test_200_phones_vote_none_is_lost_and_none_counts_twice(opened: Opened) -> None:
    speaker, path = opened.speaker, f"/vote/{opened.code}"
    speaker.get_by_role("button", name="Vote again").click()
    expect(speaker.locator("#count")).to_have_text("Vote open · phones 0 · hands 0")

    with ThreadPoolExecutor(25) as hall:
        answers = list(hall.map(opened.phone, range(N_PHONES)))
    assert {status for statuses in answers for status in statuses} == {303}
    expect(speaker.locator("#count")).to_have_text(f"Vote open · phones {N_PHONES} · hands 0")
    speaker.get_by_role("button", name="Close", exact=True).click()
    expect(speaker.locator("#rows b")).to_have_text([str(N_PHONES // 5)] * 5)
    assert phone_is_late(opened, path)
    expect(speaker.locator("#rows b")).to_have_text([str(N_PHONES // 5)] * 5)


def phone_is_late(opened: Opened, path: str) -> bool:
    """Whether a phone that votes after the end is told so."""
    _, headers, _ = opened.ask(path, ELSEWHERE)
    cookie = {"Cookie": headers["set-cookie"].partition(";")[0]}
    state = opened.ask(f"{path}/state", ELSEWHERE)[2]
    form = {"vote": state.partition(" ")[0], "choice": "1"}
    return opened.ask(path, {**ELSEWHERE, **cookie}, form)[0] == 409
