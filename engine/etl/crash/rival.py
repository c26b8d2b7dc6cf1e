"""A second process at the warehouse: one that holds it open, or one that runs out of disk in the
midst of a load.

``python -m engine.etl.crash.rival hold <warehouse>`` opens the file, reports so, and waits to be
killed. ``python -m engine.etl.crash.rival fill <warehouse> <spare bytes>`` loads a year into it, in
one transaction, with a limit on the size of files: what a full disk does is simulated by that limit
(``RLIMIT_FSIZE``); that the write fails, and what follows, is real.
"""

from __future__ import annotations

import resource
import signal
import sys
from pathlib import Path

from engine.etl import flight_days, warehouse
from engine.processes import report


def hold(path: Path) -> None:
    """Keep the warehouse open until killed."""
    with warehouse.connect(path):
        report(share=0.5, message="open")
        while True:
            signal.pause()


def fill(path: Path, spare_bytes: int) -> None:
    """Load more than there is room for; report the sentence that a person would read."""
    import duckdb
    import pyarrow as pa

    rows = flight_days.truth(0, flight_days.N_DAYS)
    rows = rows.append_column("deleted", pa.repeat(False, rows.num_rows))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with warehouse.connect(path) as connection:
        connection.register("batch", rows)
        limit = path.stat().st_size + spare_bytes
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            warehouse.load(connection, (f"INSERT INTO {warehouse.TABLE} FROM batch",))
        except duckdb.Error as error:
            reason = str(error).splitlines()[0].replace(str(path), path.name)
            report(
                error=(
                    "The disk is full: the load was undone, and the table is as it was. Free some"
                    f" space and run it again. DuckDB says: {reason[:160]}"
                )
            )
            return
    report(result="loaded")


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        hold(Path(sys.argv[2]))
    else:
        fill(Path(sys.argv[2]), int(sys.argv[3]))
