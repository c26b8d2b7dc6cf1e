"""Streaming: files of flights arrive hour by hour, Spark counts them by window of event time, and a
watermark decides which late rows still count.

Real: the flights and how late they are (``source``), and Spark Structured Streaming, which runs the
query file by file (``real``). Expected, at once: the same batches from the definition of the
watermark, below; the tests hold every number of them against Spark's own. Bytes of state are
Spark's alone. Source: Armbrust et al., "Structured Streaming", SIGMOD 2018; Spark's guide to it.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from engine.etl.streaming.params import StreamingParams
from engine.etl.streaming.result import Batch, File, StreamingResult
from engine.etl.streaming.source import Rows, rows_of

__all__ = ["StreamingParams", "StreamingResult", "count", "run"]


def count(rows: Rows, params: StreamingParams) -> StreamingResult:
    """Count rows by window, file by file, as Structured Streaming defines it.

    A watermark is the newest event time of all earlier files, less the delay. It drops a row whose
    window has ended by it, and evicts such windows from the state. It moves only after a batch, so
    another batch, without rows, follows at once where it moved. Mode complete keeps all and drops
    nothing.
    """
    p, state, watermark = params, Counter[int](), -math.inf
    start = rows.event // p.window_minutes * p.window_minutes
    end = start + p.window_minutes
    seen, late, dropped = [], np.zeros(len(end), bool), np.zeros(len(end), bool)
    files = []
    for hour in map(int, np.unique(rows.hour)):
        mine = rows.hour == hour
        seen.append(watermark)
        late |= mine & (rows.event < watermark)
        if p.mode != "complete":
            dropped |= mine & (end <= watermark)
        counts = Counter(start[mine & ~dropped].tolist())
        state += counts
        out = {"append": {}, "update": {key: state[key] for key in counts}, "complete": state}
        newest = int(rows.event[mine].max())
        # Spark counts what it drops after it has summed the rows of a file: once for each window
        n_dropped = len(np.unique(start[mine & dropped]))
        known = None if watermark == -math.inf else int(watermark)
        batches = [Batch(int(mine.sum()), newest, known, n_dropped, len(state))]
        emitted = dict(out[p.mode])
        moved = max(watermark, newest - p.delay_minutes)
        if moved > watermark and p.mode != "complete":
            ended = {key: state.pop(key) for key in [*state] if key + p.window_minutes <= moved}
            emitted |= ended if p.mode == "append" else {}
            batches.append(Batch(0, None, int(moved), 0, len(state)))
        watermark = moved
        windows = tuple(sorted(emitted.items()))
        files.append(File(hour, tuple(batches), windows, tuple(sorted(state.items()))))
    return StreamingResult(p, rows, start, np.array(seen), late, dropped, tuple(files))


def run(params: StreamingParams) -> StreamingResult:
    """Return what is expected of a day's files."""
    return count(rows_of(params), params)
