"""Which rows are packed, how they lie, and by which codecs of Parquet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from engine.errors import require_choice
from engine.formats import tables
from engine.ranges import SEED, Choices, Params, Range

Table = Literal["flights", "weather", "synthetic"]
Order = Literal["as is", "sorted", "shuffled"]
ORDERS: tuple[Order, ...] = get_args(Order)
# codec -> levels; the first is the default one, None: it has none
LEVELS: dict[str, tuple[int | None, ...]] = {
    "none": (None,),
    "snappy": (None,),
    "lz4": (None,),
    "gzip": (6, 1, 9),
    "zstd": (3, 1, 9, 19),
    "brotli": (5, 1, 8),
}
SORT_BY: dict[Table, tuple[str, ...]] = {
    "flights": ("carrier", "flight", "time_hour"),
    "weather": ("origin", "time_hour"),
    "synthetic": ("category", "event_time"),
}
N_ROWS = (5_000, 10_000, 20_000, 50_000, 100_000, 336_776)
WHOLE = "all columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecsParams(Params):
    """Which rows are packed, how they lie, and by which codecs."""

    table: Table = "flights"
    # taken evenly from the table, at most all of it
    n_rows: Annotated[int, Range(1_000, N_ROWS[-1], options=N_ROWS)] = 50_000
    column: str = WHOLE  # or one column of the table, packed by itself
    codecs: Annotated[tuple[str, ...], Choices(tuple(LEVELS))] = tuple(LEVELS)
    levels: Literal["default", "all"] = "all"
    order: Order = "as is"
    # distinct values once, then small numbers: Parquet's encoding before any codec
    dictionary: bool = True
    repeats: Annotated[int, Range(1, 9)] = 3  # rounds
    seed: Annotated[int, SEED] = 0  # of the shuffle, the order of turns and the synthetic table

    def check_together(self) -> None:
        """Raise ``InputError`` unless the table has the column."""
        require_choice("column", self.column, (WHOLE, *tables.column_names(self.table)))

    @property
    def trials(self) -> list[tuple[str, int | None]]:
        """Codec and level of each trial."""
        return [
            (name, level)
            for name in self.codecs
            for level in LEVELS[name][: None if self.levels == "all" else 1]
        ]
