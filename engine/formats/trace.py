"""A file handle that writes down every read: which bytes of a file did a reader really touch?

Real: pyarrow (through ``pyarrow.PythonFile``), pyarrow's CSV reader and fastavro read through
``TracedFile`` as they would from disk, and every (offset, length) that they ask for is recorded in
order. Simplified: it stands where the operating system's file would, so it does not see what a
kernel would read ahead, nor what a cache would save.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """Byte ranges of one file: ascending, without overlap, never adjacent. Two int64 arrays of one
    length.
    """

    offsets: np.ndarray  # first byte of each range
    lengths: np.ndarray  # bytes in each range, ≥ 1

    @property
    def ends(self) -> np.ndarray:
        """The first byte after each range."""
        return np.asarray(self.offsets + self.lengths)

    @property
    def n_bytes(self) -> int:
        """Bytes in all ranges together; none is counted twice."""
        return int(self.lengths.sum())

    def __len__(self) -> int:
        return len(self.offsets)

    def before(self, positions: np.ndarray) -> np.ndarray:
        """Return for each byte position how many bytes of the ranges lie before it (int64, same
        shape).
        """
        total = np.append(0, np.cumsum(self.lengths))
        place = np.searchsorted(self.offsets, positions, side="right")
        past_end = np.append(0, self.ends)[place] - positions
        return np.asarray(total[place] - np.maximum(past_end, 0) * (place > 0))

    def cover(self, positions: np.ndarray) -> np.ndarray:
        """Return for each byte position whether a range holds it (bool, same shape)."""
        if len(self) == 0:
            return np.zeros(np.shape(positions), dtype=bool)
        place = np.searchsorted(self.offsets, positions, side="right") - 1
        return np.asarray((place >= 0) & (positions < self.ends[place]))


def merge(reads: Iterable[tuple[int, int]] | np.ndarray, gap_bytes: int = 0) -> Ranges:
    """Return the bytes that ``reads`` touched, each counted once.

    Parameters
    ----------
    reads
        (offset, length) pairs in any order; they may overlap or repeat.
    gap_bytes
        Holes of at most this many bytes are closed too (for drawing; 0 is exact).
    """
    pairs = np.array(
        reads if isinstance(reads, np.ndarray) else list(reads), dtype=np.int64
    ).reshape(-1, 2)
    pairs = pairs[pairs[:, 1] > 0]
    if len(pairs) == 0:
        return Ranges(np.empty(0, np.int64), np.empty(0, np.int64))
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    starts, ends = pairs[:, 0], np.maximum.accumulate(pairs.sum(axis=1))
    first = np.flatnonzero(np.append(True, starts[1:] > ends[:-1] + gap_bytes))
    last = np.append(first[1:] - 1, len(starts) - 1)
    return Ranges(starts[first], ends[last] - starts[first])


class TracedFile(io.RawIOBase):
    """A readable, seekable binary file over ``source`` that records each read in ``reads``.

    Reads at the end of the file that return nothing are not recorded. One reader at a time: hand it
    to pyarrow as ``pyarrow.PythonFile(file, mode="r")``, which takes turns among its own threads.

    Parameters
    ----------
    source
        The content itself, or the path of a file.
    """

    def __init__(self, source: bytes | Path) -> None:
        super().__init__()
        self._source = (
            io.BytesIO(source) if isinstance(source, bytes) else source.open("rb", buffering=0)
        )
        self._size = self._source.seek(0, io.SEEK_END)
        self._source.seek(0)
        self.reads: list[tuple[int, int]] = []

    def readable(self) -> bool:
        """Whether the file can be read: always."""
        return True

    def seekable(self) -> bool:
        """Whether the file can be sought: always."""
        return True

    def size(self) -> int:
        """Return the size of the whole file in bytes."""
        return self._size

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to ``offset`` and return the new position; moving is not reading, so nothing is
        recorded.
        """
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        """Return the position of the next read."""
        return self._source.tell()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill ``buffer`` from the position on; every ``read(n)`` comes through here."""
        offset = self._source.tell()
        length = self._source.readinto(buffer) or 0
        self._record(offset, length)
        return length

    def readall(self) -> bytes:
        """Return everything from the position on, as one read."""
        offset = self._source.tell()
        content = self._source.read()
        self._record(offset, len(content))
        return content

    def close(self) -> None:
        """Close the file; ``reads`` and ``touched`` stay."""
        self._source.close()
        super().close()

    def touched(self) -> Ranges:
        """Return the bytes read so far, each counted once."""
        return merge(self.reads)

    def _record(self, offset: int, length: int) -> None:
        if length:
            self.reads.append((offset, length))
