"""Quality gate: a batch with its faults, the rules that see them, what waits in quarantine and what
is seen downstream.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.etl import quality
from engine.etl import rules as quality_rules
from engine.etl.quality import (
    FAULTS,
    GATES,
    TABLES,
    QualityParams,
    QualityResult,
    load_tests,
    schema_drift,
)
from engine.etl.quality import code as script
from engine.etl.quality import figure as figures
from engine.etl.quality.load_tests import TestsResult
from engine.etl.quality.schema_drift import CHANGES, POLICIES
from pages.shell import lab, texts, work

D = QualityParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Downstream", "Quarantine", "Schema changes", "Tests")
run = st.cache_resource(max_entries=64, show_spinner=False)(quality.run)


def _params() -> QualityParams:
    table = st.segmented_control(
        "Table",
        TABLES,
        default=D.table,
        required=True,
        key="quality_table",
        help="Real rows with their own faults",
        **BOUND,
    )
    fault = st.selectbox(
        "Injected fault",
        FAULTS,
        FAULTS.index(D.fault),
        key="quality_fault",
        help="As it happens in production",
        **BOUND,
    )
    dose = st.slider(
        "Dose, share of the rows",
        0.0,
        0.5,
        D.dose,
        0.01,
        key="quality_dose",
        help="Rows struck",
        **BOUND,
    )
    gate = st.segmented_control(
        "Gate", GATES, default=D.gate, required=True, key="quality_gate",
        help="Off: all is loaded. Quarantine: rows that break a rule wait. Stop: one such row, and nothing is loaded", **BOUND
    )  # fmt: skip
    limit = st.slider(
        "Quarantine at most, share", 0.0, 1.0, D.max_quarantined, 0.05, key="quality_max_quarantined",
        help="With more, the gate stops the batch", disabled=gate != "quarantine", **BOUND
    )  # fmt: skip
    return QualityParams(
        table=table, fault=fault, dose=dose, gate=gate, max_quarantined=limit, **_more(table)
    )


def _more(table: str) -> dict[str, Any]:
    with st.expander("Days, rules, seed"):
        first = st.slider(
            "First day of 2013",
            1,
            337,
            D.first_day,
            key="quality_first_day",
            help="39: 8 February",
            **BOUND,
        )
        n_days = st.slider(
            "Days", 1, 28, D.n_days, key="quality_n_days", help="Planes are one snapshot", **BOUND
        )
        rules = st.text_area(
            "Rules of your own (TOML)", D.rules, key="quality_rules", height=160, max_chars=quality.MAX_RULES,
            placeholder=quality_rules.CONTRACTS.get(table, ""), help="Empty: the built-in rules, shown in grey", **BOUND
        )  # fmt: skip
        seed = st.slider(
            "Seed", 0, 99, D.seed, key="quality_seed", help="Of the rows struck", **BOUND
        )
    return {"first_day": first, "n_days": n_days, "rules": rules, "seed": seed}


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
        "The source's change", CHANGES, key="quality_change", help="Overnight, unannounced", **BOUND
    )
    policy = right.selectbox(
        "Policy of the load",
        POLICIES,
        key="quality_policy",
        help="What a load does with it",
        **BOUND,
    )
    cell = schema_drift.cell(change, policy)
    lab.chart(
        figures.schema_matrix(cell),
        "quality_schema",
        "What happens downstream for each schema change and policy",
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
    """Draw the generated tests; they run once a person has asked for it, for the rules may have
    come by a link.
    """
    code = script.tests(params)
    if work.approved("quality_tests", params, "Run these tests"):
        work.run("quality_tests", params, load_tests.steps, _show_tests)
        return
    st.caption(
        "Five tests of the load, written from the rules in use. None has run yet: read the code"
        " first."
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
        "The code that ran, once, in a process of its own. BATCH names a Parquet file; `python -m"
        f" pytest {name}` runs it too."
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


@lab.experiment("quality")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("etl", "quality")
    with output:
        result = run(params)
        texts.say(result.verdict)
        figure = figures.checks(result, lab.pinned("quality"))
        lab.chart(figure, "quality_checks", "Rows that break each rule, injected and real")
        view = st.segmented_control(
            "Look closer",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="quality_view",
            label_visibility="collapsed",
            **BOUND,
        )
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
        lab.report("etl", "quality", result, figure)
