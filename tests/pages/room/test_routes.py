"""The routes of a room: the page of a vote, the speaker's screen, who gets which."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine import web
from engine.rooms import network
from engine.rooms.limits import RateLimit
from engine.rooms.registry import ROOMS
from engine.rooms.room import Card, Room
from engine.rooms.vote import Question
from pages.room import requests
from pages.room.routes import ROUTES
from pages.shell import lessons

HOSTILE = "</h1><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;"
ASKED = Question(f"Which? {HOSTILE}", (f"a {HOSTILE}"[:100], "b", "c"))
CARDS = (Card("One", "A note."), Card(f"Two {HOSTILE}", HOSTILE, 2, ASKED), Card("Three"))
PHONE = "192.168.1.20"
ADDRESS = "http://192.168.1.7:8501"


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setenv(network.SWITCH, "auto")
    monkeypatch.setattr(network, "_addresses", lambda: ["192.168.1.7"])
    opened = ROOMS.open(CARDS)
    opened.go(1)
    yield opened
    ROOMS.close(opened.code)


def visitor(address: str = PHONE, base: str = ADDRESS) -> TestClient:
    app = web.Guard(Starlette(routes=ROUTES), network=network.PATHS, policy=web.PAGE_POLICY)
    return TestClient(app, base_url=base, client=(address, 5_000))  # type: ignore[arg-type]


def here() -> TestClient:
    return visitor("127.0.0.1", "http://127.0.0.1:8501")


class Tags(HTMLParser):
    """Every tag with its attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def vote(phone: TestClient, room: Room, choice: int | str = 0, **fields: str):
    count = room.view().vote
    assert count is not None
    form = {"vote": count.id, "choice": str(choice), **fields}
    return phone.post(f"/vote/{room.code}", data=form, follow_redirects=False)


def test_a_phone_gets_a_small_page_of_its_own_votes_once_and_is_shown_its_vote(room: Room) -> None:
    phone = visitor()
    page = phone.get(f"/vote/{room.code.lower()}")
    assert len(page.content) < 6_000
    cookie = page.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert vote(phone, room, 1).status_code == 303
    assert vote(phone, room, 2).status_code == 303  # sent twice, or changed: the first counts
    after = phone.get(f"/vote/{room.code}").text
    assert "Your vote: <b>b</b>" in after and "<button" not in after
    count = room.view().vote
    assert count is not None and count.counts == (0, 1, 0)
    state = phone.get(f"/vote/{room.code}/state").text
    assert f'data-mark="{state}"' in after
    room.set_stage("closed")
    assert phone.get(f"/vote/{room.code}/state").text != state
    assert "closed" in phone.get(f"/vote/{room.code}").text


def test_what_a_talk_says_is_text_on_the_page(room: Room) -> None:
    page = Tags(visitor().get(f"/vote/{room.code}").text)
    assert ASKED.text in page.text and ASKED.choices[0] in page.text
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not [tag for tag, _ in page.tags if tag in ("img", "a", "link", "iframe")]
    events = [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    addresses = [attributes.get(name) for _, attributes in page.tags for name in ("src", "href")]
    assert events == [] and set(addresses) == {None}


def test_the_pages_load_nothing_and_run_their_own_script_alone(room: Room) -> None:
    speaker = here().get(f"/speaker/{room.code}?token={room.token}")
    for page in (visitor().get(f"/vote/{room.code}"), speaker):
        (policy,) = page.headers.get_list("content-security-policy")
        assert "unsafe" not in policy and "default-src 'none'" in policy
        for tag in ("script", "style"):
            (code,) = re.findall(f"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
            assert f"{tag}-src {requests._hash(code)}" in policy
        assert "http" not in page.text.replace("http-equiv", "")
        assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("choice", "status"), [("3", 400), ("-1", 400), ("", 400), ("٣", 400), ("1e3", 400)]
)
def test_a_choice_that_is_none_is_refused(room: Room, choice: str, status: int) -> None:
    phone = visitor()
    phone.get(f"/vote/{room.code}")
    assert vote(phone, room, choice).status_code == status
    count = room.view().vote
    assert count is not None and count.n == 0


def test_what_comes_too_late_too_large_too_often_or_without_a_name_counts_nothing(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vote(visitor(), room).status_code == 400  # has not opened the page
    phone = visitor()
    phone.get(f"/vote/{room.code}")
    assert vote(phone, room, more="x" * 3_000).status_code == 400
    assert vote(phone, room, **{f"f{i}": "x" for i in range(20)}).status_code == 400
    other = phone.post(f"/vote/{room.code}", content=b"\xff\xfe", follow_redirects=False)
    assert other.status_code == 400
    monkeypatch.setattr(requests, "FORMS", RateLimit(per_second=0, burst=1))
    assert [vote(phone, room, "9").status_code for _ in range(2)] == [400, 429]
    monkeypatch.setattr(requests, "FORMS", RateLimit(per_second=0, burst=1))
    room.set_stage("closed")
    late = vote(phone, room)
    assert late.status_code == 409 and "not counted" in late.text
    count = room.view().vote
    assert count is not None and count.n == 0
    monkeypatch.setattr(requests, "ASKS", RateLimit(per_second=0, burst=0))
    paths = [f"/vote/{room.code}", f"/vote/{room.code}/state"]
    assert [phone.get(path).status_code for path in paths] == [429, 429]


def test_a_room_that_is_not_there_is_no_page() -> None:
    for path in ("/vote/ZZZZZ", "/vote/ZZZZZ/state", "/speaker/ZZZZZ"):
        assert here().get(path).status_code in (403, 404)
    assert here().post("/vote/ZZZZZ", data={}).status_code == 404


def test_routes_answer_every_method_themselves(room: Room) -> None:
    for method in ("PUT", "DELETE", "PATCH", "TRACE"):
        assert here().request(method, f"/vote/{room.code}").status_code == 405
    assert here().post(f"/vote/{room.code}/state").status_code == 405


def test_notes_go_to_the_speaker_alone_and_the_link_gives_its_token_away_once(room: Room) -> None:
    room.go(0)
    for token in ("", "?token=", f"?token={room.code}", f"?token={room.token[:-1]}"):
        assert here().get(f"/speaker/{room.code}{token}").status_code == 403
        assert here().get(f"/speaker/{room.code}/state{token}").status_code == 403
    assert "A note." not in visitor().get(f"/vote/{room.code}").text
    speaker = here()
    page = speaker.get(f"/speaker/{room.code}?token={room.token}")
    assert page.url.query == b"" and room.token not in page.text
    state = speaker.get(f"/speaker/{room.code}/state").json()
    assert (state["note"], state["place"], state["vote"]) == ("A note.", "1 of 3", None)
    assert state["next"] == CARDS[1].title


def test_the_speaker_moves_the_talk_counts_hands_and_sees_no_histogram_while_a_vote_is_open(
    room: Room,
) -> None:
    speaker, path = here(), f"/speaker/{room.code}"
    speaker.get(f"{path}?token={room.token}")

    def press(**fields: str):
        return speaker.post(path, data=fields).json()

    state = press(do="tally", hands_0="5", hands_1="", hands_2="2")
    assert (state["vote"]["hands"], state["vote"]["counts"]) == ([5, 0, 2], None)
    state = press(do="advance", seen=str(state["version"]))
    assert (state["vote"]["stage"], state["vote"]["counts"]) == ("closed", [5, 0, 2])
    assert press(do="advance", seen="0")["vote"]["stage"] == "closed"  # of an older screen
    assert press(do="stage", stage="revealed")["advance"] == "Show the chart"
    assert press(do="stage", stage="open")["vote"]["hands"] == [0, 0, 0]
    assert press(do="blank", on="yes")["advance"] == "Show the scene"
    assert press(do="blank", on="no")["blank"] is False
    assert press(do="back")["place"] == "1 of 3"
    assert press(do="timer")["elapsed"] < 60
    for wrong in ({"do": "x"}, {"do": "stage", "stage": "x"}, {"do": "advance", "seen": "x"}, {}):
        assert speaker.post(path, data=wrong).status_code == 400


def test_a_phone_is_the_speakers_screen_only_while_it_is_lent(room: Room) -> None:
    path, token = f"/speaker/{room.code}", f"?token={room.token}"
    assert visitor().get(path + token).status_code == 403
    computer = here()
    computer.get(path + token)
    assert computer.get(f"{path}/remote").status_code == 403
    computer.post(path, data={"do": "lend", "on": "yes"})
    assert computer.get(f"{path}/remote").headers["content-type"] == "image/svg+xml"
    phone = visitor()
    assert phone.get(path).status_code == 403
    assert phone.get(path + token).status_code == 200
    assert phone.get(f"{path}/state").json()["remote"]["can"] is False
    computer.post(path, data={"do": "lend", "on": "no"})
    assert phone.get(f"{path}/state").status_code == 403


def test_another_sites_page_presses_nothing(room: Room) -> None:
    speaker, path = here(), f"/speaker/{room.code}"
    speaker.get(f"{path}?token={room.token}")
    foreign = {"Origin": "http://evil.example"}
    assert speaker.post(path, data={"do": "back"}, headers=foreign).status_code == 403
    assert room.view().number == 1


def test_every_prediction_of_the_lessons_is_a_question_and_its_parts_cover_the_range() -> None:
    from pages.room import questions

    for topic in lessons.topics():
        for prediction in lessons.load(topic).predictions:
            asked = questions.question(prediction)
            if prediction.range is None:
                continue
            low, high = prediction.range
            for step in range(101):
                value = low + (high - low) * step / 100
                found, _ = questions.right(prediction, value)
                assert found is not None and 0 <= found < len(asked.choices)
            ends = [questions.right(prediction, v)[0] for v in (low, high)]
            assert ends == [0, len(asked.choices) - 1]
            beyond = questions.right(prediction, 2 * high - low)
            assert beyond[0] is None
