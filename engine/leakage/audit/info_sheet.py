"""The model info sheet: what was audited, what was found, what was not looked at, by Kapoor and
Narayanan's types.

After the sheets that Kapoor and Narayanan (2023) ask authors for: for each type of leakage an
argument, here the evidence.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html import escape
from typing import Any

from engine import html_page
from engine.leakage.audit.findings import ABOUT, INVISIBLE, KINDS
from engine.leakage.audit.result import AuditResult
from engine.texts import strip_marks

TITLE = "Model info sheet: leakage"
STYLE = """.certain{color:#B0421A;font-weight:600}.suspicious{color:#9A6A00;font-weight:600}
.note{color:#666}"""


def sheet(result: AuditResult) -> dict[str, Any]:
    """Return the sheet as plain data: one entry for each of the eight types."""
    types = []
    for kind, words in KINDS.items():
        detectors = [name for name, about in ABOUT.items() if about.kind == kind]
        checks = [check for check in result.checks if check.detector in detectors]
        types.append(
            {
                "type": kind,
                "words": words,
                "findings": [
                    {
                        "severity": f.severity,
                        "detector": f.detector,
                        "mechanism": f.mechanism,
                        "columns": list(f.columns),
                        "where": f.where,
                        "evidence": f.evidence,
                        "rows": list(f.rows),
                        "fix": f.fix,
                    }
                    for f in result.findings
                    if f.kind == kind
                ],
                "ran": [check.detector for check in checks if check.ran],
                "not_run": {check.detector: check.why_not for check in checks if not check.ran},
                "not_in_any_table": [
                    {"leak": what, "check": check} for what, k, check in INVISIBLE if k == kind
                ],
            }
        )
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "target": result.target,
        "task": "two classes (AUC)" if result.binary else "number (R²)",
        "rows": result.n_rows,
        "columns": result.n_columns,
        "verdict": strip_marks(result.verdict),
        "remarks": list(result.remarks),
        "columns_not_audited": result.skipped,
        "column_scores": {name: round(score.value, 4) for name, score in result.scores.items()},
        "types": types,
    }


def as_json(result: AuditResult) -> str:
    """Return the sheet as JSON."""
    return json.dumps(sheet(result), indent=1, default=str, ensure_ascii=False)


def _make_row(finding: dict[str, Any]) -> str:
    """Return a finding as a row of the HTML table."""
    cells = (
        finding["where"],
        finding["evidence"],
        ", ".join(map(str, finding["rows"])),
        finding["fix"],
    )
    severity = finding["severity"]
    rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f"<tr><td class='{severity}'>{severity}</td>{rest}</tr>"


def as_html(result: AuditResult) -> str:
    """Return the sheet as one HTML page that needs nothing else."""
    data = sheet(result)
    parts = [
        f"<h1>{TITLE}</h1>",
        f"<p>{escape(data['verdict'])}</p>",
        (
            f"<p>Target <b>{escape(data['target'])}</b>, {data['task']}, {data['rows']:,} rows ×"
            f" {data['columns']} columns, audited {data['made_at']}."
            f" {escape('; '.join(data['remarks']))}</p>"
        ),
    ]
    for entry in data["types"]:
        parts.append(f"<h2>{entry['type']} {escape(entry['words'])}</h2>")
        rows = "".join(map(_make_row, entry["findings"]))
        if rows:
            parts.append(
                f"<table><tr><th>severity<th>columns<th>evidence<th>rows<th>fix</tr>{rows}</table>"
            )
        if entry["ran"]:
            parts.append(
                "<p>Checked by:"
                f" {escape(', '.join(entry['ran']))}.{'' if rows else ' Nothing flagged.'}</p>"
            )
        not_run = [f"{name} ({why})" for name, why in entry["not_run"].items()]
        if not_run:
            parts.append(f"<p>Not run: {escape('; '.join(not_run))}.</p>")
        parts += [
            f"<p>In no table: {escape(i['leak'])}. Check: {escape(i['check'])}.</p>"
            for i in entry["not_in_any_table"]
        ]
    return html_page.page(TITLE, "\n".join(parts), style=STYLE)
