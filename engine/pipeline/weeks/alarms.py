"""How often each distance would call drift where there is none, by rows and by whole days, as the
stage ``monitor`` simulated it in a run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from engine.pipeline import choice, store
from engine.pipeline.stages.monitor import LIMITS
from engine.pipeline.stages.training_set import NAMES
from engine.units import format_number


@dataclass(frozen=True, slots=True)
class AlarmRates:
    """Shares (0–1) of batches without drift beyond the limit, feature -> distance -> share."""

    by_row: dict[str, dict[str, float]]
    by_day: dict[str, dict[str, float]]
    batch_rows: int
    draws: int
    batch_days: int
    deals: int

    def of(self, distance: str) -> dict[str, tuple[float, float]]:
        """Return for each feature the shares of a distance, by rows and by days."""
        return {
            name: tuple(  # type: ignore[misc]
                found[name].get(distance, float("nan")) for found in (self.by_row, self.by_day)
            )
            for name in NAMES
        }

    def note(self, distance: str) -> str:
        """Return what was simulated, in two sentences."""
        return (
            f"By rows: {self.draws} batches of {format_number(self.batch_rows)} flights drawn from"
            f" the learned days. By days: {self.deals} random splits, {self.batch_days} whole"
            f" learned days against the others. Limit {LIMITS[distance]:g}."
        )


@lru_cache(maxsize=8)
def _read(run_id: str) -> AlarmRates:
    record = choice.find(run_id).stage("monitor")
    path = store.place("monitor", record.key if record else "") / "monitor.json"
    made = json.loads(path.read_text("utf-8"))
    return AlarmRates(
        made["false_alarms"],
        made["false_alarms_by_day"],
        made["batch_rows"],
        made["draws"],
        made["batch_days"],
        made["deals"],
    )


def rates(run_id: str) -> AlarmRates:
    """Return the rates of a run; of ``""`` the latest with the first settings.

    Raises
    ------
    InputError
        No such run is kept.
    """
    return _read(choice.find(run_id).id)
