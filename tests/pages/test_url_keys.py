"""``url_keys.toml`` lists everything that a link can set and where it goes.

Every page that a page test opens is held against the list (``visit.settle``), so a new key must be
entered there. Each free text is attacked here: a link with it opens, nothing in it is carried out,
and what is refused is refused in a sentence.
"""

from __future__ import annotations

import time
from dataclasses import fields
from pathlib import Path

import pytest

from engine.practice.design import DesignParams
from pages.shell import lessons
from tests.browser.hostile import TEXTS as MARKED
from tests.pages import url_keys
from tests.pages.url_keys import LISTED, listed
from tests.pages.visit import charts, open_page

PLAIN = ("choice", "choices", "number", "flag")
NO_FIELDS = {  # bound, but neither a field of Params nor a view in a lesson
    "mode",
    *("practice_tab", "practice_group", "practice_question", "mock_seed"),
    *(
        "apis_n_rows",
        "apis_n_tasks",
        "apis_look_ups",
    ),  # APIs' two side jobs
    *("sql_query", "sql_limit_seconds"),  # of one's own query
    *("crossover_flights", "crossover_penalty", "crossover_fits"),  # of the view ML
}


def test_what_is_listed_is_there() -> None:
    loaded = [lessons.load(topic) for topic in lessons.topics()]
    known = {key for lesson in loaded for key in lesson.defaults()}
    known |= {f"{name}_panel" for lesson in loaded for name in lesson.experiments} | NO_FIELDS
    known |= {f"design_{field.name}" for field in fields(DesignParams)}
    assert set(listed()) <= known, "a key that is gone leaves the list"


def test_no_key_is_listed_twice_and_each_kind_says_where_it_goes() -> None:
    keys = [key for kind in PLAIN for key in LISTED[kind]["keys"]] + list(LISTED["text"])
    assert len(keys) == len(set(keys))
    assert all(LISTED[kind]["sink"] for kind in PLAIN)
    assert all(set(entry) == {"sink", "attacked_by"} for entry in LISTED["text"].values())


def test_free_texts_are_few_and_each_names_a_test_that_attacks_it() -> None:
    assert len(LISTED["text"]) <= 8 and set(ATTACKED) == set(LISTED["text"])
    root = Path(__file__).resolve().parents[2]
    for key, entry in LISTED["text"].items():
        path, name = entry["attacked_by"].split("::")
        code = (root / path).read_text(encoding="utf-8")
        assert f"def {name}(" in code and f'"{key}"' in code, key


def test_an_unlisted_key_and_one_of_another_kind_are_seen() -> None:
    app = open_page("formats", formats_tab="Bytes read")
    found = url_keys.drawn(app)
    assert {"mode", "formats_tab", "bytes_read_seed", "bytes_read_panel"} <= set(found)
    assert url_keys.unlisted(found) == {}
    assert url_keys.unlisted({"bytes_read_seed": "text", "new_key": "flag"}) == {
        "bytes_read_seed": "text",
        "new_key": "flag",
    }


ATTACKED = {  # free text -> what else the link must say for it to be read
    "quality_rules": {"etl_tab": "Quality gate"},
    "schedule_cron": {"orchestration_tab": "Schedules"},
    "schedule_rrule": {"orchestration_tab": "Schedules", "schedule_kind": "rrule"},
    "schedule_zone": {"orchestration_tab": "Schedules"},
    "partitioning_typed": {},
    "lineage_drawn": {"lineage_source": "drawn"},
    "sql_query": {"spark_tab": "Spark SQL", "sql_name": "Your own"},
}
TOPIC_OF = {
    "quality": "etl",
    "schedule": "orchestration",
    "partitioning": "spark",
    "lineage": "sampling",
    "sql": "spark",
}


def values(folder: Path) -> dict[str, str]:
    """Return what a hostile link may hold; what is carried out leaves ``ran`` in ``folder``."""
    ran = folder / "ran"
    python = f"__import__('pathlib').Path({str(ran)!r}).touch()"
    return {
        "long": "a" * 100_000,
        "deep": "[" * 4_000,
        "nul": "a\0b",
        # Escaped, for neither an address nor Streamlit carries a lone surrogate.
        "surrogate": '[columns]\n"\\ud800" = { type = "text" }',
        "unseen": "a\u202eb\ufffec\u2028d\x1b[31m",
        "path": "../../../../etc/passwd",
        "python": python,
        "quotes": f'"""\n{python}\n"""',
        "toml": f"[columns]\ncarrier = {{ except = ['\"}} | {{str({python})}} | {{\"x'] }}",
        "sql": f"COPY (SELECT 1) TO '{ran}'",
        "shell": f"$(touch {ran}); `touch {ran}`",
        "template": "{{7*7}} ${7*7} %(x)s {0.__class__}",
        "marked": " ".join(MARKED),
    }


@pytest.mark.parametrize("value", list(values(Path())))
@pytest.mark.parametrize("key", ATTACKED)
def test_a_hostile_text_in_a_link_opens_and_is_not_carried_out(
    key: str, value: str, tmp_path: Path
) -> None:
    text = values(tmp_path)[value]
    topic = TOPIC_OF[key.rpartition("_")[0]]
    app = open_page(topic, **{**ATTACKED[key], key: text})
    assert not app.exception
    assert len(charts(app)) >= 1 or app.error or app.text_area or app.text_input
    assert sum(len(error.value) for error in app.error) < 5_000, (
        "an error is as long as a person reads"
    )
    time.sleep(0.05)
    assert list(tmp_path.iterdir()) == [] and not Path("ran").exists()
