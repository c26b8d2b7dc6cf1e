"""Mock interview, checklist, record and measured sentences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from engine.errors import InputError
from engine.etl.late import LateParams
from engine.etl.quality import QualityParams
from engine.formats import race
from engine.formats.race import RaceParams
from engine.jobs import JOBS, SERVER
from engine.practice import checklist, evidence, measures, mock, record
from engine.practice.checklist import Facts
from engine.practice.content import PATTERNS, questions
from engine.practice.evidence import Own
from engine.practice.mock import Said

# --- mock interview


def test_a_draw_is_four_questions_of_four_groups_and_its_number_decides_them() -> None:
    draws = [mock.draw(seed) for seed in range(60)]
    for drawn in draws:
        assert len({question.group for question in drawn}) == mock.N_QUESTIONS
    assert mock.draw(7) == draws[7]
    assert {question.id for drawn in draws for question in drawn} == {q.id for q in questions()}


def test_the_summary_says_what_was_shown_what_was_missing_and_quotes_safely() -> None:
    asked = mock.draw(3)
    first = asked[0]
    said = {first.id: Said("<b>*bold*</b> [x](http://y)", (0,), (1,), 2)}
    parts = mock.summary(asked, said, datetime(2026, 11, 29, 20, 5, tzinfo=UTC), 3)
    assert [heading for heading, _ in parts[1:]] == [
        f"{n}. {question.text}" for n, question in enumerate(asked, 1)
    ]
    lines = parts[1][1]
    assert f"Shown: {first.strong[0]}" in lines and f"Missing: {first.strong[1]}" in lines
    assert f"Weak sign: {first.weak[1]}" in lines
    assert sum(line.startswith("Follow-up") for line in lines) == 2
    html, markdown = mock.to_html(parts), mock.to_markdown(parts)
    assert "<b>" not in html.replace("<body>", "") and "&lt;b&gt;" in html
    assert "[x](" not in markdown and "\\[x\\]" in markdown
    assert markdown.count("\n## ") == 4


# --- checklist

FACTS = Facts({"Formats": (8, 8), "ETL": (3, 9)}, {}, 0, 22, frozenset())


def test_the_checklist_ticks_what_was_done_and_says_why() -> None:
    assert not any(item.done for item in checklist.items(FACTS))
    assert "ETL (3 of 9 steps)" in checklist.items(FACTS)[0].why
    proofs = {key: {"why": f"why {key}.", "at": "29 Nov 2026"} for key in checklist.PROOFS}
    done = Facts({"Formats": (8, 8)}, proofs, 22, 22, frozenset(PATTERNS))
    items = checklist.items(done)
    assert len(items) == 7 and all(item.done for item in items)
    assert items[2].why == "why spark. 29 Nov 2026."
    one_less = checklist.items(replace(done, patterns=frozenset(PATTERNS[1:])))[-1]
    assert not one_less.done and PATTERNS[0] in one_less.why


@dataclass
class Cell:
    contestant: str
    size_bytes: float
    seconds: tuple[float, ...] = (2.0,)
    median_seconds: float = 2.0


def flow(state: str, began: float) -> SimpleNamespace:
    return SimpleNamespace(run=SimpleNamespace(state=state, id="1", stages=(), began=began))


SINCE = 100.0  # the session's begin


@pytest.mark.parametrize(
    ("name", "result", "ended", "key"),
    [
        ("crossover", SimpleNamespace(cells=[Cell("Spark", 1.2e9)]), 101, "spark"),
        ("crossover", SimpleNamespace(cells=[Cell("Spark", 1.2e9)]), 99, None),
        ("crossover", SimpleNamespace(cells=[Cell("Spark", 1.2e9)]), None, None),
        ("crossover", SimpleNamespace(cells=[Cell("Spark", 9e8), Cell("pandas", 2e9)]), 101, None),
        ("crossover", SimpleNamespace(cells=[Cell("Spark", 2e9, ())]), 101, None),
        ("registry", SimpleNamespace(complete=False), 101, None),
        ("registry", SimpleNamespace(complete=True), 101, "feast"),
        ("registry", SimpleNamespace(complete=True), 99, None),
        ("race", SimpleNamespace(), 101, None),
        ("monitor", SimpleNamespace(), None, None),
        ("flow", SimpleNamespace(run=None), None, None),
        ("flow", flow("failed", 101), None, None),
        ("flow", flow("done", 101), None, "pipeline"),
        ("flow", flow("done", 99), 101, None),
    ],
)
def test_only_a_real_finished_run_of_this_session_is_a_proof(
    name: str, result: Any, ended: float | None, key: str | None
) -> None:
    found = checklist.proof(name, result, SINCE, ended)
    assert (found and found[0]) == key


@pytest.mark.parametrize(
    ("state", "predicted", "submitted", "counts"),
    [
        ("completed", False, 101, True),
        ("completed", True, 101, False),
        ("completed", False, 99, False),
        ("failed", False, 101, False),
    ],
)
def test_a_run_of_prefect_counts_if_it_is_real_completed_and_of_this_session(
    state: str, predicted: bool, submitted: float, counts: bool
) -> None:
    run = SimpleNamespace(state=state, predicted=predicted, submitted_at=submitted, seconds=3.0)
    run.name, run.params = "n", SimpleNamespace(flow="retraining")
    found = checklist.proof("monitor", SimpleNamespace(run=run), SINCE)
    assert (found is not None and found[0] == "prefect") == counts


# --- record


def test_a_filled_section_belongs_to_one_visitor() -> None:
    record.filled({})["questions"]["tests"] = {"notes": "mine"}
    record.filled({})["kinds"].append("cost")
    assert record.filled({}) == {"questions": {}, "kinds": [], "proofs": {}}


def test_a_record_of_practice_is_checked() -> None:
    question = {"notes": "x", "strong": [0], "weak": [], "rating": 3}
    good = {"questions": {"tests": question}, "kinds": ["cost"], "proofs": {}}
    record.check(good)
    record.check({})
    for broken in (
        {"questions": []},
        {"questions": {"tests": {**question, "rating": 9}}},
        {"questions": {"tests": {**question, "notes": "x" * (record.LONGEST_NOTE + 1)}}},
        {"questions": {"tests": {**question, "strong": [True]}}},
        {"questions": {"tests": {"notes": ""}}},
        {"kinds": ["money"]},
        {"kinds": "cost"},
        {"proofs": {"other": {}}},
        {"proofs": {"spark": {"why": 1, "at": ""}}},
        {"streak": 12},
    ):
        with pytest.raises(InputError, match="must"):
            record.check(broken)


# --- measured sentences


def test_a_sentence_is_the_learner_s_else_the_server_s_else_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    params = RaceParams(n_rows=1_000, repeats=1)
    monkeypatch.setattr(race, "default_job", lambda: (race.steps, params))
    assert evidence.find("formats.race") is None
    assert measures.find("formats.race") is None
    job = JOBS.submit(SERVER, (race.steps, params), "race", lambda: race.steps(params))
    assert job.ended.wait(60)
    found = evidence.find("formats.race")
    assert found is not None and found.origin == "server" and found.text == job.result.verdict
    assert found.at == job.finished_at
    own = evidence.own_of_job("race", (race.steps, params))
    assert own is not None
    mine = evidence.find("formats.race", {"race": own})
    assert mine is not None and mine.origin == "yours" and "n_rows 1000" in mine.mark
    projected = evidence.verdict_of("formats.terabyte", job.result)
    assert "TB" in projected
    figures = measures.formats_of(job.result)
    csv, zstd = job.result.lane("CSV"), job.result.lane("Parquet zstd")
    assert figures["CSV"].stored == 1
    assert figures["Parquet zstd"].stored == pytest.approx(zstd.file_bytes / csv.file_bytes)


def test_an_experiment_without_a_job_is_computed_and_the_learner_s_run_goes_first() -> None:
    found = evidence.find("etl.late")
    assert found is not None and found.origin == "computed" and "never counted" in found.text
    own = Own("All rows are counted.", LateParams(lookback_days=14), 1_764_000_000.0)
    mine = evidence.find("etl.late", {"late": own})
    assert mine is not None and mine.text == own.verdict and "lookback_days 14" in mine.mark
    with pytest.raises(InputError, match="source must be one of"):
        evidence.find("etl.none")


def test_a_text_of_a_person_s_is_named_and_not_quoted() -> None:
    params = QualityParams(rules="[[rule]] # https://elsewhere", n_days=3, fault="drift")
    assert evidence.changed(params) == "fault drift, n_days 3, your own rules"
    assert evidence.changed("/a/folder") == ""


def test_what_loads_did_becomes_figures() -> None:
    from engine.etl import loads

    figures = measures.loads_of(loads.expected(loads.LoadsParams()))
    assert figures["repeated"]["append"] == pytest.approx(2, abs=0.01)
    assert figures["repeated"]["upsert"] == pytest.approx(1, abs=0.01)
    assert 0 < figures["partial_lost"] < 1


def test_figures_of_engines_come_from_two_sizes() -> None:
    cells = [SimpleNamespace(size_bytes=n, median_seconds=1 + n * 2e-9) for n in (1e8, 1e9)]
    result = SimpleNamespace(
        points=lambda name: cells if name == "DuckDB" else cells[:1] if name == "pandas" else [],
        growth=lambda name: SimpleNamespace(each=3.0),
    )
    figures = measures.engines_of(result)
    assert set(figures) == {"DuckDB"}
    assert figures["DuckDB"].each_seconds == pytest.approx(2e-9)
    assert figures["DuckDB"].start_seconds == pytest.approx(1)
    assert figures["DuckDB"].memory == 3.0 and figures["DuckDB"].largest_bytes == 1e9
