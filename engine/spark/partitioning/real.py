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
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine import workspace
from engine.errors import require
from engine.jobs import Progress, Steps, to_end
from engine.spark import keys, session
from engine.spark.partitioning import hash_partition, run
from engine.spark.partitioning.params import PartitioningParams
from engine.spark.partitioning.result import PartitioningResult
from engine.spark.restarts import repeat_if_spark_ends
from engine.units import format_share

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
    rows: np.ndarray  # (n,) rows of each partition, in the preview's order
    size_bytes: np.ndarray | None  # (n,) read from the shuffle or written; None: not to be had
    n_files: np.ndarray | None  # (n,) files written
    same_share: (
        float | None
    )  # of the rows: in the same partition as in the preview, 0–1; None: only counts are known
    seconds: float
    where: str
    complete: bool = True

    @property
    def off(self) -> int:
        """Rows by which the partitions differ from the preview's, summed."""
        n = max(len(self.rows), len(self.preview.rows))
        a, b = (np.pad(x, (0, n - len(x))) for x in (self.rows, self.preview.rows))
        return int(np.abs(a - b).sum())

    @property
    def verdict(self) -> str:
        """How well Spark's partitions match the preview."""
        n = len(self.rows)
        if self.same_share is not None:
            same = format_share(self.same_share)
            return (
                f"Measured by Spark: {same} of {self.preview.n_rows:,} rows are in the partition"
                f" shown ({n} partitions)."
            )
        if self.off == 0:
            return f"Measured by Spark: each of {n} partitions has exactly the rows shown."
        share = self.off / 2 / self.preview.n_rows
        return (
            f"Measured by Spark, which splits by a sample: {format_share(share)} of the rows are in"
            f" another partition than shown ({n} partitions)."
        )

    def table(self) -> list[dict[str, str]]:
        """Return one row per partition, as text for a page: the largest first, 12 at most."""
        lines = []
        for i in np.argsort(-self.rows, kind="stable")[:12]:
            label = self.preview.labels[i] if i < len(self.preview.labels) else str(i)
            shown = self.preview.rows[i] if i < len(self.preview.rows) else 0
            line = {
                "partition": label,
                "rows computed": f"{shown:,}",
                "rows measured": f"{self.rows[i]:,}",
            }
            if self.size_bytes is not None:
                line["bytes"] = f"{self.size_bytes[i]:,}"
            if self.n_files is not None:
                line["files"] = f"{self.n_files[i]:,}"
            lines.append(line)
        return lines


def _split(frame: DataFrame, p: PartitioningParams) -> DataFrame:
    names = p.keys if p.strategy in ("hash", "range") else ()
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
    same: float | None = None
    if p.strategy == "hash":
        expected = hash_partition([keys.load(p.source)[name] for name in p.keys], p.n_partitions)
        same = float((expected[row] == partition).mean())
    size_bytes = None if p.strategy == "coalesce" else _shuffle_bytes(n, preview.n_rows)
    return {
        "rows": np.bincount(partition, minlength=n),
        "size_bytes": size_bytes,
        "n_files": None,
        "same_share": same,
    }


def _in_files(
    live: SparkSession, frame: DataFrame, p: PartitioningParams, preview: PartitioningResult
) -> dict[str, Any]:
    """Write the rows into files and count what is in them."""
    folder = workspace.scratch("partitioning")
    name = folder.name.replace("-", "_")
    try:
        if p.strategy == "bucketing":
            frame.write.bucketBy(p.n_partitions, *p.keys).option(
                "path", str(folder / "out")
            ).saveAsTable(name)
        else:
            frame.write.partitionBy(*p.keys).parquet(str(folder / "out"))
        return _files(sorted((folder / "out").rglob("*.parquet")), folder / "out", p, preview)
    finally:
        live.sql(f"DROP TABLE IF EXISTS {name}")
        workspace.remove(folder)


def _files(
    paths: list[Path], folder: Path, p: PartitioningParams, preview: PartitioningResult
) -> dict[str, Any]:
    """Count rows, bytes and files of each bucket or folder, by the names that Spark gave them."""
    n = len(preview.rows)
    rows, sizes, counts = (np.zeros(n, np.int64) for _ in range(3))
    places = {
        label.replace("null", "__HIVE_DEFAULT_PARTITION__"): i
        for i, label in enumerate(preview.labels)
    }
    for path in paths:
        if p.strategy == "bucketing":
            found = re.search(r"_(\d+)\.c\d+", path.name)
            require(
                found is not None,
                "A bucketed file must have its bucket in its name. Got {}.",
                path.name,
            )
            place = int(found[1]) if found else 0
        else:
            parts = path.parent.relative_to(folder).parts
            place = places[", ".join(unquote(part.partition("=")[2]) for part in parts)]
        rows[place] += pq.ParquetFile(path).metadata.num_rows
        sizes[place] += path.stat().st_size
        counts[place] += 1
    return {"rows": rows, "size_bytes": sizes, "n_files": counts, "same_share": None}


def measure(live: SparkSession, p: PartitioningParams) -> Measured:
    """Run the strategy on ``live``, a session of this run alone."""
    preview = run(p)
    began = time.perf_counter()
    live.conf.set("spark.sql.leafNodeDefaultParallelism", p.n_input)
    table = keys.load(p.source).select(p.keys)
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
