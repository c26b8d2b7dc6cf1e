"""Spark's Java process is killed during a talk: every scene still shows its result at once."""

from __future__ import annotations

from engine.jobs import JOBS
from engine.spark import lazy
from engine.spark.lazy import LazyParams
from engine.spark.partitioning import PartitioningParams, real
from pages.talk.talk import Talk, TalkScene
from tests.engine.spark.test_restarts import kill
from tests.pages.talk.on_stage import check, shown

TALK = Talk(
    "t",
    (
        TalkScene("spark", "All flights to ORD are in one partition"),
        TalkScene("spark", "Each exchange ends a stage"),
    ),
)
KEYS = ((real.steps, PartitioningParams()), (lazy.steps, LazyParams()))


def test_scenes_are_shown_while_there_is_no_java_process() -> None:
    assert [one.problem for one in check(TALK)] == ["", ""]
    before = [shown(TALK, number) for number in range(2)]
    kill()
    assert [shown(TALK, number) for number in range(2)] == before, "from kept results"
    for key in KEYS:
        JOBS.forget(key)
    after = shown(TALK, 1)  # Spark is starting, and the job waits for it
    assert after["data"] == before[1]["data"] and "(recorded " in after["title"]
