"""The first lines of a day's sources, as the stage ``ingest`` kept them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.pipeline import store

N_LINES = 3


def read_raw(params: dict[str, Any], key: str) -> dict[str, Any]:
    """Return header and first lines of the last day's file and the first weather lines of the day,
    with their numbers; ``params`` and ``key`` are the run's and of its ingest, over or not.
    """
    place = store.place("ingest", key)
    raw = (place if place.exists() else place.with_suffix(".part")) / "raw"
    day = params["days"][1]
    lines = _lines(raw / "flights" / f"flights-{day}.csv")
    hours = [line for line in _lines(raw / "weather.jsonl") if f'"time_hour": "{day}' in line]
    return {
        "flights": lines[: N_LINES + 1],
        "n_flights": max(0, len(lines) - 1),
        "weather": hours[:N_LINES],
        "n_weather": len(hours),
    }


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.is_file() else []
