"""Intervals that several labs show."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def share_interval(n_hits: int, n: int) -> tuple[float, float]:
    """Return the 95% interval of a share of which ``n_hits`` of ``n`` were seen (Wilson, 1927).

    Nothing seen (``n`` = 0) is anything from 0 to 1.
    """
    from scipy.stats import binomtest  # half a second to import

    if n == 0:
        return 0.0, 1.0
    low, high = binomtest(n_hits, n).proportion_ci(method="wilson")
    return float(low), float(high)
