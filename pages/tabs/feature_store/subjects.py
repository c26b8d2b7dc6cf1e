"""The tab of the Feature store lab that has three parts."""

from __future__ import annotations

from pages.tabs.subject import Subject

LINEAGE, CALLS, DEFINE = "Lineage", "Architecture", "Define"
REGISTRY = Subject("registry_part", (LINEAGE, CALLS, DEFINE), "Part")
