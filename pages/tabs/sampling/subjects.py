"""The tabs of the Sampling lab that have two subjects."""

from __future__ import annotations

from pages.tabs.subject import Subject

SURVEY = Subject("survey_subject", "Schemes", "How many rows", "precision_")
ARENA = Subject("arena_subject", "Alarms a day", "Strategies", "arena_")
