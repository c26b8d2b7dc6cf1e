"""Which column does each byte belong to? The start of the file, byte by byte, row-major against
column-major.

Real: the bytes are those of the files just written. CSV: the columns of the first few rows are
found in the text itself, by its commas, quotes and line ends. Parquet: the first row group, by the
chunk places in the footer. Simplified: both are sampled at the same number of squares, so a square
of CSV is about one byte, a square of Parquet for many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.formats import row_groups

N_ACROSS, N_DOWN = 32, 24
N_SQUARES = N_ACROSS * N_DOWN
MIN_CSV_ROWS = 6
NO_COLUMN = -1  # line ends, and bytes between chunks


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """One format's squares, in file order, shape (N_SQUARES,); squares past the end of the piece
    are left out.
    """

    column: np.ndarray  # index of the column, NO_COLUMN for line ends
    first_row: np.ndarray  # row of the cell (CSV), first row of the chunk (Parquet)
    offset: np.ndarray  # the byte in the file that the square shows
    step_bytes: float  # bytes of the file from one square to the next

    def share(self, columns: set[int]) -> float:
        """Return the share of the squares that belong to ``columns``, 0–1."""
        return float(np.isin(self.column, list(columns)).mean()) if len(self.column) else 0.0

    def n_pieces(self, columns: set[int]) -> int:
        """Return into how many separate runs the squares of ``columns`` fall."""
        wanted = np.append(False, np.isin(self.column, list(columns)))
        return int(np.count_nonzero(wanted[1:] & ~wanted[:-1]))


def csv_cells(text: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Return the row and the column of every byte of CSV ``text``, which starts at the start of a
    row.

    Row and column count from 0; a comma belongs to the cell before it, a line end has column
    ``NO_COLUMN``. Commas and line ends inside quotes are text (RFC 4180); a doubled quote opens and
    closes at once, so counting quotes is enough.

    Returns
    -------
    row, column
        Two int64 arrays, shape (len(text),).
    """
    content = np.frombuffer(text, dtype=np.uint8)
    outside = np.cumsum(content == ord('"')) % 2 == 0
    line_end = outside & (content == ord("\n"))
    comma = outside & (content == ord(","))
    row = np.cumsum(line_end) - line_end
    n_commas = np.cumsum(comma) - comma
    row_starts = np.append(0, np.flatnonzero(line_end) + 1)
    commas_before = np.append(n_commas, n_commas[-1:])[row_starts] if len(content) else row_starts
    column = n_commas - commas_before[row] if len(content) else n_commas
    return row.astype(np.int64), np.where(line_end, NO_COLUMN, column).astype(np.int64)


def csv_layout(head: bytes) -> Layout:
    """Return the squares of the first rows (at least six, where ``head`` holds as many) of a CSV
    file.

    Parameters
    ----------
    head
        The start of the file, header line first; it may end inside a cell.
    """
    row, column = csv_cells(head)
    start = int(np.searchsorted(row, 1))  # past the header line
    end_of_rows = int(np.searchsorted(row, MIN_CSV_ROWS + 1))
    step = max(1, -(-(end_of_rows - start) // N_SQUARES))
    offsets = np.arange(start, min(len(head), start + N_SQUARES * step), step)
    return Layout(column[offsets], row[offsets] - 1, offsets, float(step))


def parquet_layout(chunks: row_groups.Chunks) -> Layout:
    """Return the squares of the first row group of a Parquet file, each sampled at its middle."""
    first = chunks.group == 0
    offset, size = chunks.offset[first], chunks.size_bytes[first]
    start, end = int(offset[0]), int(offset[-1] + size[-1])
    n_squares = min(N_SQUARES, end - start)
    step = (end - start) / n_squares
    middles = (start + (np.arange(n_squares) + 0.5) * step).astype(np.int64)
    place = np.searchsorted(offset, middles, side="right") - 1
    column = np.where(middles < offset[place] + size[place], chunks.column[first][place], NO_COLUMN)
    return Layout(column, np.zeros(n_squares, np.int64), middles, step)
