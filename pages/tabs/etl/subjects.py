"""The tab of the ETL lab that has two subjects."""

from __future__ import annotations

from pages.tabs.subject import Subject

GATE, ENRICH = "Gate", "Clean and join"
QUALITY = Subject("quality_subject", (GATE, ENRICH), prefixes={"enrich_": ENRICH})
