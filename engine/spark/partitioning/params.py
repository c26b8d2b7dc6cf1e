"""Settings of the partition explorer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from engine.errors import name_in_sentence, require, require_choice
from engine.ranges import SEED, Params, Range, Text
from engine.spark import keys
from engine.spark.keys import Source, TableName

Strategy = Literal["hash", "range", "round-robin", "coalesce", "partitionBy files", "bucketing"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
MAX_PARTITIONS = 400
N_ROWS = (10_000, 50_000, 200_000, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitioningParams(Params):
    """Which rows, by which key, how, into how many."""

    table: TableName = "flights"
    keys: tuple[str, ...] = ("dest",)
    strategy: Strategy = "hash"
    # of files by partitionBy: no effect, each key has a folder
    n_partitions: Annotated[int, Range(1, MAX_PARTITIONS)] = 16
    n_before: Annotated[int, Range(1, MAX_PARTITIONS)] = 12  # the number that rows move from
    # a key to follow; empty: the most frequent. Several columns: values with commas between
    typed: Annotated[str, Text(1_000)] = ""
    n_input: Annotated[int, Range(1, 64)] = 4  # partitions of the input
    exponent: Annotated[float, Range(0, 3, step=0.1)] = 1.2  # of the Zipf key
    n_rows: Annotated[int, Range(1_000, N_ROWS[-1], options=N_ROWS)] = 200_000  # of the Zipf key
    seed: Annotated[int, SEED] = 0  # of the Zipf key
    upload: str = ""

    def check_together(self) -> None:
        """Raise ``InputError`` unless the table has the key's columns and the strategy takes
        them.
        """
        require(len(self.keys) > 0, "Key must name at least one column. Got none. Choose one.")
        refused = keys.refused_columns(self.source)
        for name in self.keys:
            reason = refused.get(name)
            require(reason is None, "{} cannot be the key. {}", name_in_sentence(name), reason)
            require_choice("keys", name, keys.key_columns(self.source))
        require(
            self.strategy != "range" or len(self.keys) == 1,
            "Key must be one column for range. Got {}.",
            len(self.keys),
        )

    @property
    def source(self) -> Source:
        """The rows; settings without influence on them are left out."""
        if self.table == "zipf":
            return Source("zipf", self.exponent, self.n_rows, self.seed)
        return Source(self.table, upload=self.upload if self.table == "upload" else "")
