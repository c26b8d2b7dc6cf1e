"""The content of every lesson: keys name real settings, values are valid, predictions and
challenges hold on real runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from numbers import Real
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from engine import answers_figure
from engine.errors import InputError
from pages.shell import conditions, lab, lessons, path, quiz, state
from pages.shell.content import HIGH, KINDS, LOW
from tests.pages.visit import open_page, problems, settle, texts

LESSONS = [lessons.load(path.stem) for path in sorted(lessons.FOLDER.glob("*.toml"))]
SYLLABUS = {  # the wording is fixed
    "formats": "You need to store 1TB of tabular data for ML. CSV or Parquet? Why?",
    "etl": (
        "Design an ETL pipeline for daily user activity data. How do you handle late-arriving data?"
    ),
    "sampling": "You have a fraud detection dataset with 0.1% positives. How do you handle this?",
    "leakage": "Your model has 99% accuracy but fails in production. What could be wrong?",
    "feature_store": "How would you ensure consistent features between training and serving?",
    "spark": "When would you use Spark instead of Pandas?",
    "orchestration": "How would you orchestrate a daily model retraining pipeline?",
    "pipeline": (
        "How would you build a pipeline from raw sources to served predictions, and know that it"
        " is right?"
    ),
}


def all_params(lesson: lessons.Lesson) -> list[dict[str, object]]:
    scenes = [scene.params for scene in lesson.scenes]
    predictions = [prediction.params for prediction in lesson.predictions]
    against = [wrong.params for prediction in lesson.predictions for wrong in prediction.wrong]
    return (
        scenes
        + predictions
        + against
        + [p for c in lesson.challenges for p in (c.wrong_params, c.solved_params)]
    )


def shown(app: AppTest, experiment: str) -> Any:
    """Return the Result that is on screen, of a whole run."""
    assert problems(app) == []
    name, result, *_ = app.session_state["shown"]
    assert name == experiment and quiz.is_complete(result)
    return result


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> lessons.Settings:
    """Settings that an experiment's Reset sets beside its defaults, as a scene's button does."""
    settings: lessons.Settings = {}
    apply = state.apply_experiment
    monkeypatch.setattr(
        state,
        "apply_experiment",
        lambda lesson, name, own: apply(lesson, name, {**own, **settings}),
    )
    return settings


def visited(app: AppTest, experiment: str) -> Any:
    """Return the Result that the experiment's tab shows for the chosen settings.

    What runs is the pages' jobs, so all page tests share the results.
    """
    app.session_state["shown"] = None
    return shown(settle(app.button(key=f"{experiment}_reset").click().run()), experiment)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.topic)
def test_the_contract_is_met(lesson: lessons.Lesson) -> None:
    assert lesson.question == SYLLABUS[lesson.topic]
    assert len(lesson.scenes) >= 5 and len(lesson.predictions) >= 2 and len(lesson.challenges) >= 2
    assert set(lesson.experiments.values()) == set(lesson.guide), (
        "each experiment has its section in the guide"
    )


def tab_of(lesson: lessons.Lesson, step: lessons.Step) -> str:
    """Return the label of the tab that a step is about."""
    settings = path.settings_of(lesson, lesson.named(str(step.of)))
    return str(settings.get(lesson.tab_key, next(iter(lesson.tabs.values()))))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.topic)
def test_a_path_has_every_kind_of_step_and_takes_half_an_hour_at_most(
    lesson: lessons.Lesson,
) -> None:
    assert {prediction.experiment for prediction in lesson.predictions} == set(lesson.experiments)
    assert any(prediction.trap for prediction in lesson.predictions)
    steps = lesson.steps
    assert steps[0].kind == "predict" and {step.kind for step in steps} == set(KINDS)
    assert 8 <= len(steps) <= 14 and 20 <= lesson.minutes <= 30
    assert len({step.key for step in steps}) == len(steps)
    shown: set[str] = set()  # tabs, whose titles say more than one prediction's answer
    for number, step in enumerate(steps):
        if step.kind == "predict":
            assert tab_of(lesson, step) not in shown, "its answer was on screen before"
            assert (steps[number + 1].kind, steps[number + 1].of) == ("see", step.of)
        if step.kind == "recall":
            assert {*step.of} <= {one.of for one in steps[:number] if one.kind == "predict"}
        shown |= {tab_of(lesson, step)} if step.kind in ("see", "explain", "do") else set()
        named = lesson.named(step.of) if isinstance(step.of, str) else None
        if isinstance(named, lessons.Challenge):
            assert 1 <= len({*named.hints}) == len(named.hints) <= 3


@pytest.fixture
def figures_drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, go.Figure]:
    """Return the figures that the page draws, by the chart's key; ``""`` is a screen's first."""
    found: dict[str, go.Figure] = {}
    draw = lab.charts.chart

    def keep(figure: go.Figure, key: str, *more: Any, verdict: str = "") -> None:
        found["" if verdict else key] = figure
        draw(figure, key, *more, verdict=verdict)

    monkeypatch.setattr(lab.charts, "chart", keep)
    return found


def check_drawn(figure: go.Figure, prediction: lessons.Prediction, result: Any) -> None:
    """Raise unless any guess is drawn into the chart, and the chart itself shows what happened:
    a mark of the place is there, without a place the axis reaches so far.
    """
    drawn, value = prediction.drawn, conditions.value_of(result, prediction.field)
    assert drawn is not None
    for guess in prediction.choices or prediction.range or ():
        texts_drawn = str(path.drawn_in(figure, prediction, guess, result).to_dict())
        for said, one in (("you", guess), ("it is", value)):
            assert f"{said}: {quiz.format_value(one, prediction.field)}<" in texts_drawn
    if drawn.axis == "trace":
        return
    happened = answers_figure.place_of(figure, drawn.axis, path.on_axis(prediction, value, result))
    along, across = drawn.axis[0], "y" if drawn.axis[0] == "x" else "x"
    if drawn.at is not None:
        at = answers_figure.place_of(figure, across, drawn.at)
        pairs = [
            pair
            for trace in figure.data
            if (trace[f"{along}axis"] or along) == drawn.axis
            for pair in zip(trace[along], trace[across], strict=True)
        ]
        shown = [one for one, place in pairs if place == at]
        assert any(one == pytest.approx(happened, rel=0.01) for one in shown), (happened, shown)
        return
    layout = figure.layout[answers_figure.axis_name(drawn.axis)]
    shown = answers_figure.values_on(figure, drawn.axis)
    reach = [n for n in shown if isinstance(n, Real)] or range(len({*shown}))  # categories count
    if layout.range and layout.type != "log":
        reach = layout.range
    assert min(reach) <= happened <= max(reach), (happened, min(reach), max(reach))


def missing(prediction: lessons.Prediction, actual: object) -> set[str]:
    """Return the wrong choices that can be made and have no misconception."""
    if prediction.range is None:
        possible = {*prediction.choices} - {str(actual)}
    else:
        assert isinstance(actual, int | float)
        ends = zip((LOW, HIGH), prediction.range, strict=True)
        possible = {choice for choice, end in ends if not prediction.is_right(end, actual)}
    return possible - {wrong.choice for wrong in prediction.wrong}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.topic)
def test_params_name_real_settings_with_valid_values(lesson: lessons.Lesson) -> None:
    defaults = lesson.defaults()
    for params in all_params(lesson):
        assert set(params) <= set(defaults)
        for experiment in lesson.experiments:
            lesson.settings_of(experiment, params)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.topic)
def test_challenges_fail_for_the_wrong_setting_and_hold_for_the_solved_one(
    lesson: lessons.Lesson, chosen: lessons.Settings
) -> None:
    visitors: dict[str, AppTest] = {}  # experiment -> one who sees all its settings in turn
    for challenge in lesson.challenges:
        name = challenge.experiment
        if name not in visitors:
            chosen.clear()
            visitors[name] = open_page(lesson.topic, **lesson.place_of(name))
        for settings, meets in (
            (challenge.wrong_params, False),
            (challenge.solved_params, True),
            ({}, False),
        ):
            chosen.clear()
            chosen.update(settings)
            result = visited(visitors[name], name)
            assert result.params == lesson.settings_of(name, settings)
            assert challenge.met_by(result) == meets, (
                f"{challenge.goal} {settings or 'the defaults'}"
            )


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.topic)
def test_predictions_ask_for_what_a_run_gives_and_are_answered_once_revealed(
    lesson: lessons.Lesson, figures_drawn: dict[str, go.Figure]
) -> None:
    for number, prediction in enumerate(lesson.predictions):
        params = lesson.settings_of(prediction.experiment, prediction.params)
        assert params != lesson.settings_of(prediction.experiment, {})
        panel = {f"{prediction.experiment}_panel": "Predict"}
        app = open_page(lesson.topic, **lesson.place_of(prediction.experiment), **panel)
        app.session_state["shown"] = None
        settle(app.button(key=f"{lesson.topic}_guess_{number}_reveal").click().run())
        result = shown(app, prediction.experiment)
        value = conditions.value_of(result, prediction.field)
        answer = quiz.format_value(value, prediction.field)
        assert f"**{answer}**." in texts(app), f"{prediction.question}: {answer}"
        assert prediction.title and not missing(prediction, value), (prediction.title, value)
        if prediction.drawn:
            check_drawn(figures_drawn[prediction.drawn.chart], prediction, result)
        if prediction.range is None:
            assert str(value) in prediction.choices
        else:
            assert prediction.range[0] <= value <= prediction.range[1]


def test_no_two_labs_share_a_key() -> None:
    """Keys live in one session: a second lab's ``skew_panel`` would be the first one's."""
    experiments = [name for lesson in LESSONS for name in lesson.experiments]
    assert len(experiments) == len(set(experiments))
    keys = [key for lesson in LESSONS for key in lesson.defaults()]
    assert len(keys) == len(set(keys))


def test_a_condition_looks_into_results_params_mappings_and_lists() -> None:
    @dataclass
    class Outcome:
        sizes: dict[str, int]
        runs: list[float]
        params: Any

    result = Outcome({"CSV gzip": 3}, [0.5, 0.25], {"seed": 7})
    assert conditions.value_of(result, "sizes.CSV gzip") == 3
    assert conditions.value_of(result, "runs.1") == 0.25
    assert conditions.value_of(result, "params.seed") == 7
    with pytest.raises(
        InputError, match=r"field must be a value of Outcome. Got 'sizes.CSV': there is no 'CSV'"
    ):
        conditions.value_of(result, "sizes.CSV")
    both = [
        conditions.Condition("runs.0", ">=", 0.5),
        conditions.Condition("params.seed", "in", [7, 8]),
    ]
    assert all(one.met_by(result) for one in both)
    assert not conditions.Condition("params.seed", "!=", 7).met_by(result)


def test_settings_of_takes_its_own_fields_only() -> None:
    lesson = lessons.load("formats")
    params = lesson.settings_of(
        "bytes_read", {"bytes_read_seed": 3, "bytes_read_view": "x", "other_seed": 9}
    )
    assert params.seed == 3


SCENE = '[[scene]]\ntitle = "t"\nlook_at = "l"\nnote = "n"\nparams = {}\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not toml", "bad.toml must be TOML"),
        (
            (
                '[[challenge]]\ngoal = "a"\nexperiment = "b"\nwrong_params = {}\nsolved_params ='
                ' {}\nconditions = [{ field = "c", op = "~", value = 1 }]'
            ),
            r"bad.toml \[\[challenge\]\] 1, condition 1: op must be one of <, .* Got '~'",
        ),
        (
            (
                '[[challenge]]\ngoal = "a"\nexperiment = "b"\nwrong_params = {}\nsolved_params ='
                " {}\nconditions = 3"
            ),
            (
                r"bad.toml \[\[challenge\]\] 1: conditions must be a list of at least one \{ field,"
                r" op, value \}. Got 3"
            ),
        ),
        (
            (
                '[tabs]\nd = "D"\n[[prediction]]\nquestion = "q"\nexperiment = "b"\nparams ='
                ' {}\nfield = "f"\nbecause = "g"'
            ),
            r"bad.toml \[\[prediction\]\] 1: experiment must be one of d. Got 'b'",
        ),
        (
            '[[step]]\nkind = "look"\nof = "a"',
            r"bad.toml \[\[step\]\] 1: kind must be one of predict, .* Got 'look'",
        ),
        (
            '[[step]]\nkind = "see"\nof = "a"',
            r"bad.toml \[\[step\]\] 1: of must name an entry of this file .* Got 'a'",
        ),
        (
            SCENE + '[[step]]\nkind = "explain"\nof = "t"',
            r"bad.toml \[\[step\]\] 1: question must be given for explain alone",
        ),
        (
            (
                '[tabs]\nd = "D"\n[[prediction]]\nquestion = "q"\nexperiment = "d"\nparams ='
                ' {}\nfield = "f"\nbecause = "g"\nchoices = ["a"]\ndrawn = { axis = "z" }'
            ),
            r"bad.toml \[\[prediction\]\] 1, drawn: axis must be x, y, x2 … or trace. Got 'z'",
        ),
        (SCENE + SCENE, r"bad.toml: every title must be another. Got twice: t"),
        (
            (
                '[tabs]\nd = "D"\n[[prediction]]\nquestion = "q"\nexperiment = "d"\nparams ='
                ' {}\nfield = "f"\nbecause = "g"\nchoices = ["a"]\n'
                'wrong = [{ choice = "b", belief = "c", params = {} }]'
            ),
            r"bad.toml \[\[prediction\]\] 1: the choice of each wrong must be another of a. Got b",
        ),
        (
            "[lab]\ntitle = 3",
            r"bad.toml \[lab\]\u2060: answer, number, preview, question, short must be given",
        ),
        (
            '[[scene]]\ntitle = "a"\nlook = "b"',
            r"bad.toml \[\[scene\]\] 1: keys must be among .* Got look",
        ),
        (
            '[[scene]]\ntitle = "a"',
            r"bad.toml \[\[scene\]\] 1: look_at, note, params must be given",
        ),
    ],
)
def test_a_mistake_in_the_content_is_named(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.toml").write_text(text)
    monkeypatch.setattr(lessons, "FOLDER", tmp_path)
    with pytest.raises(InputError, match=message):
        lessons.load("bad")


def test_an_unknown_topic_is_named() -> None:
    with pytest.raises(InputError, match="topic must be a lesson in pages/lessons. Got 'cooking'"):
        lessons.load("cooking")


def test_guide_sections_are_cut_at_their_headings() -> None:
    assert lessons.guide_sections("# T\n\n## One\n\na\n\n## Two\nb") == {"One": "a", "Two": "b"}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.topic)
def test_the_bench_measures_every_lab(lesson: lessons.Lesson) -> None:
    bench = import_module(f"tests.bench.{lesson.topic}")
    assert bench.TABS and callable(bench.compute)
    assert all(tab.path.startswith(lesson.topic) for tab in bench.TABS)
