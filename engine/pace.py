"""How long a run will still take: said only where several estimates agree."""

from __future__ import annotations

from math import sqrt

LEAST_SHARE = 0.05  # done, before anything is said
LEAST_SECONDS = 5.0  # left, to be worth a word
AGREEMENT = 2.0  # factor within which the estimates must agree
Mark = tuple[float, float]  # time in seconds, share done in 0–1


def remaining_seconds(marks: list[Mark], expected: float | None, now: float) -> float | None:
    """Estimate the seconds left of a run; ``None`` while the estimates do not agree.

    ``marks`` are signs of life since the run began, both their times and shares rising.
    Compared are the pace of the run as a whole, the pace of its latter half, and what the same run
    took before, ``expected`` (seconds), if it is known: the largest is at most ``AGREEMENT`` times
    the smallest. The answer is their geometric middle.
    """
    if len(marks) < 3 or marks[-1][1] < LEAST_SHARE:
        return None
    (start, first), (end, last) = marks[0], marks[-1]
    middle, half = next(mark for mark in marks if mark[1] >= (first + last) / 2)
    if middle == end:
        return None  # one leap is no pace
    paces = ((end - start) / (last - first), (end - middle) / (last - half))
    left = [pace * (1 - last) - (now - end) for pace in paces]
    if expected is not None:
        left.append(expected - (now - start))
    least, most = min(left), max(left)
    return sqrt(least * most) if least > 0 and most <= AGREEMENT * least else None


def is_steady(marks: list[Mark], end: float) -> bool:
    """Whether, at each mark of a run that ended at ``end``, what was said of the time left was
    right within a factor of two; ``False`` where nothing was said. The last seconds do not count.
    """
    said = []
    for n, (now, _) in enumerate(marks, start=1):
        left = remaining_seconds(marks[:n], None, now)
        if left is not None and end - now >= LEAST_SECONDS:
            said.append((end - now) / 2 <= left <= (end - now) * 2)
    return bool(said) and all(said)
