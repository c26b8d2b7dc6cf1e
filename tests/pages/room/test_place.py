"""A talk in a room on the stage page: the vote, its histogram, the run's answer against it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from engine import figures
from engine.rooms.registry import ROOMS
from pages.room.place import InRoom, cards
from pages.talk import presented
from pages.talk.talk import shipped
from tests.pages.visit import charts, open_page, settle, texts

TOUR = shipped()["tour"]  # its second scene asks how many row groups are read


def draw(app: AppTest) -> list[str]:
    return [chart["key"] for chart in charts(settle(app.run()))]


def test_the_stage_asks_shows_the_votes_once_closed_and_the_run_against_them() -> None:
    room = ROOMS.open(cards(TOUR))
    shown = presented.start(TOUR, InRoom(room))
    app = open_page("stage", at=shown.code)
    assert [chart["key"] for chart in charts(app)] == ["bytes_read_strip"]
    assert shown.place.view().phases[:2] == ((0, 1), (0, 4))

    room.advance()
    phones = [room.new_voter() for _ in range(4)]
    vote = room.view().vote
    assert vote is not None
    for phone, choice in zip(phones, (4, 4, 4, 0), strict=True):
        room.cast(vote.id, phone, choice)
    assert draw(app) == []
    page = " ".join(one.proto.body for one in app.get("html"))
    assert "4 voted" in page and vote.question.text[:30] in page
    assert vote.question.choices[4] in page and "Raise your hand" in page  # no phones here

    room.advance()
    assert draw(app) == ["room_share"]

    room.advance()
    assert "room_answer" in draw(app)
    (answer,) = (chart for chart in charts(app) if chart["key"] == "room_answer")
    bars = answer["data"][0]
    assert bars["x"] == [0.25, 0, 0, 0, 0.75]
    assert bars["marker"]["color"] == [figures.WAITING] * 4 + [figures.HELD_OUT]  # all 20 are read
    assert "75%" in answer["title"]

    room.advance()
    assert "room_answer" not in draw(app) and draw(app) != []
    for card in room.cards:
        assert card.note not in texts(app)
    ROOMS.close(room.code)


def test_the_stage_moves_the_room_and_a_talk_has_a_card_for_each_scene() -> None:
    made = cards(TOUR)
    assert [card.title for card in made] == [scene.shown_title for scene in TOUR.scenes]
    assert sum(card.minutes for card in made) == TOUR.minutes
    room = ROOMS.open(made)
    place = InRoom(room)
    place.go(1, 2)
    view = room.view()
    assert view.number == 1 and view.vote is not None and view.vote.stage == "revealed"
    assert not place.view().asking
    place.go(1, 0)
    assert place.view().asking
    place.set_blank(True)
    assert place.view().blank and place.view().elapsed_seconds >= 0
    ROOMS.close(room.code)
