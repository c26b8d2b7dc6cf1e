"""*Partition explorer* on the real Spark: rows, bytes and files of each partition, and each row
against the preview.

Real: every number. Rows come with ``spark_partition_id()``, bytes from the REST API (what each task
read from the shuffle) or from the files written. Spark Connect has no REST API: bytes are then left
out, and the page says so.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine import workspace
from engine.errors import require
from engine.jobs import Progress, Steps, to_end
from engine.spark import keys, session
from engine.spark.column_types import TIME_SETTING
from engine.spark.partitioning import row_partitions, run, write_problem
from engine.spark.partitioning.params import PartitioningParams
from engine.spark.partitioning.result import PartitioningResult
from engine.spark.partitioning.spelling import key_texts, quoted
from engine.spark.restarts import repeat_if_spark_ends

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MAX_FOLDERS = 400  # of partitionBy: more files than that teach nothing and take minutes
CALLS = {
    "hash": "repartition",
    "range": "repartitionByRange",
    "round-robin": "repartition",
    "coalesce": "coalesce",
}


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What Spark did with the rows of a preview."""

    params: PartitioningParams
    preview: PartitioningResult
    labels: tuple[str, ...]  # (n,) partitions: the preview's, then those that only Spark has
    rows: np.ndarray  # (n,) rows of each partition
    size_bytes: np.ndarray | None  # (n,) read from the shuffle or written; None: not to be had
    n_files: np.ndarray | None  # (n,) files written
    n_other: int | None  # rows in another partition than shown; None: only counts are known
    first: str  # of those rows, the first: its key, Spark's partition and the one shown
    seconds: float
    where: str
    complete: bool = True

    @property
    def expected(self) -> np.ndarray:
        """Rows of each partition as shown (n,)."""
        return np.pad(self.preview.rows, (0, len(self.rows) - len(self.preview.rows)))

    @property
    def verdict(self) -> str:
        """How well Spark's partitions match the preview."""
        n, n_rows = len(self.rows), self.preview.n_rows
        if self.n_other is None:
            return self._verdict_of_counts()
        if self.n_other == 0:
            return (
                f"Measured by Spark: each of {n_rows:,} rows is in the partition shown ({n:,}"
                " partitions)."
            )
        sampled = ", which splits by a sample" if self.params.strategy == "range" else ""
        return (
            f"Measured by Spark{sampled}: **{self.n_other:,}** of {n_rows:,} rows"
            f" {'is' if self.n_other == 1 else 'are'} in another partition than shown."
            f" {self.first}"
        )

    def _verdict_of_counts(self) -> str:
        n = len(self.rows)
        other = np.flatnonzero(self.rows != self.expected)
        if not len(other):
            return f"Measured by Spark: each of {n:,} partitions has as many rows as shown."
        i = other[0]
        return (
            f"Measured by Spark: **{len(other):,}** of {n:,} partitions"
            f" {'has' if len(other) == 1 else 'have'} another number of rows than shown. First:"
            f" partition {self.labels[i]} has {self.rows[i]:,}, shown {self.expected[i]:,}."
        )

    def table(self) -> list[dict[str, str]]:
        """Return one row per partition, as text for a page: the largest first, 12 at most."""
        lines = []
        for i in np.argsort(-self.rows, kind="stable")[:12]:
            line = {
                "partition": self.labels[i],
                "rows computed": f"{self.expected[i]:,}",
                "rows measured": f"{self.rows[i]:,}",
            }
            if self.size_bytes is not None:
                line["bytes"] = f"{self.size_bytes[i]:,}"
            if self.n_files is not None:
                line["files"] = f"{self.n_files[i]:,}"
            lines.append(line)
        return lines


def _split(frame: DataFrame, p: PartitioningParams) -> DataFrame:
    names = frame.columns[:-1] if p.strategy in ("hash", "range") else ()
    split: DataFrame = getattr(frame, CALLS[p.strategy])(p.n_partitions, *names)
    return split


def _shuffle_bytes(n: int, n_rows: int) -> np.ndarray | None:
    """Return the bytes that each of ``n`` tasks read from the newest shuffle of all rows; None if
    there is none.
    """
    if session.ENGINE.target.kind == "connect":
        return None
    for stage in session.rest("stages?status=complete")[:8]:
        if stage["numTasks"] == n and stage["shuffleReadRecords"] == n_rows:
            tasks = session.rest(
                f"stages/{stage['stageId']}/{stage['attemptId']}/taskList?length={n}"
            )
            sizes = np.zeros(n, np.int64)
            for task in tasks:
                read = task["taskMetrics"]["shuffleReadMetrics"]
                sizes[task["index"]] = read["localBytesRead"] + read["remoteBytesRead"]
            return sizes
    return None


def _in_memory(
    live: SparkSession, frame: DataFrame, p: PartitioningParams, preview: PartitioningResult
) -> dict[str, Any]:
    from pyspark.sql import functions as sf

    if p.strategy == "coalesce":  # on a local table Spark would fold the id to a constant
        live.conf.set(
            "spark.sql.optimizer.excludedRules",
            "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation",
        )
    found = _split(frame, p).select(sf.spark_partition_id().alias("partition"), "row").toArrow()
    partition, row = found["partition"].to_numpy(), found["row"].to_numpy()
    n = max(len(preview.rows), int(partition.max()) + 1)
    size_bytes = None if p.strategy == "coalesce" else _shuffle_bytes(n, preview.n_rows)
    return {
        "labels": tuple(str(i) for i in range(n)),
        "rows": np.bincount(partition, minlength=n),
        "size_bytes": size_bytes,
        "n_files": None,
        **_compared(p, tuple(str(i) for i in range(n)), row, partition),
    }


def _compared(
    p: PartitioningParams, labels: tuple[str, ...], row: np.ndarray, partition: np.ndarray
) -> dict[str, Any]:
    """Compare Spark's partition of each row with the one shown: how many differ, and the first."""
    expected = row_partitions(p)
    if expected is None:
        return {"n_other": None, "first": ""}
    measured = np.full(len(expected), -1, np.int64)  # −1: Spark has lost the row
    measured[row] = partition
    other = np.flatnonzero(measured != expected)
    if not len(other):
        return {"n_other": 0, "first": ""}
    table = keys.load(p.source).select(p.keys).slice(int(other[0]), 1)
    place = int(measured[other[0]])
    spark = "nowhere" if place < 0 else f"in {_named(p, labels[place])}"
    first = (
        f"First: {quoted(key_texts(table.columns)[0])} is {spark}, shown in"
        f" {_named(p, labels[expected[other[0]]])}."
    )
    return {"n_other": len(other), "first": first}


def _named(p: PartitioningParams, label: str) -> str:
    return quoted(label) if p.strategy == "partitionBy files" else f"partition {label}"


def _in_files(
    live: SparkSession, frame: DataFrame, p: PartitioningParams, preview: PartitioningResult
) -> dict[str, Any]:
    """Write the rows into files and count what is in them."""
    folder = workspace.scratch("partitioning")
    name = folder.name.replace("-", "_")
    by = frame.columns[:-1]
    try:
        if p.strategy == "bucketing":
            frame.write.bucketBy(p.n_partitions, *by).option(
                "path", str(folder / "out")
            ).saveAsTable(name)
        else:
            frame.write.partitionBy(*by).parquet(str(folder / "out"))
        paths = sorted(path for path in (folder / "out").rglob("*.parquet") if path.is_file())
        return _files(paths, folder / "out", p, preview)
    finally:
        live.sql(f"DROP TABLE IF EXISTS {name}")
        workspace.remove(folder)


def _files(
    paths: list[Path], folder: Path, p: PartitioningParams, preview: PartitioningResult
) -> dict[str, Any]:
    """Count rows, bytes and files of each bucket or folder, by the names that Spark gave them."""
    places = {label: i for i, label in enumerate(preview.labels)}
    of_file = [places.setdefault(_partition_name(path, folder, p), len(places)) for path in paths]
    labels = tuple(places)
    rows, sizes, counts = (np.zeros(len(labels), np.int64) for _ in range(3))
    found = [pq.ParquetFile(path).read(columns=["row"])["row"] for path in paths]
    for path, place, part in zip(paths, of_file, found, strict=True):
        rows[place] += len(part)
        sizes[place] += path.stat().st_size
        counts[place] += 1
    row = np.concatenate([part.to_numpy() for part in found])
    partition = np.repeat(of_file, [len(part) for part in found])
    return {
        "labels": labels,
        "rows": rows,
        "size_bytes": sizes,
        "n_files": counts,
        **_compared(p, labels, row, partition),
    }


def _partition_name(path: Path, folder: Path, p: PartitioningParams) -> str:
    """Return the bucket or the folder of a file as the preview names it."""
    if p.strategy != "bucketing":
        parts = path.parent.relative_to(folder).parts
        return "/".join(part.partition("=")[2] for part in parts)
    found = re.search(r"_(\d+)\.c\d+", path.name)
    require(
        found is not None, "A bucketed file must have its bucket in its name. Got {}.", path.name
    )
    return str(int(found[1])) if found else ""


def measure(live: SparkSession, p: PartitioningParams) -> Measured:
    """Run the strategy on ``live``, a session of this run alone."""
    preview = run(p)
    began = time.perf_counter()
    live.conf.set("spark.sql.leafNodeDefaultParallelism", p.n_input)
    live.conf.set("spark.sql.session.timeZone", "UTC")
    table = keys.load(p.source).select(p.keys)
    if any(pa.types.is_time(kind) for kind in table.schema.types):
        live.conf.set(TIME_SETTING, "true")
    # names of our own: Spark's ignore case, and a dot in one is a field of a struct
    table = table.rename_columns([f"k{i}" for i in range(len(p.keys))])
    frame = live.createDataFrame(
        table.append_column("row", pa.array(np.arange(table.num_rows, dtype=np.int32)))
    )
    found = (_in_memory if p.strategy in CALLS else _in_files)(live, frame, p, preview)
    return Measured(
        p, preview, seconds=time.perf_counter() - began, where=session.ENGINE.target.words, **found
    )


@repeat_if_spark_ends
def steps(params: PartitioningParams) -> Steps:
    """Run it on the server's Spark, started if need be.

    Returns
    -------
    Measured
        Rows, bytes and files of each partition.

    Raises
    ------
    InputError
        More folders than make sense, or no Spark to be had.
    """
    if params.strategy == "partitionBy files":
        n = len(run(params).rows)
        require(
            n <= MAX_FOLDERS,
            "Key must have at most {} values for partitionBy. Got {:,}: choose a coarser key.",
            MAX_FOLDERS,
            n,
        )
        problem = write_problem(params)
        require(not problem, "{}", problem)
    yield from session.begin()
    measured: Measured = yield from session.act(
        lambda live: measure(live, params), Progress(0.3, "Spark at work")
    )
    return measured


run_on_spark: Callable[[PartitioningParams], Measured] = to_end(steps)


TYPICAL_SECONDS = 10.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server's warm-up runs: the default rows, split by Spark."""
    return steps, PartitioningParams()
