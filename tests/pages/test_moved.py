"""Links of before a tab or an option was renamed: each ``[moved]`` entry of each lesson works."""

from __future__ import annotations

import pytest

from pages.shell import lessons
from tests.pages.visit import charts, open_page, problems

OLD = [
    pytest.param(topic, key, value, id=f"{key}={value}")
    for topic in lessons.topics()
    for key, former in lessons.load(topic).moved.items()
    for value in former
]


@pytest.mark.parametrize(("topic", "key", "value"), OLD)
def test_an_old_link_opens_what_replaced_it(topic: str, key: str, value: str) -> None:
    lesson = lessons.load(topic)
    now = lesson.moved[key][value]
    assert value not in lesson.tabs.values() or key != lesson.tab_key
    assert set(now) <= set(lesson.defaults())
    experiment = next((name for name in lesson.experiments if key.startswith(f"{name}_")), None)
    place = lesson.place_of(experiment) if experiment else {}
    app = open_page(topic, **{**place, key: value})
    assert problems(app) == [] and charts(app)
    assert {name: app.session_state[name] for name in now} == now
    assert value not in app.query_params.get(key, [])
