"""Audit: every detector on a table, bundled or yours; what they catch of known plants; what no
table shows.
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

D = AuditParams()
BOARD = ScoreboardParams(n_plants=10)
VIEWS = ("Findings", "Scoreboard", "Coverage")
N_CLEAN = {1: 3, 10: 12, 30: 30}  # plants of each kind -> clean tables
COLORS = {"certain": "red", "suspicious": "orange", "note": "gray"}
FLIGHTS = ("late flights", "cancelled flights", "minutes late")


def _params() -> tuple[str, AuditParams | ScoreboardParams]:
    view = controls.view(
        "audit_view", VIEWS, "Show",
        help="Scoreboard: plants of known truth", label_visibility="visible",
    )  # fmt: skip
    return view, _board() if view == "Scoreboard" else _source()


def _board() -> ScoreboardParams:
    n_plants = controls.slider(
        BOARD, "n_plants", "Plants of each kind",
        help="30 of each take some minutes", key="audit_plants",
    )  # fmt: skip
    return ScoreboardParams(n_plants=n_plants, n_clean=N_CLEAN[n_plants])


def _source() -> AuditParams:
    source = controls.selectbox(
        D, "source", "Table", help="Real flights, made-up customers, your own"
    )
    if source == "upload":
        return _own(source)
    settings: dict[str, Any] = {}
    if source in FLIGHTS:
        settings["split"] = controls.segmented(
            D, "split", "Split", help="A quarter of the rows tests"
        )
        settings["group"] = controls.segmented(
            D, "group", "Group", help="What should not straddle it"
        )
    if source != "clean, made up":
        settings["clock"] = controls.toggle(
            D, "clock", "Say when each column is known",
            help="Flights: for a prediction two hours before departure",
        )  # fmt: skip
    with st.expander("Rows, seed"):
        settings["n_rows"] = controls.slider(D, "n_rows", "Rows", help="Flights drawn")
        settings["seed"] = controls.slider(D, "seed", "Seed", help="Of the rows, or of the made-up")
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
            "The unit that must not straddle the split: customer, patient, machine",
        ),
        "split_column": ("Split", "Train or test: lets duplicates, groups and bias be checked"),
    }
    chosen = {
        field: st.selectbox(label, others, key=f"audit_{field}", help=help)
        for field, (label, help) in roles.items()
    }
    return AuditParams(source=source, upload=path, target=target, **chosen)


def _show_findings(result: AuditResult) -> None:
    if not result.findings:
        return
    rows = [
        {
            "": f":{COLORS[f.severity]}[{f.severity}]",
            "columns": ", ".join(f.columns) or "the split",
            "leak": f"{f.mechanism} ({f.kind})",
            "evidence": f.evidence,
        }
        for f in result.findings
    ]
    texts.table(rows[:20], "What was found, the certain first")
    if len(rows) > 20:
        st.caption(f"20 of {len(rows)} findings; all of them are in Export.")
    labels = [
        f"{i + 1} · {f.detector}: {', '.join(f.columns) or 'the split'}"
        for i, f in enumerate(result.findings)
    ]
    label = st.selectbox(
        "Rows to look at, and the fix", labels, key="audit_finding", help="Row numbers count from 0"
    )
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
    texts.say(result.verdict)
    figure = figures.columns(result, lab.pinned("audit"))
    lab.chart(figure, "audit_columns", "Each column's own score, and which detectors name it")
    _show_findings(result)
    if result.complete:
        _offer_sheets(result)
    lab.report("leakage", "audit", result, figure)


def _show_scoreboard(result: ScoreboardResult) -> None:
    st.markdown(result.verdict)
    lab.chart(
        figures.scoreboard(result),
        "audit_scoreboard",
        "Share of the plants caught, by kind, with intervals",
    )
    st.caption(
        "Every plant's dose is drawn from its seed; no threshold was tuned on these seeds. A plant"
        " counts when it moves a random forest's score by 0.02. Grey: an effect whose moment"
        " nobody declares looks like a strong honest column, so no table shows it. Bars are"
        " Wilson's 95% intervals."
    )
    rows = [
        {
            "plant": row["plant"],
            "caught": f"{row['caught']} of {row['move_score']}",
            "by": row["by"] or "—",
            "of those that move less": row["caught_of_the_rest"],
        }
        for row in result.rows
    ]
    st.table(rows, hide_index=True, border="horizontal", alt="Plants caught by kind and detector")
    st.table(
        result.by_detector,
        hide_index=True,
        border="horizontal",
        alt="Catches and false alarms by detector",
    )


def _output(asked: tuple[str, AuditParams | ScoreboardParams]) -> None:
    view, params = asked
    if view == "Scoreboard":
        work.run("audit_scoreboard", params, scoreboard.steps, _show_scoreboard)
    elif view == "Coverage":
        st.table(
            findings.coverage(),
            hide_index=True,
            border="horizontal",
            alt="What sees each kind of leak, and what does not",
        )
    else:
        work.run("audit", params, audit.steps, _show)


show = lab.tab("leakage", "audit", _params, _output)
