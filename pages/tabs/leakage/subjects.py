"""The tab of the Leakage lab that has two subjects."""

from __future__ import annotations

from pages.tabs.subject import Subject

TABLE, FAMOUS = "A table", "Famous leaks"
AUDIT = Subject("audit_subject", (TABLE, FAMOUS), prefixes={"famous_": FAMOUS})
