"""Every key that a link can set, on every tab and page, holding what nobody would type: the page
opens, without an exception, and says at most a few sentences.

Which value a key gets is drawn from its name: the same in each run, another for each key.
"""

from __future__ import annotations

import random

import pytest

from engine.jobs import JOBS
from pages import practice
from pages.shell import lessons
from tests.pages.url_keys import listed
from tests.pages.visit import drawn_once

VALUES = (
    *("", " ", "0", "-1", "-0.0", "1e309", "nan", "inf", "9" * 400, "1_000", "0x10", "٣", "½"),
    *("true", "null", "None", "[]", "[1,2", "{}", '{"a":1}', "a,b,c", "2013-02-30", "2013-13-45"),
    *("a" * 5_000, "a\u202eb", "\ufffe", "%00", "\x1b[31m", "![x](//evil.example/x)", "{{7*7}}"),
)
PAGES = [
    *((topic, label) for topic in lessons.topics() for label in lessons.load(topic).tabs.values()),
    *(("practice", label) for label in practice.TABS),
    *(("home", ""), ("glossary", ""), ("notebook", "")),
]


def nonsense(tab_key: str, label: str) -> dict[str, list[str]]:
    """Return a value for each key that a link can set; the tab is one that there is."""
    drawn = {}
    for key in (*listed(), "present", "scene", "open", "kept"):
        pick = random.Random(f"{key} {label}")
        drawn[key] = [pick.choice(VALUES) for _ in range(pick.choice((1, 1, 2)))]
    return drawn | ({tab_key: [label]} if label else {})


@pytest.mark.parametrize(("page", "label"), PAGES)
def test_a_link_full_of_nonsense_opens(page: str, label: str) -> None:
    app = drawn_once(page, **nonsense(f"{page}_tab", label))
    names = app.session_state["work_names"] if "work_names" in app.session_state else ()  # noqa: SIM401
    for job in (JOBS.find(app.session_state[f"{name}_job"]) for name in names):
        if job is not None and job.active:
            JOBS.cancel(job)  # other tests measure
    assert not app.exception
    assert sum(len(error.value) for error in app.error) < 5_000
