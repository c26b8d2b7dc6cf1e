"""The script of *audit*: what the code panel shows."""

from __future__ import annotations

from engine.leakage.audit.sources import AuditParams
from engine.source_code import fill

SCRIPT = '''"""Audit a table for leaks with engine.leakage, which is ours; the table is read as the lab reads it."""
import json

from engine.leakage import audit
from engine.leakage.audit import AuditParams, sources

source = sources.load(@params)
roles = {"time": source.time, "group": source.group, "split": source.split, "known_at": source.known_at}
result = audit.run(source.table, source.target, **roles)
for finding in result.findings:
    print(f"# {finding.severity}: {finding.detector}: {finding.evidence}")
print(json.dumps(result.headline()))
'''


def script(params: AuditParams) -> str:
    """Return the script: one call of ``audit.run``."""
    return fill(SCRIPT, params=params)
