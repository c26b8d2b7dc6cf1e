"""What a stream of files came to: batch by batch, as expected and as Spark reports it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from engine.etl.streaming.params import StreamingParams
from engine.etl.streaming.source import LAST_HOUR, Rows
from engine.units import format_bytes

ALL = LAST_HOUR + 1  # o'clock, when every file has arrived
Windows = tuple[tuple[int, int], ...]  # first minute of each, and its flights


def clock(minute: int) -> str:
    """Return minutes from midnight as a time: ``"09:05"``, of the next day ``"00:35 +1"``."""
    days, rest = divmod(minute, 24 * 60)
    return f"{rest // 60:02}:{rest % 60:02}" + (f" +{days}" if days else "")


@dataclass(frozen=True, slots=True)
class Batch:
    """One micro-batch, as a ``StreamingQueryProgress`` describes it; times in minutes."""

    n_rows: int  # numInputRows; 0: it only moves the watermark
    newest: int | None  # eventTime.max
    watermark: int | None  # eventTime.watermark, that it ran with; None: 1970, there was none yet
    n_dropped: int  # numRowsDroppedByWatermark
    n_state: int  # numRowsTotal: rows of state
    state_bytes: int | None = None  # memoryUsedBytes; None: expected, not measured


@dataclass(frozen=True, slots=True)
class File:
    """One file and what came of it."""

    hour: int  # in which its rows arrived
    batches: tuple[Batch, ...]  # of its rows, and one without rows where the watermark moved
    out: Windows  # that went to the sink
    state: Windows  # in the state afterwards


@dataclass(frozen=True, slots=True, eq=False)
class StreamingResult:
    """The rows, what becomes of each, and the files; ``measured`` fills as Spark runs."""

    params: StreamingParams
    rows: Rows
    start: np.ndarray  # (n,) first minute of each row's window
    watermarks: np.ndarray  # (files,) that each file met; −inf: none
    late: np.ndarray  # (n,) bool: the event is before the watermark
    dropped: np.ndarray  # (n,) bool
    files: tuple[File, ...]  # expected
    measured: tuple[File, ...] = ()  # by Spark

    @property
    def complete(self) -> bool:
        """Whether Spark has run all files, or was not asked."""
        return len(self.measured) in (0, len(self.files))

    @property
    def n_rows(self) -> int:
        """Flights that arrive."""
        return len(self.late)

    @property
    def n_late(self) -> int:
        """Flights that arrive after the watermark has passed their event time."""
        return int(self.late.sum())

    @property
    def n_dropped(self) -> int:
        """Flights that are in no window."""
        return int(self.dropped.sum())

    @property
    def n_reported(self) -> int:
        """Rows that Spark reports as dropped, over all batches."""
        return sum(batch.n_dropped for file in self.files for batch in file.batches)

    @property
    def most_state(self) -> int:
        """Most windows in the state after a file."""
        return max(len(file.state) for file in self.files)

    @property
    def n_out(self) -> int:
        """Rows that go to the sink."""
        return sum(len(file.out) for file in self.files)

    @property
    def n_open(self) -> int:
        """Windows in the state after the last file."""
        return len(self.files[-1].state)

    def arrived(self, until: int) -> list[File]:
        """Return the files of the hours before ``until`` o'clock, as Spark measured them where it
        has.
        """
        both = [*self.measured, *self.files[len(self.measured) :]]
        return [file for file in both if file.hour < until]

    def differing(self) -> list[File]:
        """Return the files of which Spark reports other numbers than were expected."""
        return [
            found
            for found, expected in zip(self.measured, self.files, strict=False)
            if _no_bytes(found) != expected
        ]

    @property
    def verdict(self) -> str:
        """What was dropped, kept and held over the whole day."""
        return self.verdict_at(ALL)

    def verdict_at(self, until: int) -> str:
        """Return what was dropped, kept and held by ``until`` o'clock."""
        files = self.arrived(until)
        if not files:
            return f"At {clock(until * 60)} **no file has arrived**."
        here = self.rows.hour < until
        dropped, late = int(self.dropped[here].sum()), int(self.late[here].sum())
        last = files[-1].batches[-1].watermark
        watermark = "no watermark yet" if last is None else f"watermark {clock(last)}"
        n, kept, state = int(here.sum()), late - dropped, len(files[-1].state)
        when = "At the end" if until == ALL else f"At {clock(until * 60)}"
        return (
            f"{when}, {watermark}: **{dropped:,} of {n:,} flights dropped**, {kept:,} counted"
            f" although late, {state:,} window{'s' * (state != 1)} in state."
        )

    @property
    def why(self) -> list[str]:
        """How Spark decides, with the numbers of this run."""
        p = self.params
        out = {
            "append": f"append writes a window once, when the watermark passes its end."
            f" {self.n_open:,} still wait: only a newer flight would close them.",
            "update": f"update writes a window each time that a flight changes it:"
            f" {self.n_out:,} rows for {len({w for f in self.files for w, _ in f.out}):,} windows.",
            "complete": f"complete writes all windows after every file: {self.n_out:,} rows."
            " So no state may go, and nothing is dropped.",
        }
        return [
            "**The watermark** is the newest event time so far, minus the delay"
            f" ({p.delay_minutes} min). It moves only after a batch, and never back.",
            f"**Late is not lost:** {self.n_late:,} flights came behind the watermark."
            f" {self.n_late - self.n_dropped:,} count, because their window was still open.",
            f"**State:** Spark keeps one row for each open window, at most {self.most_state:,}"
            " here. A longer delay keeps more of them.",
            f"**Output:** {out[p.mode]}",
            f"**Spark reports {self.n_reported:,} dropped**, not {self.n_dropped:,}: it first sums"
            " the flights of a file by window, then drops the sums.",
        ]

    def headline(self) -> dict[str, int]:
        """Return the numbers that the script reproduces."""
        return {
            "n_rows": self.n_rows,
            "n_reported_dropped": self.n_reported,
            "n_out": self.n_out,
            "n_open": self.n_open,
            "most_state": self.most_state,
        }

    def table(self) -> pa.Table:
        """Return one row for each micro-batch."""
        found = [
            {"file": clock(file.hour * 60), "measured": i < len(self.measured)} | _numbers(batch)
            for i, file in enumerate(self.arrived(ALL))
            for batch in file.batches
        ]
        return pa.Table.from_pylist(found)

    def batch_rows(self, until: int) -> list[dict[str, str]]:
        """Return one line for each micro-batch until then, the newest first."""
        lines = []
        for file in self.arrived(until):
            for i, batch in enumerate(file.batches):
                out = _named(file.out) if i == len(file.batches) - 1 else ""
                lines.append(
                    {
                        "file of": clock(file.hour * 60) if batch.n_rows else "(no rows)",
                        "rows": f"{batch.n_rows:,}",
                        "newest event": _time(batch.newest),
                        "watermark": _time(batch.watermark),
                        "dropped, as reported": f"{batch.n_dropped:,}",
                        "rows of state": f"{batch.n_state:,}",
                        "state memory": _size(batch.state_bytes),
                        "windows out": out,
                    }
                )
        return lines[::-1]

    def late_rows(self, until: int) -> list[dict[str, str]]:
        """Return one line for each late flight until then, the newest first, with what became of
        it.
        """
        met = {
            file.hour: watermark
            for file, watermark in zip(self.files, self.watermarks, strict=True)
        }
        return [
            {
                "flight": str(self.rows.flight[i]),
                "event time": clock(int(self.rows.event[i])),
                "arrived": clock(int(self.rows.arrival[i])),
                "watermark": clock(int(met[int(self.rows.hour[i])])),
                "outcome": "dropped" if self.dropped[i] else "counted",
                "because": self._because(int(i)),
            }
            for i in np.flatnonzero(self.late & (self.rows.hour < until))[::-1]
        ]

    def _because(self, i: int) -> str:
        window = _span(int(self.start[i]), self.params.window_minutes)
        if self.dropped[i]:
            return f"window {window} had ended"
        if self.params.mode == "complete":
            return f"complete keeps window {window}"
        return f"window {window} was open"


def _no_bytes(file: File) -> File:
    return replace(file, batches=tuple(replace(one, state_bytes=None) for one in file.batches))


def _numbers(batch: Batch) -> dict[str, Any]:
    return {name: getattr(batch, name) for name in Batch.__slots__}


def _span(start: int, minutes: int) -> str:
    return f"{clock(start)}–{clock(start + minutes)}"


def _named(windows: Windows) -> str:
    """Return the few windows by their start and flights, of many the number."""
    few = ", ".join(f"{clock(start)} ({n:,})" for start, n in windows)
    return few if len(windows) <= 3 else f"{len(windows):,} windows"


def _time(minute: int | None) -> str:
    return "" if minute is None else clock(minute)


def _size(size_bytes: int | None) -> str:
    return "" if size_bytes is None else format_bytes(size_bytes)
