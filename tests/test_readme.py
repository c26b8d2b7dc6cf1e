"""What the documents name is there: files, pictures, commands, variables, tabs and controls."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pages.shell import lessons
from pages.talk import talk
from tests.bench import hosting
from tests.browser import pictures

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "HOSTING.md", "SECURITY.md", "ARCHITECTURE.md", "CONTRIBUTING.md")
README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_commands_and_variables_are_there(name: str) -> None:
    text, makefile = (ROOT / name).read_text("utf-8"), (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target
    for command in re.findall(r"`make ([a-z]+)", text) + re.findall(r"^make (\w+)", text, re.M):
        assert re.search(rf"^{command}:", makefile, re.MULTILINE), command
    code = "\n".join(
        path.read_text("utf-8")
        for folder in ("engine", "pages", "tests", "deploy")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".yaml", ".conf", ".service")
    )
    bounds = "PLAYGROUND_HOSTED_"  # made of the fields of engine.hosted.Bounds
    for variable in set(re.findall(r"\b(?:PLAYGROUND|PREFECT)_[A-Z_]+\b", text)):
        assert variable in code or variable.startswith(bounds), variable


def test_the_first_five_minutes_find_their_tabs() -> None:
    for topic, tab in (("sampling", "SMOTE step-by-step"), ("formats", "Bytes read")):
        lesson = lessons.load(topic)
        assert f"*{lesson.short}*" in README and f"*{tab}*" in README
        assert tab in lesson.tabs.values()
    assert lessons.load("leakage").steps
    assert len(talk.shipped()) == 4 and "three and a tour are there" in README
    labs = [topic for topic in lessons.topics() if topic != "pipeline"]
    assert len(labs) == 7 and "**Seven labs**" in README


def test_each_lab_has_a_small_picture_of_one_of_its_scenes() -> None:
    assert list(pictures.SCENES) == list(lessons.topics())
    shown = re.findall(r"\((docs/pictures/\w+\.webp)\)", README)
    assert [Path(path).stem for path in shown] == list(pictures.SCENES)
    for topic, scene in pictures.SCENES.items():
        assert scene in [one.title for one in lessons.load(topic).scenes]
        assert (ROOT / "docs" / "pictures" / f"{topic}.webp").stat().st_size <= pictures.MOST_BYTES


@pytest.mark.parametrize("what", [*hosting.FAULTS, *hosting.BAD_INPUT])
def test_each_row_of_the_table_of_hosting_has_its_tests(what: str) -> None:
    for name in {**hosting.FAULTS, **hosting.BAD_INPUT}[what]:
        assert hosting.ids(name)
