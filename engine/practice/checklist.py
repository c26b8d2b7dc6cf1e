"""The course's checklist: each item with whether it is done and why, from the learner's record and
from results of real runs.

A proof is a fact of one run that the learner has had on screen: what, when, and its own number. It
is noted in the record as it happens, so that it outlives the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.practice.content import PATTERNS
from engine.units import format_bytes, format_seconds

BIG_BYTES = 1e9  # that Spark must have processed
PROOFS = ("spark", "feast", "prefect", "pipeline")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist. ``page`` and ``tab`` are where it can be done."""

    title: str
    done: bool
    why: str
    page: str = ""
    tab: str = ""  # label of the tab, "" for the page itself


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a learner."""

    lessons: Mapping[str, tuple[int, int]]  # name of the lesson -> steps done, steps
    proofs: Mapping[str, Mapping[str, str]]  # of PROOFS -> ``why`` and ``at``
    n_rated: int  # interview questions that were rated
    n_questions: int
    patterns: frozenset[str]  # kinds of follow-ups that were opened


def proof(
    name: str, result: Any, since: float, finished_at: float | None = None
) -> tuple[str, str] | None:
    """Return what a Result of the experiment ``name`` proves: one of ``PROOFS`` and why; ``None``
    for nothing, as for a run that is predicted, has not ended, or was there before the learner.

    ``since`` is when the session began, ``finished_at`` when the result's job ended, both in
    seconds since 1970.
    """
    own_job = finished_at is not None and finished_at >= since
    if name == "crossover" and own_job:
        cells = [one for one in result.cells if one.contestant == "Spark" and one.seconds]
        most = max(cells, key=lambda one: one.size_bytes, default=None)
        if most is not None and most.size_bytes > BIG_BYTES:
            took = format_seconds(most.median_seconds)
            return "spark", f"Spark processed {format_bytes(most.size_bytes)} of CSV in {took}."
    elif name == "registry" and own_job and result.complete:
        return "feast", "Feast applied, materialized and served the views of the Registry tab."
    elif name == "monitor" and hasattr(result, "run"):
        run = result.run
        if run.state == "completed" and not run.predicted and run.submitted_at >= since:
            took = format_seconds(run.seconds)
            return "prefect", f"Prefect completed {run.name} ({run.params.flow}) in {took}."
    elif name == "flow" and getattr(result, "run", None) is not None:
        run = result.run
        if run.state == "done" and run.began >= since:
            return "pipeline", f"Pipeline run {run.id} finished, {len(run.stages)} stages."
    return None


def items(facts: Facts) -> list[Item]:
    """Return the course's checklist in its order."""
    return [
        _lessons(facts),
        _proved(facts, "pipeline", "End-to-end project: a run of the pipeline", "pipeline", ""),
        _proved(facts, "spark", "More than 1 GB processed with Spark", "spark", "Spark or pandas"),
        _proved(
            facts, "feast", "A feature view materialized with Feast", "feature_store", "Registry"
        ),
        _proved(facts, "prefect", "An orchestrated run finished", "orchestration", "Run monitor"),
        _practised(facts),
        _patterns(facts),
    ]


def _lessons(facts: Facts) -> Item:
    done = [title for title, (n, of) in facts.lessons.items() if of and n >= of]
    open_ = [
        f"{title} ({n} of {of} steps)" if of else title
        for title, (n, of) in facts.lessons.items()
        if title not in done
    ]
    n = len(facts.lessons)
    why = f"{len(done)} of {n} paths are complete."
    if open_:
        why += f" Open: {', '.join(open_)}."
    return Item(f"All {n} lessons", bool(n) and not open_, why, "home")


def _proved(facts: Facts, key: str, title: str, page: str, tab: str) -> Item:
    found = facts.proofs.get(key)
    if found is None:
        why = "No such run of yours yet. A result that was there before you does not count."
        return Item(title, False, f"{why} Press Run or Run again.", page, tab)
    return Item(title, True, f"{found['why']} {found['at']}.", page, tab)


def _practised(facts: Facts) -> Item:
    why = f"{facts.n_rated} of {facts.n_questions} questions answered and rated."
    return Item(
        "Interview questions practiced", facts.n_rated >= facts.n_questions, why, "practice"
    )


def _patterns(facts: Facts) -> Item:
    missing = [one for one in PATTERNS if one not in facts.patterns]
    why = f"Follow-ups opened on {len(PATTERNS) - len(missing)} of {len(PATTERNS)} patterns."
    if missing:
        why += f" Missing: {', '.join(missing)}."
    return Item("Production patterns reviewed", not missing, why, "practice")
