"""The interview questions: the syllabus's wording, and everything that each must have."""

from __future__ import annotations

import re

import pytest

from engine.errors import InputError
from engine.practice import content, design
from engine.practice.content import KINDS, PATTERNS, questions
from engine.practice.evidence import COMPUTED, MEASURED
from pages.shell import lessons
from tests.test_plain_words import WORDS

SYLLABUS = {  # word for word
    "Lesson questions": [
        "You need to store 1TB of tabular data for ML. CSV or Parquet? Why?",
        (
            "Design an ETL pipeline for daily user activity data. How do you handle late-arriving"
            " data?"
        ),
        "You have a fraud detection dataset with 0.1% positives. How do you handle this?",
        "Your model has 99% accuracy but fails in production. What could be wrong?",
        "How would you ensure consistent features between training and serving?",
        "When would you use Spark instead of Pandas?",
        "How would you orchestrate a daily model retraining pipeline?",
    ],
    "Pipeline design": [
        "Design a data pipeline for processing 1TB daily",
        "How do you handle schema evolution?",
        "Explain your approach to incremental processing",
    ],
    "Data quality": [
        "How do you ensure data quality in production?",
        "What tests do you write for data pipelines?",
        "How do you detect data drift?",
    ],
    "Leakage": [
        "What is data leakage? Give examples",
        "How do you prevent temporal leakage?",
        "Explain target leakage with examples",
    ],
    "Scalability": [
        "When do you need Spark?",
        "How do you optimize Spark jobs?",
        "Pandas vs Spark - when to use what?",
    ],
    "Feature engineering": [
        "What's a feature store and why use it?",
        "How do you version features?",
        "Explain training-serving skew",
    ],
}


def test_the_wording_and_the_groups_are_the_syllabus_s() -> None:
    found: dict[str, list[str]] = {}
    for question in questions():
        found.setdefault(question.group, []).append(question.text)
    assert found == SYLLABUS
    assert found["Lesson questions"] == [
        lessons.load(topic).question for topic in lessons.topics() if topic != "pipeline"
    ]


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.id)
def test_a_question_has_a_speakable_answer_signs_follow_ups_and_scenes(
    question: content.Question,
) -> None:
    words = len(re.sub(r"\{.*?\}", "", question.answer).split())
    assert 150 <= words <= 330  # about two minutes
    assert 3 <= len(question.strong) <= 5 and 2 <= len(question.weak) <= 3
    assert 2 <= len(question.followups) <= 4
    for follow in question.followups:
        assert follow.text.endswith("?") or follow.text.endswith(".")
        assert 10 <= len(follow.answer.split()) <= 80
    for topic, title in question.scenes:
        assert title in [scene.title for scene in lessons.load(topic).scenes]
    for source in question.sources:
        topic, _, experiment = source.partition(".")
        assert experiment in lessons.load(topic).experiments


def test_drift_and_loss_of_a_machine_are_seen_where_they_happen() -> None:
    """Questions that the labs once only talked about: each opens what shows it."""
    monitor = {
        scene.title for scene in lessons.load("pipeline").scenes if "weeks_drift" in scene.chart
    }
    assert monitor & {title for _, title in content.question_of("drift").scenes}
    cluster = {
        scene.title
        for scene in lessons.load("spark").scenes
        if scene.params.get("spark_tab") == "Cluster"
    }
    for name in ("design_1tb", "need_spark"):
        assert cluster & {title for _, title in content.question_of(name).scenes}


def test_no_number_of_a_run_is_written_by_hand() -> None:
    """A share, a factor or a time in an answer would be a canned measurement."""
    written = re.compile(r"\d(?:×| ms\b| s\b| MB\b| kB\b)|AUC (?:of )?0\.\d")
    rules = {"200 MB"}  # of thumb, for file sizes
    for question in questions():
        found = [one for one in written.findall(question.answer) if one not in rules]
        assert len(found) <= (2 if "MB" in question.answer else 0), (question.id, found)


def test_every_pattern_of_production_is_asked_often() -> None:
    kinds = [follow.kind for question in questions() for follow in question.followups]
    assert all(kinds.count(pattern) >= 6 for pattern in PATTERNS)
    assert set(kinds) <= set(KINDS)


def test_every_source_is_quoted_and_every_rule_of_the_canvas_has_its_question() -> None:
    quoted = {source for question in questions() for source in question.sources}
    assert quoted == {*COMPUTED, *MEASURED}
    code = design.FOLLOWUPS.with_name("design.py").read_text("utf-8")
    rules = set(re.findall(r'Consequence\(\s*"(\w+)"', code))
    assert {*rules, "none"} - {"engine_busy"} == set(design.followups()) - {"engine_busy"}


def test_the_words_are_plain() -> None:
    texts = [path.read_text("utf-8") for path in content.FOLDER.glob("*.toml")]
    texts.append(design.FOLLOWUPS.read_text("utf-8"))
    for text in texts:
        plain = re.sub(r"\{.*?\}", "", text)
        assert [rule for rule in WORDS if re.search(rule, plain, re.IGNORECASE)] == []


GOOD = """
group = "G"
[[question]]
id = "one"
text = "Why?"
answer = '''
Because.

{formats.race}'''
strong = ["a", "b", "c"]
weak = ["d", "e"]
scenes = [["formats", "A scene"]]
[[question.followup]]
kind = "cost"
text = "And?"
answer = "So."
[[question.followup]]
kind = "cost"
text = "And?"
answer = "So."
"""


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('group = "G"', "group = 3", "x.toml: group must be a text"),
        ('id = "one"', 'id = "No!"', "x.toml [[question]] 1: id must be"),
        ('text = "Why?"', 'text = " "', "x.toml [[question]] 1: text must be a text"),
        ('weak = ["d", "e"]', "", "x.toml [[question]] 1: weak must be given"),
        ('weak = ["d", "e"]', 'weak = ["d"]', "weak must have 2–3 entries"),
        ('weak = ["d", "e"]', 'weak = ["d", 4]', "weak must be a text"),
        ('weak = ["d", "e"]', 'weak = ["d", "e"]\nhint = 1', "Got hint"),
        ('["formats", "A scene"]', '["formats"]', "scenes must be [topic, title]"),
        ("{formats.race}", "{formats.rice}", "source that exists"),
        ("{formats.race}", "words {formats.race}", "answer must quote"),
        ('kind = "cost"', 'kind = "money"', "followup 1: kind must be one of"),
        ('kind = "cost"', "", "followup 1: kind must be given"),
        ('group = "G"', "group = ", "x.toml must be TOML"),
        ("[[question]]", "[[questions]]", "x.toml: must have at least one"),
    ],
)
def test_a_mistake_names_file_entry_and_field(before: str, after: str, message: str) -> None:
    assert len(content.read("x.toml", GOOD)) == 1
    with pytest.raises(InputError) as error:
        content.read("x.toml", GOOD.replace(before, after, 1))
    assert message in str(error.value)
