"""A restarted server shows what was measured before; a tab that was left holds nobody up."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest

from engine import kept
from engine.jobs import JOBS, Progress, Steps
from pages import home, startup
from pages.shell import lessons, state
from tests.pages.visit import open_page, settle, texts

CODECS = {
    "formats_tab": "Codecs",
    "codecs_n_rows": "5,000",
    "codecs_levels": "default",
    "codecs_repeats": "1",
    "codecs_codecs": "snappy",
}


def test_a_restarted_server_shows_the_kept_result_and_measures_when_asked() -> None:
    first = open_page("formats", **CODECS)
    key = first.session_state["codecs_job"]
    JOBS._jobs.clear()  # as a server that starts on the same workspace
    second = open_page("formats", **CODECS)
    job = JOBS.find(key)
    assert job is not None and job.state == "done" and job.started_at is None  # nothing ran
    assert texts(second) == texts(first) and not second.exception
    assert job.finished_at is not None
    (said,) = [c.value for c in second.caption if c.value.startswith("Measured ")]
    when = datetime.strptime(said, "Measured %d %b %Y %H:%M").timestamp()
    assert 0 <= job.finished_at - when < 60
    settle(second.button(key="codecs_again").click().run())
    again = JOBS.find(key)
    assert again is not None and again.started_at is not None and again.state == "done"


def test_kept_files_that_go_or_are_damaged_under_a_page_are_missed_by_nobody() -> None:
    app = open_page("formats", **CODECS)
    for damage in (b"", b"half of a res", None):
        for path in kept.folder().glob("engine.formats.codecs.*"):
            path.unlink() if damage is None else path.write_bytes(damage)
        before = texts(app)
        assert not app.run().exception and texts(app) == before
        JOBS._jobs.clear()  # as a server that starts on the same workspace
        app = open_page("formats", **CODECS)
        job = JOBS.find(app.session_state["codecs_job"])
        assert not app.exception and job is not None and job.started_at is not None


def test_the_job_of_a_tab_that_was_left_is_given_up_and_taken_up_again() -> None:
    app = open_page("formats", **CODECS)
    gate = threading.Event()

    def blocking() -> Steps:
        while not gate.wait(0.01):
            yield Progress(0.5)

    before = JOBS.submit("another visitor", "blocking", "", blocking)
    app.slider(key="codecs_seed").set_value(8).run()
    job = JOBS.find(app.session_state["codecs_job"])
    assert job is not None and job.active
    app.switch_page("home.py").run()
    assert job.state == "cancelled" and before.active
    gate.set()
    for name, value in {**CODECS, "codecs_seed": "8"}.items():
        app.query_params[name] = value
    settle(app.switch_page("formats.py").run())
    taken_up = JOBS.find(app.session_state["codecs_job"])
    assert taken_up is not None and taken_up is not job and taken_up.state == "done"


def test_the_warm_up_measures_what_is_not_kept_the_quickest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    took = {0: None, 1: 9.0, 2: 0.5, 3: None, 4: None}
    jobs = [(("steps", number), 1.0 if number == 3 else 3.0) for number in took]
    monkeypatch.setattr(startup, "default_jobs", lambda: iter(jobs))
    monkeypatch.setattr(startup.kept, "seconds", lambda job: took[job[1]])
    monkeypatch.setattr(startup.kept, "is_kept", lambda job: job[1] == 4)
    assert [number for _, number in startup.waiting_jobs()] == [2, 3, 0, 1]


def test_every_lab_has_jobs_for_the_warm_up_and_spark_all_of_its_own() -> None:
    found = [steps.__module__.split(".")[1:3] for (steps, _), _ in startup.default_jobs()]
    own = {*lessons.load("spark").experiments} - {"cluster"}  # which a press alone starts
    assert sorted(name for topic, name in found if topic == "spark") == sorted(own)


def test_home_draws_what_an_earlier_server_kept_until_this_one_is_warm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state, "WARM", threading.Event())
    monkeypatch.setattr(home, "_early", {})
    figure = home.early_preview("leakage")
    monkeypatch.setattr(home, "_early", {})
    monkeypatch.setattr(home, "preview", lambda topic: pytest.fail("it was computed"))
    assert home.early_preview("leakage") == figure
