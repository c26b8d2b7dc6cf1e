"""Codecs: what each compression codec and level of Parquet saves, and what it costs to write and to
read.

Real: pyarrow writes and reads every file, in memory, with its own defaults but for codec, level and
dictionary; every time is one call's wall-clock time in one thread, after an untimed call. The
trials take turns in an order drawn again for each round. Simplified: memory instead of a disk, so
that the codec is what is timed; the order of rows "sorted" is one sort a table, known to suit it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.formats import tables
from engine.formats.codecs.params import ORDERS, SORT_BY, WHOLE, CodecsParams, Order
from engine.formats.codecs.result import CodecsResult, Trial
from engine.jobs import Progress, Steps, in_thread, timed, to_end

__all__ = [
    "CodecsParams",
    "CodecsResult",
    "Trial",
    "default_job",
    "packed_bytes",
    "preview",
    "read",
    "rows_of",
    "run",
    "steps",
    "write",
]
PREVIEW_ROWS = 1_000


def rows_of(params: CodecsParams) -> dict[Order, pa.Table]:
    """Return the rows in every order, in one chunk each, with the column or columns asked for."""
    names = list(tables.column_names(params.table))
    source = tables.source(params.table, params.n_rows, params.seed, "").select(names)
    table = tables.thin(source, params.n_rows).combine_chunks()
    wanted = names if params.column == WHOLE else [params.column]
    by_key = pc.sort_indices(table, [(name, "ascending") for name in SORT_BY[params.table]])
    at_random = np.random.default_rng(params.seed).permutation(table.num_rows)
    kept = table.select(wanted)
    return {
        "as is": kept,
        "sorted": kept.take(by_key).combine_chunks(),
        "shuffled": kept.take(pa.array(at_random)).combine_chunks(),
    }


def write(table: pa.Table, codec: str, level: int | None, dictionary: bool) -> pa.Buffer:
    """Return ``table`` as a Parquet file in memory."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table, sink, compression=codec, compression_level=level, use_dictionary=dictionary
    )
    return sink.getvalue()


def read(file: pa.Buffer) -> pa.Table:
    """Read a Parquet file in memory, in one thread: the codec's own speed, as ``write`` has it."""
    return pq.read_table(pa.BufferReader(file), use_threads=False)


def packed_bytes(file: pa.Buffer) -> dict[str, int]:
    """Return the bytes that each column takes up in a Parquet file, over all row groups."""
    metadata = pq.read_metadata(pa.BufferReader(file))
    sizes: dict[str, int] = {}
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(number)
            sizes[chunk.path_in_schema] = (
                sizes.get(chunk.path_in_schema, 0) + chunk.total_compressed_size
            )
    return sizes


def _with_orders(trial: Trial, files: dict[Order, pa.Buffer], order: Order) -> Trial:
    return replace(
        trial,
        file_bytes=files[order].size,
        order_bytes={name: file.size for name, file in files.items()},
        column_bytes=packed_bytes(files[order]),
        column_bytes_sorted=packed_bytes(files["sorted"]),
    )


def steps(params: CodecsParams) -> Steps:
    """Write and read every trial in turn, round by round; a ``Progress`` with the result so far
    before each call.

    Returns
    -------
    CodecsResult
        With ``complete`` set.
    """
    orders = rows_of(params)
    table = orders[params.order]
    trials = [Trial(codec, level) for codec, level in params.trials]
    result = CodecsResult(params, tuple(trials), table.num_rows, table.nbytes, datetime.now(UTC))
    rng = np.random.default_rng(params.seed)
    n_turns = params.repeats * len(trials)
    with ThreadPoolExecutor(1) as caller:
        for turn in range(params.repeats):
            for done, place in enumerate(rng.permutation(len(trials))):
                trial = trials[place]
                result = replace(result, trials=tuple(trials))
                message = f"{trial.name} (repeat {turn + 1} of {params.repeats})"
                progress = Progress((turn * len(trials) + done) / n_turns, message, result)
                yield progress
                packing = partial(
                    write, codec=trial.codec, level=trial.level, dictionary=params.dictionary
                )
                if not trial.order_bytes:
                    files: dict[Order, pa.Buffer] = {}
                    for order in ORDERS:
                        files[order] = yield from in_thread(
                            caller, partial(packing, orders[order]), progress
                        )
                    trial = _with_orders(trial, files, params.order)
                    yield from in_thread(caller, partial(read, files[params.order]), progress)
                write_seconds, file = yield from in_thread(
                    caller, partial(timed, partial(packing, table)), progress
                )
                read_seconds, _ = yield from in_thread(
                    caller, partial(timed, partial(read, file)), progress
                )
                trial = replace(
                    trial,
                    write_seconds=(*trial.write_seconds, write_seconds),
                    read_seconds=(*trial.read_seconds, read_seconds),
                )
                trials[place] = trial
    return replace(result, trials=tuple(trials), complete=True)


run: Callable[[CodecsParams], CodecsResult] = to_end(steps)


@lru_cache(maxsize=16)
def preview(params: CodecsParams) -> CodecsResult:
    """Return the trials on a few rows, run once: shown until the asked ones are measured."""
    few = replace(params, n_rows=min(params.n_rows, PREVIEW_ROWS), repeats=1, levels="default")
    return replace(run(few), params=params, preview=True, complete=False)


def default_job() -> tuple[Any, Any]:
    """Return the steps and the Params that are computed when the server starts."""
    return steps, CodecsParams()
