"""Audit a table for leaks with engine.leakage, ours; the table is read as the lab reads it."""

import json

from engine.leakage import audit
from engine.leakage.audit import AuditParams, sources

PARAMS = AuditParams()
named = sources.load(PARAMS)
result = audit.audit_table(
    named.table,
    named.target,
    time=named.time,
    group=named.group,
    split=named.split,
    known_at=named.known_at,
)
for finding in result.findings:
    print(f"# {finding.severity}: {finding.detector}: {finding.evidence}")
print(json.dumps(result.headline()))
