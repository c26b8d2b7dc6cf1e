"""The glossary, its links in our own texts, and the search from Home."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from engine.errors import InputError
from engine.texts import inert
from pages.shell import glossary, lessons, search
from tests.browser.hostile import TEXTS as MARKED
from tests.pages.visit import open_page, problems, settle, texts

GUIDES = [
    (topic, name, text)
    for topic in lessons.topics()
    for name, text in lessons.load(topic).guide.items()
]
MARKDOWN = MarkdownIt("commonmark").enable("table")


@pytest.fixture
def other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "glossary.toml"
    monkeypatch.setattr(glossary, "PATH", path)
    glossary.terms.cache_clear()
    yield path
    glossary.terms.cache_clear()


def plain(markdown: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", MARKDOWN.render(markdown)))


def linked(markdown: str) -> list[tuple[str, str]]:
    """Return the address and the title of each link that is drawn."""
    return re.findall(r'<a href="([^"]*)"(?: title="([^"]*)")?', MARKDOWN.render(markdown))


def test_every_lab_has_its_terms_and_each_has_a_scene_that_shows_it() -> None:
    found = Counter(term.topic for term in glossary.terms())
    assert min(found.values()) >= 10 and 80 <= sum(found.values()) <= 180
    for term in glossary.terms():
        scene = lessons.load(term.topic).scenes[term.scene_number]
        assert scene.title == term.scene
        assert term.means.endswith(".") and len(term.means) <= 200


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "glossary.toml must be TOML"),
        ('"a" = { means = "b", scene = "none of these" }', "scene must be one of the lab"),
        ('"a" = { means = "b" }', "scene must be given"),
        ('"a" = { means = "b", scene = "c", mean = 1 }', "keys must be among .* Got mean"),
        ("'a' = { means = 'say \"b\"', scene = 'c' }", "means must have no"),
    ],
)
def test_a_mistake_in_the_glossary_is_named(line: str, message: str, other_file: Path) -> None:
    other_file.write_text(f"[formats]\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=message):
        glossary.terms()


@pytest.mark.parametrize(("topic", "name", "text"), GUIDES, ids=[f"{t}-{n}" for t, n, _ in GUIDES])
def test_a_guide_says_the_same_with_its_terms_linked_once_each(
    topic: str, name: str, text: str
) -> None:
    marked = glossary.marked(text, topic)
    assert plain(marked) == plain(text)
    links = linked(marked)
    assert max(Counter(links).values(), default=1) == 1
    means = {term.means for term in glossary.terms()}
    assert {unescape(title) for _, title in links} <= means
    assert all(address.startswith("#term-") for address, _ in links)


def test_a_lab_explains_a_word_in_its_own_sense_and_code_is_left_alone() -> None:
    text = "A partition and `a shuffle`; two Shuffles, shuffle."
    own = [term for term in glossary.terms() if term.name in ("partition", "shuffle")]
    assert {title for _, title in linked(glossary.marked(text, "spark"))} == {
        term.means for term in own
    }
    assert "[Shuffles](" in glossary.marked(text, "spark")
    assert "[partition](" not in glossary.marked(text, "etl")  # there it is a day's folder


@pytest.mark.parametrize("text", MARKED)
def test_what_a_person_wrote_becomes_no_link_beside_a_term(text: str) -> None:
    marked = glossary.marked(inert(f"Partition {text} shuffle"), "spark")
    assert all(address.startswith("#term-") for address, _ in linked(marked))


def test_reasons_and_guide_of_a_page_have_their_terms() -> None:
    app = open_page("formats", formats_tab="Bytes read")
    assert "(#term-row-group " in texts(app)
    settle(app.segmented_control(key="bytes_read_panel").set_value("Guide").run())
    assert "(#term-predicate-pushdown " in texts(app)


@pytest.mark.parametrize(
    ("question", "kind", "title"),
    [
        ("watermark", "Term", "watermark"),
        ("hash modulo", "Experiment", "Partition explorer"),
        ("AQE", "Term", "AQE"),
        ("skew clinic", "Experiment", "Skew clinic"),
        ("before-split", "Experiment", "Before-split trap"),
        ("feature stor", "Term", "feature store"),
        ("  The SAME rows, shuffled ", "Scene", "The same rows, shuffled"),
        ("99% accuracy", "Lab", "Leakage simulator"),
    ],
)
def test_the_best_answer_comes_first(question: str, kind: str, title: str) -> None:
    first = search.find(question)[0]
    assert (first.kind, first.title) == (kind, title)


def test_everything_is_found_by_its_own_title_and_nothing_by_nonsense() -> None:
    for one in search.entries():
        assert one.title in [found.title for found in search.find(one.title)], one
    assert search.find("xyzzy") == search.find(" ,. ") == search.find("watermark xyzzy") == []


def test_home_answers_with_links_that_bring_the_scene_on_screen() -> None:
    app = open_page("home")
    settle(app.text_input(key="search").set_value("row group").run())
    links = [one.proto for one in app.get("page_link")]
    link = next(one for one in links if "row group" in one.label)
    assert link.page == "formats"
    query = dict(pair.split("=") for pair in link.query_string.split("&"))
    lesson = lessons.load("formats")
    scene = lesson.scenes[int(query["scene"]) - 1]
    assert scene.title == next(t.scene for t in glossary.terms() if t.name == "row group")
    shown = open_page("formats", **query)
    assert problems(shown) == [] and scene.look_at in texts(shown)
    assert shown.session_state["formats_tab"] == scene.params["formats_tab"]
    settle(app.text_input(key="search").set_value("xyzzy ![](http://evil.example/x)").run())
    assert "Nothing has all of these words" in texts(app) and not linked(texts(app))


def test_a_link_to_an_experiment_opens_it_and_a_bad_one_opens_the_lab() -> None:
    assert open_page("sampling", open="focal").session_state["sampling_tab"] == "Focal loss"
    first = next(iter(lessons.load("sampling").tabs.values()))
    for query in ({"scene": "99999999", "open": "x", "kept": "x"}, {"scene": "²"}):
        app = open_page("sampling", **query)
        assert problems(app) == [] and app.session_state["sampling_tab"] == first


def test_the_glossary_lists_the_terms_of_each_lab() -> None:
    app = open_page("glossary")
    assert problems(app) == []
    first = lessons.topics()[0]
    shown = [link.proto.label for link in app.get("page_link")]
    for term in glossary.terms():
        assert any(f"**{term.name}**" in label for label in shown) == (term.topic == first)
        assert (term.means in texts(app)) == (term.topic == first)
