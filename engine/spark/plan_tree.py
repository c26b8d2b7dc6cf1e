"""A physical plan of Spark as a tree of nodes, read from the JVM: operators, their rows and the
bytes that they shuffle.

Real: the executed plan, after adaptive query execution (AQE) has changed it; numbers are Spark's
own SQL metrics. Wrappers that do no work of their own (code generation, input adapters, query
stages) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

WRAPPERS = (
    "WholeStageCodegen",
    "InputAdapter",
    "AdaptiveSparkPlan",
    "ShuffleQueryStage",
    "BroadcastQueryStage",
    "ResultQueryStage",
)
ROWS, BYTES = "numOutputRows", "shuffleBytesWritten"


@dataclass(frozen=True, slots=True)
class Node:
    """One operator. ``parent`` is the index of the operator that it feeds, −1 for the last one."""

    name: str
    detail: str  # its line in Spark's own plan, shortened
    parent: int
    depth: int  # operators between it and the last one
    wide: bool  # a shuffle or a broadcast: rows leave their partition
    n_rows: int | None
    shuffle_bytes: int | None


def read(frame: DataFrame) -> tuple[Node, ...]:
    """Return the operators of the frame's executed plan, the last one first; read it after the
    action for AQE's final plan.
    """
    found: list[Node] = []
    _walk(frame._jdf.queryExecution().executedPlan(), -1, 0, found)
    return tuple(found)


def _walk(plan: Any, parent: int, depth: int, found: list[Node]) -> None:
    name = plan.nodeName()
    if name.startswith(WRAPPERS):
        inner = (
            plan.executedPlan()
            if name.startswith("AdaptiveSparkPlan")
            else plan.plan()
            if "QueryStage" in name
            else None
        )
        for child in [inner] if inner is not None else _children(plan):
            _walk(child, parent, depth, found)
        return
    metrics = plan.metrics()
    place = len(found)
    found.append(
        Node(
            name=name,
            detail=plan.simpleString(60)[:160],
            parent=parent,
            depth=depth,
            wide=name in ("Exchange", "BroadcastExchange"),
            n_rows=_metric(metrics, ROWS),
            shuffle_bytes=_metric(metrics, BYTES),
        )
    )
    for child in _children(plan):
        _walk(child, place, depth + 1, found)


def _children(plan: Any) -> list[Any]:
    children = plan.children()
    return [children.apply(i) for i in range(children.size())]


def _metric(metrics: Any, name: str) -> int | None:
    found = metrics.get(name)
    return int(found.get().value()) if found.isDefined() else None


PYTHON_METRICS = ("pythonNumRowsReceived", "pythonDataSent", "pythonDataReceived")


def python_metrics(frame: DataFrame) -> tuple[int, int, int]:
    """Return the rows, the bytes sent and the bytes received by operators that hand rows to Python
    workers; zeros: none do.
    """
    totals = dict.fromkeys(PYTHON_METRICS, 0)
    _add_python(frame._jdf.queryExecution().executedPlan(), totals)
    rows, sent, received = totals.values()
    return rows, sent, received


def _add_python(plan: Any, totals: dict[str, int]) -> None:
    name = plan.nodeName()
    inner = (
        plan.executedPlan()
        if name.startswith("AdaptiveSparkPlan")
        else plan.plan()
        if "QueryStage" in name
        else None
    )
    if "EvalPython" in name:
        metrics = plan.metrics()
        for metric in PYTHON_METRICS:
            totals[metric] += _metric(metrics, metric) or 0
    for child in [inner] if inner is not None else _children(plan):
        _add_python(child, totals)


def texts(frame: DataFrame) -> tuple[str, str]:
    """Return AQE's initial and final plan as Spark writes them; both the same where AQE is off or
    had nothing to do.
    """
    plan = frame._jdf.queryExecution().executedPlan()
    if not plan.nodeName().startswith("AdaptiveSparkPlan"):
        return plan.toString(), plan.toString()
    return plan.initialPlan().toString(), plan.executedPlan().toString()
