"""``url_keys.toml`` lists everything that a link can set and where it goes; a new key must say so
before its tests pass.

Held against the pages' code (every bound call) and against the running pages (what Streamlit
binds). Each free text is attacked here: a link with it opens, nothing in it is carried out, and
what is refused is refused in a sentence.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.leakage.pipeline import MECHANISMS
from pages.shell import lessons
from tests.browser.hostile import TEXTS as MARKED
from tests.pages import url_keys_read
from tests.pages.url_keys_read import KINDS
from tests.pages.visit import open_page

LISTED = tomllib.loads((Path(__file__).parent / "url_keys.toml").read_text(encoding="utf-8"))
TOPICS = sorted(path.stem for path in lessons.FOLDER.glob("*.toml"))
EXPERIMENTS = [name for topic in TOPICS for name in lessons.load(topic).tabs]
PUT_TOGETHER = {  # key as the code spells it, kind -> the keys that come of it
    ("{tab_key}", "choice"): [f"{topic}_tab" for topic in TOPICS],
    ("{}", "choice"): [f"{name}_panel" for name in EXPERIMENTS],
    ("{}", "text"): ["lineage_drawn"],
    ("{}", "number"): ["point_in_time_label", "lineage_made", "lineage_removed"],
    ("{}_table", "choice"): ["race_table", "bytes_read_table"],
    ("lineage_{}", "choice"): ["lineage_x_column", "lineage_y_column"],
    ("race_{}", "number"): ["race_null_share", "race_sortedness", "race_entropy"],
    ("terabyte_{}_weight", "number"): [
        f"terabyte_{name}_weight" for name in ("storage", "scan", "load", "fidelity")
    ],
    ("dose_{}", "number"): [f"dose_{name}" for name in MECHANISMS],
}
DRAWN_AS = {  # Streamlit's element -> kind
    "tab_container": "choice",
    "button_group": "choice",
    "selectbox": "choice",
    "select_slider": "choice",
    "radio": "choice",
    "multiselect": "choices",
    "slider": "number",
    "number_input": "number",
    "toggle": "flag",
    "checkbox": "flag",
    "text_input": "text",
    "text_area": "text",
}


def listed() -> dict[str, str]:
    """Return the kind of every key in the list."""
    plain = {
        key: kind
        for kind in ("choice", "choices", "number", "flag")
        for key in LISTED[kind]["keys"]
    }
    return plain | dict.fromkeys(LISTED["text"], "text")


def in_code() -> dict[str, str]:
    """Return the kind of every key that the pages' code binds."""
    found = {}
    for spelled, widgets in url_keys_read.every().items():
        for kind in {KINDS[widget] for widget in widgets}:
            for key in PUT_TOGETHER[spelled, kind] if "{" in spelled else [spelled]:
                found[key] = kind
    return found


def nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", {}).values():
        yield from nodes(child)


def drawn(app: Any) -> dict[str, str]:
    """Return the kind of every key that Streamlit binds to the address on this page."""
    found = {}
    for node in nodes(app._tree):
        proto = getattr(node, "proto", None)
        key = getattr(proto, "query_param_key", "") or getattr(
            getattr(proto, "tab_container", None), "query_param_key", ""
        )
        if key:
            found[key] = DRAWN_AS[node.type]
    return found


def test_the_list_names_every_key_that_the_code_binds_and_no_other() -> None:
    assert listed() == in_code()


def test_no_key_is_listed_twice_and_each_kind_says_where_it_goes() -> None:
    keys = [
        key for kind in ("choice", "choices", "number", "flag") for key in LISTED[kind]["keys"]
    ] + list(LISTED["text"])
    assert len(keys) == len(set(keys))
    assert all(LISTED[kind]["sink"] for kind in ("choice", "choices", "number", "flag"))
    assert all(set(entry) == {"sink", "attacked_by"} for entry in LISTED["text"].values())


def test_free_texts_are_few_and_each_names_a_test_that_attacks_it() -> None:
    assert len(LISTED["text"]) <= 8
    root = Path(__file__).resolve().parents[2]
    for key, entry in LISTED["text"].items():
        path, name = entry["attacked_by"].split("::")
        code = (root / path).read_text(encoding="utf-8")
        assert f"def {name}(" in code and key in code, key


@pytest.mark.parametrize("topic", TOPICS)
def test_what_a_running_page_binds_is_listed_with_its_kind(topic: str) -> None:
    lesson, known = lessons.load(topic), listed()
    for name, label in lesson.tabs.items():
        found = drawn(open_page(topic, **{lesson.tab_key: label}))
        assert found.items() <= known.items(), {
            key: kind for key, kind in found.items() if known.get(key) != kind
        }
        assert {"present", lesson.tab_key} < set(found), "the tab and the mode at the least"
        assert any(key.startswith(f"{name}_") for key in found)


def test_a_widget_that_is_bound_is_seen_in_the_code() -> None:
    code = (
        'st.text_input("A", key="a", **BOUND)\nst.slider("B", 0, 1, key=f"b_{x}",'
        ' bind="query-params")\nst.toggle("C", key="c")'
    )
    assert url_keys_read.bound_keys(code) == [("a", "text_input"), ("b_{}", "slider")]


ATTACKED = {  # free text -> what else the link must say for it to be read
    "quality_rules": {"etl_tab": "Quality gate"},
    "schedule_cron": {"orchestration_tab": "Schedules"},
    "schedule_rrule": {"orchestration_tab": "Schedules", "schedule_kind": "rrule"},
    "schedule_zone": {"orchestration_tab": "Schedules"},
    "partitioning_typed": {},
    "lineage_drawn": {"lineage_source": "drawn"},
    "apis_query": {"spark_tab": "APIs", "apis_view": "SQL console"},
}
TOPIC_OF = {
    "quality": "etl",
    "schedule": "orchestration",
    "partitioning": "spark",
    "lineage": "sampling",
    "apis": "spark",
}


def values(folder: Path) -> dict[str, str]:
    """Return what a hostile link may hold; what is carried out leaves ``ran`` in ``folder``."""
    ran = folder / "ran"
    python = f"__import__('pathlib').Path({str(ran)!r}).touch()"
    return {
        "long": "a" * 100_000,
        "deep": "[" * 4_000,
        "nul": "a\0b",
        # escaped: neither an address nor Streamlit carries a lone one
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
    assert len(app.get("plotly_chart")) >= 1 or app.error or app.text_area or app.text_input
    assert sum(len(error.value) for error in app.error) < 5_000, (
        "an error is as long as a person reads"
    )
    time.sleep(0.05)
    assert list(tmp_path.iterdir()) == [] and not Path("ran").exists()


def test_every_free_text_is_attacked() -> None:
    assert set(ATTACKED) == set(LISTED["text"])
