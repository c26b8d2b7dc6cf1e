"""The child itself: SOURCE, TARGET and, for text, the file with the options."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa

from engine import processes
from engine.errors import InputError, explain, no_room
from engine.upload_reader.avro_file import read_avro
from engine.upload_reader.columns import normalize
from engine.upload_reader.csv_file import read_csv
from engine.upload_reader.json_file import read_json
from engine.upload_reader.limits import FORMATS, check_kind, check_size, limit_self
from engine.upload_reader.options import Options, Report, options_from_json
from engine.upload_reader.parquet_file import read_parquet


def main(source: str, target: str, options: str = "") -> None:
    """Read SOURCE, write TARGET, print the result line or the sentence for the visitor.

    How a text file was read, as far as that is known, is written beside TARGET even when it is
    refused: other options may read it.
    """
    limit_self()
    try:
        _convert(source, target, options)
    except OSError as error:
        if not no_room(error):
            raise
        processes.report(busy=explain(error))  # nothing is wrong with the file


def _convert(source: str, target: str, options: str) -> None:
    path = Path(source)
    report = Report()
    try:
        table = _read(path, options, report)
        check_size(table.num_rows, table.num_columns)
        table = normalize(table)
        report.done = True
        _write_report(report, target)
        partial = Path(target + ".part")
        with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        partial.rename(target)
    except InputError as error:
        _write_report(report, target)
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


def _read(path: Path, options: str, report: Report) -> pa.Table:
    kind = check_kind(path)
    if kind == ".parquet":
        return read_parquet(path)
    if kind == ".avro":
        return read_avro(path)
    reader = read_csv if FORMATS[kind] == "CSV" else read_json
    given = options_from_json(Path(options).read_text("utf-8")) if options else Options()
    return reader(path, given, report)


def _write_report(report: Report, target: str) -> None:
    if report.format:
        Path(target).with_suffix(".report").write_text(report.as_json(), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
