"""What a method does with more than two classes, as the reasons beside the chart say it."""

from __future__ import annotations

import numpy as np

from engine.sampling.rows import Points
from engine.sampling.samplers import AGAINST_REST, BOTH, CLEANING, OVER, Method


def reasons(rows: Points, method: Method, sizes_after: np.ndarray) -> list[str]:
    """Return the classes with their rows, and whether the library takes each or the rest as one;
    nothing for two classes.
    """
    if not rows.has_more_classes:
        return []
    changes = [
        f"{rows.name_of(code)} {before:,}" + (f" → {after:,}" if before != after else "")
        for code, (before, after) in enumerate(zip(rows.sizes, sizes_after, strict=True))
    ]
    shown = ", ".join(changes[:12]) + (f" and {len(changes) - 12} more" if changes[12:] else "")
    return [f"**{len(changes)} classes**: {shown}.", f"**Scheme**: {_scheme(rows, method)}"]


def _scheme(rows: Points, method: Method) -> str:
    minority = rows.name_of(rows.minority)
    if method == "none":
        return "no class is changed."
    if method in AGAINST_REST:
        return (
            f"one against the rest. The library measures from its rarest class, so {minority} and"
            " all others as one class are passed."
        )
    if method in BOTH:
        return (
            f"all classes. Only {minority} gets points; the cleaning removes rows of every class."
        )
    if method in OVER:
        return (
            f"all classes. Only {minority} gets points, the others keep theirs. The ratio is to the"
            " largest class."
        )
    if method in CLEANING:
        return f"all classes. Rows of every class but {minority} can be removed, class by class."
    return (
        f"all classes. Each class that is too large for the ratio to {minority} is cut, the others"
        " keep their rows."
    )
