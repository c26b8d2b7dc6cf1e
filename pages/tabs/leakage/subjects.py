"""The tab of the Leakage lab that has two subjects."""

from __future__ import annotations

from pages.tabs.subject import Subject

AUDIT = Subject("audit_subject", "A table", "Famous leaks", "famous_")
