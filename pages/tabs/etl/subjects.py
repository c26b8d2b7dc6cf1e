"""The tabs of the ETL lab that have two subjects."""

from __future__ import annotations

from pages.tabs.subject import Subject

GATE, ENRICH = "Gate", "Clean and join"
QUALITY = Subject("quality_subject", (GATE, ENRICH), prefixes={"enrich_": ENRICH})
DAILY, STREAM = "Daily run", "Stream"
LATE = Subject("late_subject", (DAILY, STREAM), prefixes={"streaming_": STREAM})
