"""The tab of the ETL lab that has two subjects."""

from __future__ import annotations

from pages.tabs.subject import Subject

QUALITY = Subject("quality_subject", "Gate", "Clean and join", "enrich_")
