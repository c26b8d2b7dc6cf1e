"""The transformations of the *lazy ledger*: what each needs, whether it is narrow or wide, and its
code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from engine.errors import require

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Operation = Literal[
    "filter late",
    "select columns",
    "add gain",
    "join airlines",
    "group by carrier",
    "distinct routes",
    "sort by delay",
    "repartition by dest",
    "coalesce to 2",
    "limit 1,000",
]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
Action = Literal["count", "collect", "first 20"]
ACTIONS: tuple[Action, ...] = get_args(Action)
SOURCE = 'spark.read.parquet("flights.parquet")'
ACTION_CODE: dict[Action, str] = {"count": "count", "collect": "collect", "first 20": "take(20)"}
COLUMNS = frozenset({"carrier", "origin", "dest", "dep_delay", "arr_delay", "air_time", "tailnum"})


@dataclass(frozen=True, slots=True)
class Step:
    """One transformation. ``code`` follows the frame's name; ``wide``: rows must move to other
    partitions.
    """

    code: str
    wide: bool
    needs: frozenset[str]
    keeps: frozenset[str] | None = None  # the columns left over; None: those that were there
    adds: frozenset[str] = frozenset()


STEPS: dict[Operation, Step] = {
    "filter late": Step('.where("dep_delay > 15")', False, frozenset({"dep_delay"})),
    "select columns": Step(
        '.select("carrier", "dest", "dep_delay", "arr_delay")',
        False,
        frozenset({"carrier", "dest", "dep_delay", "arr_delay"}),
        frozenset({"carrier", "dest", "dep_delay", "arr_delay"}),
    ),
    "add gain": Step(
        '.withColumn("gain", F.col("dep_delay") - F.col("arr_delay"))',
        False,
        frozenset({"dep_delay", "arr_delay"}),
        adds=frozenset({"gain"}),
    ),
    "join airlines": Step(
        '.join(airlines, "carrier")', True, frozenset({"carrier"}), adds=frozenset({"name"})
    ),
    "group by carrier": Step(
        '.groupBy("carrier").agg(F.count("*").alias("n"), F.avg("dep_delay").alias("dep_delay"))',
        True,
        frozenset({"carrier", "dep_delay"}),
        frozenset({"carrier", "dep_delay"}),
        frozenset({"n"}),
    ),
    "distinct routes": Step(
        '.select("carrier", "dest").distinct()',
        True,
        frozenset({"carrier", "dest"}),
        frozenset({"carrier", "dest"}),
    ),
    "sort by delay": Step('.orderBy("dep_delay")', True, frozenset({"dep_delay"})),
    "repartition by dest": Step('.repartition(8, "dest")', True, frozenset({"dest"})),
    "coalesce to 2": Step(".coalesce(2)", False, frozenset()),
    "limit 1,000": Step(".limit(1_000)", True, frozenset()),
}


def check(chain: tuple[str, ...]) -> None:
    """Raise ``InputError`` for an unknown operation or one whose columns an earlier one has
    dropped.
    """
    columns, taken_by = COLUMNS, ""
    for operation in chain:
        require(
            operation in STEPS,
            "chain must be made of {}. Got {!r}.",
            ", ".join(OPERATIONS),
            operation,
        )
        step = STEPS[operation]  # type: ignore[index]
        missing = sorted(step.needs - columns)
        require(
            not missing,
            "“{}” needs {}, which “{}” has dropped. Choose “{}” before it, or leave it out.",
            *(operation, ", ".join(missing), taken_by, operation),
        )
        if step.keeps is not None:
            columns, taken_by = step.keeps, operation
        columns = columns | step.adds


def apply(live: SparkSession, frame: DataFrame, operation: Operation) -> DataFrame:
    """Return the frame after one transformation: the code that the page shows."""
    from pyspark.sql import functions

    names = {"frame": frame, "F": functions, "airlines": live.table("airlines")}
    after: DataFrame = eval(
        f"frame{STEPS[operation].code}", names
    )  # the text is one of STEPS, never a visitor's
    return after


def apply_action(frame: DataFrame, action: Action) -> DataFrame:
    """Return the frame whose ``collect()`` is the action, so that its plan can be read
    afterwards.
    """
    if action == "count":
        return frame.groupBy().count()
    return frame.limit(20) if action == "first 20" else frame
