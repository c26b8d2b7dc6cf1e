"""Audit: every detector on a table, bundled or yours; what they find of injected leaks; what no
table shows; and, inside the same tab, five famous leaks.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.leakage import audit
from engine.leakage.audit import AuditParams, AuditResult, findings, info_sheet, scoreboard, sources
from engine.leakage.audit import figure as figures
from engine.leakage.audit.scoreboard import ScoreboardParams, ScoreboardResult
from engine.leakage.audit.sources import NONE
from pages.shell import controls, lab, texts, upload, work
from pages.tabs.leakage import famous
from pages.tabs.leakage.subjects import AUDIT, FAMOUS, TABLE

D = AuditParams()
BOARD = ScoreboardParams(n_plants=10)
VIEWS = ("Findings", "Scoreboard", "Coverage")
DETAILS = ("List", "Rows and fix", "Info sheet")
N_CLEAN = {1: 3, 10: 12, 30: 30}  # leaks of each kind -> clean tables
COLORS = {"certain": "red", "suspicious": "orange", "note": "gray"}
FLIGHTS = ("late flights", "cancelled flights", "minutes late")


def _params() -> tuple[str, AuditParams | ScoreboardParams]:
    AUDIT.choose(TABLE)
    view = controls.view(
        "audit_view", VIEWS, "Show",
        help="Scoreboard: injected leaks, so the truth is known", label_visibility="visible",
    )  # fmt: skip
    return view, _board() if view == "Scoreboard" else _source()


def _board() -> ScoreboardParams:
    n_plants = controls.slider(
        BOARD, "n_plants", "Leaks of each kind",
        help="30 of each take minutes", key="audit_plants",
    )  # fmt: skip
    return ScoreboardParams(n_plants=n_plants, n_clean=N_CLEAN[n_plants])


def _source() -> AuditParams:
    source = controls.selectbox(
        D, "source", "Table", help="Real flights, synthetic customers, your own file"
    )
    if source == "upload":
        return _own(source)
    settings: dict[str, Any] = {}
    if source in FLIGHTS:
        settings["split"] = controls.segmented(
            D, "split", "Split", help="How the test quarter is chosen"
        )
        settings["group"] = controls.segmented(
            D, "group", "Group", help="The unit that must not be on both sides of the split"
        )
    if source != "clean, synthetic":
        settings["clock"] = controls.toggle(
            D, "clock", "Declare known times",
            help="When each column is known; flights: for a prediction two hours before departure",
        )  # fmt: skip
    with st.expander("Rows, seed"):
        settings["n_rows"] = controls.slider(D, "n_rows", "Rows", help="Random sample of flights")
        settings["seed"] = controls.slider(
            D, "seed", "Seed", help="For the rows or the synthetic table"
        )
    return AuditParams(source=source, **settings)


def _own(source: Any) -> AuditParams:
    path = upload.path("audit", help="Read in a child process under a memory and a time limit")
    names = sources.upload_columns(path)
    target = st.selectbox(
        "Target", names, len(names) - 1, key="audit_target", help="What a model would predict"
    )
    others = [NONE, *(name for name in names if name != target)]
    roles = {
        "time_column": (
            "Time",
            "The row's moment of prediction: lets time, windows and updates be checked",
        ),
        "group_column": (
            "Group",
            "The unit that must not be on both sides: customer, patient, machine",
        ),
        "split_column": ("Split", "Train or test: lets duplicates, groups and bias be checked"),
    }
    chosen = {
        field: st.selectbox(label, others, key=f"audit_{field}", help=help)
        for field, (label, help) in roles.items()
    }
    return AuditParams(source=source, upload=path, target=target, **chosen)


def _list_findings(result: AuditResult) -> None:
    rows = [
        {
            "": f":{COLORS[f.severity]}[{f.severity}]",
            "columns": f.where,
            "leak": f"{f.mechanism} ({f.kind})",
            "evidence": f.evidence,
        }
        for f in result.findings
    ]
    texts.table(rows[:20], "Findings, certain ones first")
    if len(rows) > 20:
        st.caption(f"20 of {len(rows)} findings; the file under Share has all.")


def _show_finding(result: AuditResult) -> None:
    """Draw one finding's fix and the rows it names."""
    labels = [f"{i + 1} · {f.detector}: {f.where}" for i, f in enumerate(result.findings)]
    label = st.selectbox("Finding", labels, key="audit_finding", help="Row numbers start at 0")
    finding = result.findings[labels.index(label) if label in labels else 0]
    texts.say(f"**Fix.** {finding.fix}")
    if finding.rows:
        table = sources.load(result.params).table
        shown = [
            name
            for name in dict.fromkeys((*finding.columns, result.target, *table.column_names))
            if name in table.column_names
        ]
        picked = table.select(shown[:12]).take(list(finding.rows))
        st.dataframe(
            picked.add_column(0, "row", [list(finding.rows)]),
            hide_index=True,
            key="audit_rows",
            alt="The rows named",
        )


def _offer_sheets(result: AuditResult) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Model info sheet")
        st.download_button(
            "HTML",
            lambda: info_sheet.as_html(result),
            "leakage.html",
            "text/html",
            key="audit_sheet_html",
            on_click="ignore",
        )
        st.download_button(
            "JSON",
            lambda: info_sheet.as_json(result),
            "leakage.json",
            "application/json",
            key="audit_sheet_json",
            on_click="ignore",
        )


def _show(result: AuditResult) -> None:
    if not result.scores:
        st.skeleton(height=420)
        return
    with lab.screen("leakage", "audit", result) as screen:
        screen.answer(
            figures.columns(result, lab.pinned("audit")),
            "audit_columns",
            "Each column's own score, and which detectors name it",
        )
        detail = controls.view("audit_detail", DETAILS)
        if detail == "Info sheet":
            if result.complete:
                _offer_sheets(result)
        elif result.findings:
            (_list_findings if detail == "List" else _show_finding)(result)


def _show_scoreboard(result: ScoreboardResult) -> None:
    if not result.select_counted():
        st.skeleton(height=420)
        return
    with st.container(key="answer", gap="small"):
        lab.chart(
            figures.scoreboard(result),
            "audit_scoreboard",
            "Share of the injected leaks found, by kind, with intervals",
            verdict=result.verdict,
        )
        st.caption(
            "The strength of each leak is drawn from its seed; no threshold was tuned on these"
            " seeds. A leak counts if it changes a random forest's score by 0.02. Grey: an effect"
            " with no declared time looks like a strong legitimate column. Bars: Wilson's 95%"
            " intervals."
        )
        rows = [
            {
                "leak": row["leak"],
                "found": f"{row['caught']} of {row['move_score']}",
                "by": row["by"] or "—",
                "found of weaker ones": row["caught_of_the_rest"],
            }
            for row in result.rows
        ]
        texts.table(rows, "Leaks found by kind and detector")
        texts.table(result.by_detector, "Leaks found and false alarms by detector")


def _output(asked: tuple[str, AuditParams | ScoreboardParams]) -> None:
    view, params = asked
    if view == "Scoreboard":
        work.run("audit_scoreboard", params, scoreboard.steps, _show_scoreboard)
    elif view == "Coverage":
        texts.table(findings.coverage(), "The detector or check for each kind of leak")
    else:
        work.run("audit", params, audit.steps, _show)


_tables = lab.tab("leakage", "audit", _params, _output)


def show() -> None:
    """Draw the tab: a table, or the famous leaks."""
    (famous.show if AUDIT.chosen() == FAMOUS else _tables)()
