"""A talk's file and link: they give the talk back, and hostile ones are refused by a sentence."""

from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from pages.shell import lessons
from pages.talk import link, talk
from pages.talk.talk import Talk, TalkScene, charts, dumps, loads, predictions, shipped

LETTERS = st.characters(exclude_categories=("Cc", "Cs"))
ONE = '[[scenes]]\nlab = "leakage"\nscene = "A leak reports 100% accuracy"\n'


@st.composite
def scenes(draw: st.DrawFn) -> TalkScene:
    lesson = lessons.load(draw(st.sampled_from(lessons.topics())))
    return TalkScene(
        lab=lesson.topic,
        scene=draw(st.sampled_from([one.title for one in lesson.scenes])),
        title=draw(st.text(LETTERS, max_size=talk.LONGEST_TITLE)),
        note=draw(st.text(LETTERS | st.sampled_from("\n\t"), max_size=talk.LONGEST_NOTE)),
        minutes=draw(st.floats(*talk.MINUTES) | st.integers(1, 60)),
        chart=draw(st.sampled_from(["", *charts(lesson)])),
        size=draw(st.floats(*talk.SIZES)),
        predict=draw(st.sampled_from(["", *predictions(lesson)])),
    )


TALKS = st.builds(
    Talk,
    st.text(LETTERS, min_size=1, max_size=talk.LONGEST_TITLE).filter(str.strip),
    st.lists(scenes(), min_size=1, max_size=8).map(tuple),
)


@given(TALKS)
@settings(max_examples=60, deadline=None)
def test_file_and_link_give_the_talk_back(one: Talk) -> None:
    assert loads(dumps(one)) == loads(dumps(one).encode()) == one
    assert loads(dumps(one).encode("utf-8-sig")) == one  # as Windows saves it
    try:
        code = link.encode(one)
    except InputError:
        assert len(zlib.compress(dumps(one).encode(), 9)) > link.LONGEST * 3 / 4 - 3
    else:
        assert link.decode(code) == one


def test_the_largest_talk_fits_its_own_file() -> None:
    one = TalkScene(
        "leakage", "A leak reports 100% accuracy", "\\" * 120, '"' * 1_000, 60.0, "dose_curve", 1.6
    )
    largest = Talk("🛫" * talk.LONGEST_TITLE, (one,) * talk.MOST_SCENES)
    assert loads(dumps(largest).encode()) == largest
    with pytest.raises(InputError, match=r"^scenes must be 1–60\. Got 61\.$"):
        Talk("x", (one,) * 61)


def test_what_is_not_given_is_as_in_the_lesson() -> None:
    (one,) = loads(f'title = "x"\n{ONE}').scenes
    assert (one.shown_title, one.shown_chart) == ("A leak reports 100% accuracy", "dose_curve")
    assert (one.minutes, one.size, one.prediction) == (1, 1, None)
    assert one.settings == {"dose_measure": "accuracy"}
    asked = TalkScene(one.lab, one.scene, predict="The mean of all rows")
    assert asked.settings == {
        "dose_measure": "accuracy",
        "leakage_tab": "Leak simulator",
        "dose_focus": "Imputation on all rows",
    }


def test_every_shipped_talk_is_found_and_keeps_its_time() -> None:
    tour = shipped()["tour"]
    assert 5 <= len(tour.scenes) <= 6 and tour.minutes == 5


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("", "title must be given"),
        ('title = "x"', "scenes must be 1–60. Got 0."),
        ("title = 1\n" + ONE, "title must be a text. Got 1."),
        ('title = "x"\nscenes = 3', "scenes must be tables"),
        ('title = "x"\nscenes = [1]', "scenes must be tables"),
        ('title = "x"\nmore = 1\n' + ONE, "A talk must have title and scenes alone. Got more."),
        ('title = "a\\u0000b"\n' + ONE, "title must be one line of text"),
        (f'title = "{"x" * 121}"\n{ONE}', "title must have at most 120 characters. Got 121."),
        ('title = "x"\n[[scenes]]\nlab = "leakage"', "Scene 1: the entry: scene must be given."),
        ('title = "x"\n' + ONE + "colour = 1", "Scene 1: the entry: keys must be among"),
        ('title = "x"\n' + ONE + "size = nan", "Scene 1: size must be 0.8–1.6. Got nan."),
        ('title = "x"\n' + ONE + "minutes = true", "Scene 1: minutes must be 0.1–60. Got True."),
        ('title = "x"\n' + ONE + "minutes = 0", "Scene 1: minutes must be 0.1–60. Got 0."),
        ('title = "x"\n' + ONE + 'note = ["a"]', "Scene 1: note must be a text."),
        ('title = "x"\n' + ONE + 'chart = "pie"', "Scene 1: chart must be one of the lab Leakage."),
        ('title = "x"\n' + ONE + "chart = []", "Scene 1: chart must be one of the lab Leakage."),
        ('title = "x"\n' + ONE + 'predict = "Rain"', "Scene 1: prediction must be one of the lab"),
        ('title = "x"\n' + ONE.replace("100%", "99%"), "Scene 1: scene must be one of the lab"),
        ('title = "x"\n' + ONE.replace('"leakage"', '"../app"'), "Scene 1: lab must be one of"),
        ('title = "x"\n' + ONE.replace('"leakage"', "{a = 1}"), "Scene 1: lab must be one of"),
        ('title = "x"\n' + "[[scenes]]\n" * 61, "scenes must be 1–60. Got 61."),
        ("not toml", "A talk's file must be TOML"),
        ("x = " + "9" * 3_900, "A talk must have title and scenes alone"),
        ("x = " + "[" * 3_900, "A talk's file must be TOML: it is nested too deeply"),
        ("x = " + "[\n" * 3_900, "A talk's file must be TOML: it is nested too deeply"),
        ("a." * 100_000 + "b = 1", "A line of a talk's file must have at most 4,000 characters"),
        (
            "\n".join(f"[{'a.' * 1_900}b{i}]" for i in range(80)),
            "A talk must have title and scenes",
        ),
        ("#" + "\n#" * 300_000, "A talk's file must be ≤ 400,000 bytes. Got 600,001."),
        (b"\xff\xfe", "A talk's file must be TOML"),
    ],
)
def test_a_hostile_file_is_refused_by_a_sentence(text: str | bytes, begins: str) -> None:
    with pytest.raises(InputError) as error:
        loads(text)
    assert str(error.value).startswith(begins)


def packed(text: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text, 9)).decode()


@pytest.mark.parametrize(
    ("code", "begins"),
    [
        ("", "A talk's link must be copied whole"),
        ("ä", "A talk's link must be copied whole"),
        ("!!!!", "A talk's link must be copied whole"),
        ("A" * 8_001, "A talk in a link must have at most 8,000 characters. Got 8,001."),
        (packed(b"x" * 1_000_000), "A talk's file must be ≤ 400,000 bytes. Got 400,001."),
        (packed(b"title = 1")[:-6], "A talk's link must be copied whole"),
        (packed(b'title = "x"'), "scenes must be 1–60. Got 0."),
    ],
)
def test_a_hostile_link_is_refused_by_a_sentence(code: str, begins: str) -> None:
    with pytest.raises(InputError) as error:
        link.decode(code)
    assert str(error.value).startswith(begins)
