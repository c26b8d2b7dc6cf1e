"""Quality gate: a batch with faults, the rules that catch them, the quarantine and the numbers
downstream; and, inside the same tab, cleaning and joins.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine import hosted
from engine.etl import quality
from engine.etl.contracts import CONTRACTS
from engine.etl.quality import QualityParams, QualityResult, load_tests, schema_drift, tests_code
from engine.etl.quality import figure as figures
from engine.etl.quality.load_tests import TestsResult
from engine.etl.quality.schema_drift import CHANGES, POLICIES
from pages.shell import controls, lab, texts, work
from pages.tabs.etl import enrich
from pages.tabs.etl.subjects import ENRICH, GATE, QUALITY

D = QualityParams()
VIEWS = ("Downstream", "Quarantine", "Schema changes", "Tests")
run = st.cache_resource(max_entries=64, show_spinner=False)(quality.run)


def _params() -> QualityParams:
    QUALITY.choose(GATE)
    table = controls.segmented(D, "table", "Table", help="Real rows with their own faults")
    fault = controls.selectbox(D, "fault", "Injected fault", help="As it happens in production")
    rate = controls.slider(
        D, "dose", "Fault rate", help="Share of the rows that are corrupted", percent=True
    )
    gate = controls.segmented(
        D,
        "gate",
        "Gate",
        help="Off: all is loaded. Quarantine: rows that break a rule are set aside. Stop: with one"
        " such row nothing is loaded",
    )
    limit = controls.slider(
        D,
        "max_quarantined",
        "Stop if quarantine >",
        help="With a larger share of the rows in quarantine the gate stops the batch",
        disabled=gate != "quarantine",
        percent=True,
    )
    return QualityParams(
        table=table, fault=fault, dose=rate, gate=gate, max_quarantined=limit, **_more(table)
    )


def _more(table: str) -> dict[str, Any]:
    with st.expander("Days, rules, seed"):
        return {
            "first_day": controls.day_slider(
                D, "first_day", "First day", help="8 February had a blizzard"
            ),
            "n_days": controls.slider(D, "n_days", "Days", help="Planes are one snapshot"),
            "rules": controls.text(
                D,
                "rules",
                "Your own rules (TOML)",
                help="Empty: the built-in rules, shown in grey. A null breaks only “must not be"
                " null”, as in SQL. In `unique` nulls are equal (pandera); for SQL's reading write"
                ' `unique_nulls = "distinct"` under `[table]`',
                area=True,
                height=160,
                placeholder=CONTRACTS.get(table, ""),
            ),
            "seed": controls.slider(D, "seed", "Seed", help="Of the corrupted rows"),
        }


def _quarantine(result: QualityResult) -> None:
    rows = result.reasons()
    more = f", the first {rows.num_rows:,} of them" if rows.num_rows < result.n_quarantined else ""
    st.caption(f"{result.n_quarantined:,} rows in quarantine{more}, each with the rules it breaks.")
    st.dataframe(
        rows, hide_index=True, key="quality_rows", alt="Rows in quarantine with their reasons"
    )


def _schema_changes() -> None:
    left, right = st.columns(2)
    change = left.selectbox(
        "Schema change",
        CHANGES,
        key="quality_change",
        help="Made by the source overnight, unannounced",
        bind="query-params",
    )
    policy = right.selectbox(
        "Load policy",
        POLICIES,
        key="quality_policy",
        help="What the load does with it",
        bind="query-params",
    )
    cell = schema_drift.cell(change, policy)
    lab.chart(
        figures.schema_matrix(cell),
        "quality_schema",
        "The result downstream for each schema change and policy",
    )
    st.markdown(
        f"**{cell.change}, {cell.policy}** ({schema_drift.WHAT[cell.change]}): {cell.detail}"
    )
    if cell.statements:
        st.code(";\n".join(cell.statements), language="sql", wrap_lines=True)
    if cell.error:
        st.code(cell.error, language=None, wrap_lines=True)
    st.caption(
        f"The target afterwards: {', '.join(cell.columns)}. Flights of 28 February and 1 March"
        " 2013."
    )


def _tests(params: QualityParams) -> None:
    """Draw the generated tests; they run only after a press, as the rules may come from a link."""
    code = tests_code.generate(params)
    off = hosted.off("tests")
    if not off and work.approved("quality_tests", params, "Run these tests"):
        work.run("quality_tests", params, load_tests.steps, _show_tests)
        return
    st.caption(
        "Five tests of the load, generated from the rules."
        f" {off or 'None has run yet: read the code first.'}"
    )
    st.code(code, language="python", height=420)


def _show_tests(result: TestsResult) -> None:
    texts.say(result.verdict)
    rows = [
        {
            "test": outcome["name"],
            "outcome": "passed" if outcome["passed"] else "failed",
            "why": outcome["message"],
            "seconds": f"{outcome['seconds']:.2f}",
        }
        for outcome in result.outcomes
    ]
    texts.table(rows, "Outcome of each generated test")
    name = f"test_{result.params.table}.py"
    st.caption(
        "The code that ran, in its own process. BATCH names a Parquet file; `python -m pytest"
        f" {name}` runs it too."
    )
    st.download_button(
        f"Download {name}",
        result.code,
        name,
        "text/x-python",
        key="quality_tests_download",
        on_click="ignore",
    )
    st.code(result.code, language="python", height=420)


def _show(params: QualityParams) -> None:
    result = run(params)
    with lab.screen("etl", "quality", result) as screen:
        screen.answer(
            figures.checks(result, lab.pinned("quality")),
            "quality_checks",
            "Rows that break each rule, injected and real",
        )
        view = controls.view("quality_view", VIEWS)
        if view == "Quarantine":
            _quarantine(result)
        elif view == "Schema changes":
            _schema_changes()
        elif view == "Tests":
            _tests(params)
        else:
            lab.chart(
                figures.downstream(result),
                "quality_downstream",
                "Error of each number downstream, with and without gate",
            )


_gate = lab.tab("etl", "quality", _params, _show)


def show() -> None:
    """Draw the tab: the gate, or cleaning and joins."""
    (enrich.show if QUALITY.chosen() == ENRICH else _gate)()
