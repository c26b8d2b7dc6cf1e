"""The tabs of the Sampling lab that have two subjects."""

from __future__ import annotations

from pages.tabs.subject import Subject

SCHEMES, PRECISION = "Schemes", "How many rows"
SURVEY = Subject("survey_subject", (SCHEMES, PRECISION), prefixes={"precision_": PRECISION})
ALARMS, STRATEGIES = "Alarms a day", "Strategies"
ARENA = Subject("arena_subject", (ALARMS, STRATEGIES), prefixes={"arena_": STRATEGIES})
