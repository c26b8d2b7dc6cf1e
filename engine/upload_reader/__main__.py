"""The child itself: SOURCE, TARGET."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa

from engine import processes
from engine.errors import InputError
from engine.upload_reader.avro_file import read_avro
from engine.upload_reader.columns import normalize
from engine.upload_reader.csv_file import read_csv
from engine.upload_reader.limits import check_kind, check_size, limit_self
from engine.upload_reader.parquet_file import read_parquet


def main(source: str, target: str) -> None:
    """Read SOURCE, write TARGET, print the result line or the sentence for the visitor."""
    limit_self()
    path = Path(source)
    try:
        reader = {".csv": read_csv, ".parquet": read_parquet, ".avro": read_avro}[check_kind(path)]
        table = reader(path)
        check_size(table.num_rows, table.num_columns)
        table = normalize(table)
        partial = Path(target + ".part")
        with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        partial.rename(target)
    except InputError as error:
        processes.report(error=str(error))
    except (MemoryError, pa.ArrowMemoryError):
        processes.report(
            error=(
                "This file unfolds to more memory than the playground gives it. Use a smaller file,"
                " or fewer columns or rows."
            )
        )
    else:
        processes.report(result={"n_rows": table.num_rows, "n_columns": table.num_columns})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
