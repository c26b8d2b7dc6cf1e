"""The hand-out: every scene with its chart and finding, no notes, no address, hostile titles as
letters. Its look and its print are tested in a browser.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs

from engine import figures, html_page
from engine.errors import InputError
from pages.talk import handout, recorded
from pages.talk.recorded import Recorded
from pages.talk.talk import Talk, TalkScene, shipped
from tests.pages.test_exports import addresses

NOTE = "Say this and nothing else"


def record(finding: str, version: str = "") -> Recorded:
    figure = figures.new("a title of its own", x="rows", y="seconds").add_bar(x=[1, 2], y=[3, 4])
    return Recorded(
        "chart", figure.to_json(), finding, "Bars", "It is **4**.", 1_700_000_000.0, version
    )


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Talk:
    """A talk of three labs, all of whose scenes have a record in a workspace of their own."""
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    scenes = (
        TalkScene("leakage", "A leak reports 100% accuracy", note=NOTE),
        TalkScene("formats", "The same rows, shuffled", title="<img src=x onerror=alert(1)>"),
        TalkScene("spark", "Zero jobs until the action", predict="Stages of a count", note=NOTE),
    )
    for number, scene in enumerate(scenes):
        recorded.save(scene, record(f"**Finding {number}** of [x](http://evil.example)"))
    return Talk("A <b>talk</b>", scenes)


def test_it_has_every_scene_and_no_note_no_address_no_markup_of_a_title(talk: Talk) -> None:
    whole = handout.render(talk)
    page = whole.replace(get_plotlyjs(), "")  # Plotly is in it once
    assert len(whole) - len(page) == len(get_plotlyjs())
    assert page.count("<section>") == page.count('class="plotly-graph-div"') == 3
    assert all(f"Finding {number} of" in page for number in range(3)) and "**" not in page
    assert NOTE not in page and "&lt;img" in page and "<img src=x" not in page
    assert talk.scenes[2].prediction is not None
    assert f"{talk.scenes[2].prediction.question} <strong>It is 4.</strong>" in page
    assert "measure = accuracy" in page and "a title of its own" not in page
    text = page.replace("http://evil.example", "")  # a text of ours is only text
    assert addresses(text) == [] and page.count(f'content="{figures.FILE_POLICY}"') == 1


def test_a_scene_without_a_record_is_named(talk: Talk) -> None:
    other = TalkScene("leakage", "Scaling on all rows: no effect")
    with pytest.raises(InputError, match="Got none of 4"):
        handout.render(Talk("t", (*talk.scenes, other)))


def test_a_record_is_of_its_settings_and_read_whatever_the_code(talk: Talk) -> None:
    first = talk.scenes[0]
    assert recorded.load(TalkScene(first.lab, first.scene, title="another")) is not None
    assert recorded.load(TalkScene(first.lab, first.scene, chart="dose_leaks")) is None
    found = recorded.load(first)
    assert found is not None and not found.current and found.when.startswith("14 Nov 2023")
    (path,) = (recorded._path(first),)
    path.write_text(path.read_text("utf-8")[:-9], encoding="utf-8")
    assert recorded.load(first) is None


def test_every_shipped_talk_says_what_to_do_and_adds_up() -> None:
    minutes = {name: round(one.minutes, 2) for name, one in shipped().items()}
    assert minutes == {"leakage": 15, "parquet": 14, "spark": 14, "tour": 5}
    for name in ("leakage", "parquet", "spark"):
        scenes = shipped()[name].scenes
        assert 9 <= len(scenes) <= 10 and all(one.note and one.title for one in scenes)
        assert sum(bool(one.predict) for one in scenes) == 1
        assert "Monday" in scenes[-1].title


def test_a_page_quotes_its_title_and_lets_no_script_run() -> None:
    page = html_page.page("<script>", "<p>body</p>")
    assert "<script" not in page and "default-src 'none'" in html_page.POLICY
    assert f'content="{html_page.POLICY}"' in page.partition("<style>")[0]
