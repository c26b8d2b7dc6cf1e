"""Learn mode: every step of every path, answered wrong and right; leaving, coming back, the end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine.errors import InputError
from engine.texts import inert
from pages.shell import answers, content, lessons, path, path_record, quiz, state
from pages.shell.content import Challenge, Prediction
from pages.shell.lessons import Lesson, Step
from tests.pages.visit import charts, open_page, problems, settle, texts, without_terms


class Learner:
    """One visitor on the path of a lab."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.app: AppTest = open_page(lesson.topic, mode=state.LEARN)
        self.seen: dict[str, Any] = {}  # title of a prediction -> what its run gave

    def record(self, name: str) -> Any:
        """Return a section of this visitor's record."""
        return self.app.session_state["learner"].get(name, {"value": {}})["value"]

    def press(self, key: str) -> None:
        settle(self.app.button(key=key).click().run())
        assert problems(self.app) == [], key

    def guess(self, number: int, which: int, prediction: Prediction, value: Any) -> None:
        key = f"path_{self.lesson.topic}_{number}_{which}"
        kind = self.app.radio if prediction.range is None else self.app.slider
        settle(kind(key=key).set_value(value).run())

    def guesses(self, prediction: Prediction) -> tuple[Any, Any]:
        """Return a wrong and a right answer of a prediction whose run has been seen."""
        actual = self.seen[prediction.title]
        if prediction.range is None:
            return next(one for one in prediction.choices if one != str(actual)), str(actual)
        low, high = prediction.range
        wrong = low if actual - low > high - actual else high
        near = round(actual) if high - low >= quiz.MANY else round(actual, 2)
        return wrong, min(max(float(near), low), high)

    def predict(self, number: int, step: Step) -> None:
        """Answer at one end, look, then the other way: right if that was wrong."""
        prediction = self.lesson.named(str(step.of))
        assert isinstance(prediction, Prediction) and charts(self.app) == []
        assert "path_next" not in [button.key for button in self.app.button]
        guess = prediction.choices[0] if prediction.range is None else prediction.range[0]
        outcomes = []
        for again in (False, True):
            if again:
                self.press("path_back")
                self.press("path_again")
                guess = self.guesses(prediction)[not outcomes[0]]
            self.guess(number, 0, prediction, guess)
            self.press("path_commit")
            entry = self.record("path")[self.lesson.topic]["steps"][step.key]
            self.seen[prediction.title] = actual = entry["actual"]
            outcomes.append(prediction.is_right(guess, actual))
            assert entry["right"] is outcomes[-1]
            assert prediction.because in texts(self.app) and len(charts(self.app)) >= 1
            wrong = prediction.misconception(guess, actual)
            assert outcomes[-1] or (wrong is not None and wrong.belief in texts(self.app))
            if prediction.drawn:
                said = f"you: {quiz.format_value(guess, prediction.field)}"
                assert any(
                    said in json.dumps(chart, ensure_ascii=False) for chart in charts(self.app)
                )
        assert {*outcomes} == {True, False}

    def explain(self, number: int, step: Step) -> None:
        _, result, *_ = self.app.session_state["shown"]
        said = without_terms(texts(self.app))
        assert not any(inert(reason) in said for reason in result.why)
        key = f"path_{self.lesson.topic}_{number}_0"
        self.app.text_area(key=key).set_value("My own <b>reason</b>")
        self.press("FormSubmitter:path_explain-Compare")
        said = without_terms(texts(self.app))
        assert "My own" in said and all(inert(reason) in said for reason in result.why)

    def do(self, step: Step, solved: lessons.Settings) -> None:
        challenge = self.lesson.named(str(step.of))
        assert isinstance(challenge, Challenge)
        first, *later = challenge.hints
        self.press("path_hint")
        assert first in texts(self.app) and not any(hint in texts(self.app) for hint in later)
        solved.update(challenge.solved_params)
        self.press(f"{challenge.experiment}_reset")
        solved.clear()
        assert self.record("path")[self.lesson.topic]["steps"][step.key]["right"] is True

    def recall(self, number: int, step: Step) -> None:
        for which, name in enumerate(step.of):
            prediction = self.lesson.named(name)
            assert isinstance(prediction, Prediction)
            assert prediction.question in texts(self.app)
            self.guess(number, which, prediction, self.guesses(prediction)[which])
        self.press("path_commit")
        noted = [one for one in self.record("answers")["entries"] if one["kind"] == "recall"]
        assert [one["right"] for one in noted] == [False, True]


@pytest.mark.parametrize("topic", lessons.topics())
def test_every_step_of_a_path_answered_wrong_and_right(
    topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    solved: lessons.Settings = {}  # what Reset sets beside the defaults
    apply = state.apply_experiment
    monkeypatch.setattr(
        state, "apply_experiment", lambda lab, name, own: apply(lab, name, {**own, **solved})
    )
    lesson = lessons.load(topic)
    learner = Learner(lesson)
    for number, step in enumerate(lesson.steps):
        assert problems(learner.app) == []
        assert any(f"Step {number + 1} of" in bar.proto.text for bar in learner.app.get("progress"))
        if step.kind == "predict":
            learner.predict(number, step)
        elif step.kind == "explain":
            learner.explain(number, step)
        elif step.kind == "do":
            learner.do(step, solved)
        elif step.kind == "recall":
            learner.recall(number, step)
        if step.kind in ("see", "explain") and (key := path.chart_of(lesson, step)):
            assert key in [chart["key"] for chart in charts(learner.app)]
        if number == 2:  # leave to Explore and come back
            shown = learner.app.session_state["shown"][1].params
            for mode in (state.EXPLORE, state.LEARN):
                settle(learner.app.segmented_control(key="mode").set_value(mode).run())
                assert problems(learner.app) == []
            assert learner.app.session_state["shown"][1].params == shown
        if step.kind != "predict":
            learner.press("path_next")
    asked = [step for step in lesson.steps if step.kind == "predict"]
    assert f" of {len(asked)} predictions were right" in texts(learner.app)
    assert lesson.answer in texts(learner.app)
    done = learner.record("path")[topic]
    assert done["step"] == len(lesson.steps) == len(done["steps"])
    kinds = {one["kind"] for one in learner.record("answers")["entries"]}
    assert kinds == set(answers.KINDS)


def test_a_visitor_who_is_wrong_jumps_ahead_and_goes_home() -> None:
    lesson = lessons.load("etl")
    learner = Learner(lesson)
    # a wrong answer leads to the setting that disproves it, and back
    learner.app.slider(key="path_etl_0_0").set_value(5.0)
    learner.press("path_commit")
    asked = lesson.named("Files that overlap")
    assert isinstance(asked, Prediction)
    belief = next(one.belief for one in asked.wrong if one.choice == content.HIGH)
    learner.press("path_see_against")
    assert learner.app.session_state["loads_deletes"] == "tombstones"
    assert belief in texts(learner.app)
    learner.press("path_see_back")
    assert learner.app.session_state["loads_deletes"] != "tombstones"
    assert asked.because in texts(learner.app)
    # whoever jumps ahead is sent to the steps that come first
    number = next(i for i, step in enumerate(lesson.steps) if step.kind == "recall")
    learner.press(f"path_step_{number}")
    assert "do step 6, step 7, step 8, step 9 first" in texts(learner.app)
    learner.press("path_step_4")
    learner.press("FormSubmitter:path_explain-Compare")
    assert "Write a sentence first" in texts(learner.app)
    # Home names the step, takes no other file, and forgets
    home = learner.app.switch_page("home.py").run()
    links = {link.proto.label for link in home.get("page_link")}
    assert {"Continue at step 5 of 12", "Go on with lesson 2 at step 5"} <= links
    home.file_uploader(key="record_file").set_value(("x.json", b"{}", "application/json")).run()
    home.button(key="record_load").click().run()
    assert "another kind" in home.error[0].value
    home.button(key="record_clear").click().run()
    assert not any("at step" in link.proto.label for link in home.get("page_link"))


def test_a_wrong_number_is_too_low_or_too_high() -> None:
    low, high = (content.Wrong(choice, choice, {}) for choice in (content.LOW, content.HIGH))
    asked = Prediction("q", "e", {}, "f", "b", wrong=(low, high), range=(0.0, 10.0))
    found = [asked.misconception(guess, 5.0) for guess in (3.9, 4.0, 6.0, 6.1)]
    assert found == [low, None, None, high]


@pytest.mark.parametrize("mine", [{"step": -1, "steps": {}}, {"step": 0, "steps": {"a": {}}}, 3])
def test_a_record_with_another_path_is_refused(mine: Any) -> None:
    with pytest.raises(InputError, match="path of etl must hold"):
        path_record._check({"etl": mine})
