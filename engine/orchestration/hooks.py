"""State-change hooks of the lab's flows: Prefect calls them in the worker when a run ends, and they
write one line each.

Real: these are Prefect's ``on_completion``, ``on_failure``, ``on_crashed`` and ``on_cancellation``.
A hook dies with its process: a run that is killed leaves no line, which is why the alert list reads
the kept runs as well.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import workspace

HOOKS = ("on_completion", "on_failure", "on_crashed", "on_cancellation")
MOST_LINES = 2_000  # that are read


@dataclass(frozen=True, slots=True)
class HookCall:
    """One call of a hook."""

    run_id: str
    hook: str
    state: str
    message: str
    at: float  # seconds since the epoch, when the hook ran
    after_seconds: float  # since the state was reached


def path() -> Path:
    """Return the file that the hooks append to."""
    return workspace.server() / "alerts.jsonl"


def options() -> dict[str, list[Any]]:
    """Return the hooks as ``Flow.with_options`` takes them."""
    return {name: [_hook(name)] for name in HOOKS}


def _hook(name: str) -> Any:
    def hook(flow: Any, flow_run: Any, state: Any) -> None:
        now = time.time()
        line = {
            "run_id": str(flow_run.id),
            "hook": name,
            "state": str(state.name),
            "message": str(state.message or "")[:500],
            "at": now,
            "after_seconds": max(now - state.timestamp.timestamp(), 0.0),
        }
        with path().open(
            "a", encoding="utf-8"
        ) as file:  # one short line, appended at once: writers do not mix
            file.write(json.dumps(line) + "\n")

    hook.__name__ = name
    return hook


def calls() -> dict[str, HookCall]:
    """Return the last line of each run; lines that cannot be read are passed over."""
    if not path().exists():
        return {}
    found = {}
    for line in path().read_text(encoding="utf-8", errors="replace").splitlines()[-MOST_LINES:]:
        try:
            one = HookCall(**json.loads(line))
        except (ValueError, TypeError):
            continue
        found[one.run_id] = one
    return found
