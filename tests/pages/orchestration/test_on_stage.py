"""Prefect's server is killed during a talk: every scene still shows its result at once."""

from __future__ import annotations

import psutil

from engine.orchestration.server import SERVER
from pages.talk.talk import Talk, TalkScene
from tests.pages.talk.on_stage import check, shown

TALK = Talk(
    "t",
    (
        TalkScene("orchestration", "Every attempt of a daily retraining run"),
        TalkScene("orchestration", "Three retries reduce task failure from 30% to 0.81%"),
        TalkScene("orchestration", "Backpressure: the source waits"),
    ),
)


def test_scenes_are_shown_while_prefects_server_is_away() -> None:
    SERVER.ready()
    assert [one.problem for one in check(TALK)] == [""] * 3
    before = [shown(TALK, number)["title"] for number in range(3)]
    psutil.Process(SERVER._process.pid).kill()
    try:
        assert [shown(TALK, number)["title"].split(" (recorded")[0] for number in range(3)] == (
            before
        )
    finally:
        SERVER.ready()
