"""Two runs side by side: only what differs."""

from __future__ import annotations

from typing import Any

from engine.pipeline.records import Run, StageRecord


def flatten(values: Any, name: str = "") -> dict[str, Any]:
    """Return nested plain values as path -> value."""
    if isinstance(values, dict) and values:
        pairs = values.items()
    elif isinstance(values, list | tuple) and values:
        pairs = ((str(number), value) for number, value in enumerate(values))  # type: ignore[assignment]
    else:
        return {name: values}
    found: dict[str, Any] = {}
    for key, value in pairs:
        found |= flatten(value, f"{name}.{key}" if name else str(key))
    return found


def facts(record: StageRecord | None) -> dict[str, Any]:
    """Return what is compared of a stage: what it made, not how long it took."""
    if record is None:
        return {}
    given = {"rows in": record.n_in, "rows out": record.n_out, "content": record.digest[:12]}
    given |= {"dropped": record.dropped, "details": record.details, "error": record.error}
    return flatten(given)


def differences(first: Run, second: Run, everything: bool = False) -> list[dict[str, Any]]:
    """Return one row for each value that is not the same, or for each: stage, what, first, second;
    the settings come first, as stage ``settings``.
    """
    names = [record.stage for record in max(first.stages, second.stages, key=len)]
    parts: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("settings", flatten(first.params), flatten(second.params))
    ]
    parts += [(name, facts(first.stage(name)), facts(second.stage(name))) for name in names]
    return [
        {"stage": stage, "what": what, "first": one.get(what), "second": two.get(what)}
        for stage, one, two in parts
        for what in dict.fromkeys([*one, *two])
        if everything or one.get(what) != two.get(what)
    ]


def stages_that_differ(first: Run, second: Run) -> list[str]:
    """Return the stages whose content is not the same, or that one run has not come to."""
    digests = [{record.stage: record.digest for record in run.stages} for run in (first, second)]
    names = dict.fromkeys([*digests[0], *digests[1]])
    return [name for name in names if digests[0].get(name) != digests[1].get(name)]


def as_text(rows: list[dict[str, Any]]) -> str:
    """Return the differences as lines."""
    if not rows:
        return "The two runs have the same settings and made the same at every stage."
    return "\n".join(
        f"{row['stage']:13}{row['what']}: {row['first']} → {row['second']}" for row in rows
    )
