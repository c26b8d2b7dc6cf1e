"""Dose and response."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseParams:
    """How much of each leak."""

    seed: int = 0
