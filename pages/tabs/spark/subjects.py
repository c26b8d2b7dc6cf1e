"""The tab of the Spark lab that has two subjects: where rows go, and how many partitions are
fastest.
"""

from __future__ import annotations

from pages.tabs.subject import Subject

EXPLORER, TUNER = "Where rows go", "How many"
PARTITIONS = Subject("partitioning_subject", (EXPLORER, TUNER), prefixes={"tuner_": TUNER})
