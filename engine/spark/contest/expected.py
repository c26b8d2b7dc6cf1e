"""What to expect of each engine before anything is measured here: medians of another machine.

Measured by *Spark or pandas* itself on 29 Nov 2026: group-by on 2 cores of an x86-64 machine with
25 GB, 3 repeats, 10,000 and 100,000 rows, warm Spark session. The machine was not quiet: load 3 for
pandas, about 7 for the others. pandas 2.3.3, Spark 4.3.0, DuckDB 2.0.0, Polars 2.1.0. Other work
was not measured, and no larger size: nothing is extrapolated from these.
"""

from __future__ import annotations

from engine.spark.contest.engines import Contestant, Work

WORK: Work = "group-by"
WHERE = "measured on another machine with 2 cores, 29 Nov 2026"
SIZES = (10_000, 100_000)  # rows of lineitem
MEDIANS: dict[Contestant, tuple[float, float]] = {  # seconds, by size
    "pandas": (0.0120, 0.0883),
    "Spark": (0.7091, 0.6430),
    "DuckDB": (0.1503, 0.2536),
    "Polars": (0.0099, 0.0249),
}
