"""The tables of *Spark or pandas*: ``lineitem`` and ``orders``, derived from TPC-H, as CSV files in
the workspace.

Real: ``tpchgen-cli`` makes them, once, and every later run reads the same files. Up to ``CUT_ROWS``
rows are the first lines of one small generation, because the generator needs a second or two for
its dictionary of comments whatever the size; above, the generator writes each size itself, whose
rows then differ from the number asked for by less than 0.1%. Its keys are near uniform: this is no
place to look for skew. Not comparable with published TPC-H results.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from engine import processes, workspace
from engine.errors import InputError, require
from engine.jobs import Progress, Steps
from engine.units import format_bytes

N_ROWS = (
    10_000,
    100_000,
    1_000_000,
    3_000_000,
    8_000_000,
)  # of lineitem; the last is more than 1 GB
CUT_ROWS = 300_000
ROWS_A_SCALE = 6_001_215  # of lineitem at scale factor 1
# of both files together, by row of lineitem: 150 at 10,000 rows, 157 at 8,000,000
BYTES_A_ROW = 158
SPARE_BYTES = 500_000_000  # of the disk, left free for everybody else
TABLES = ("lineitem", "orders")
MODULE = "engine.spark.contest.data"


@dataclass(frozen=True, slots=True)
class Files:
    """The two files of one size."""

    n_rows: int  # of lineitem, exactly
    n_orders: int
    size_bytes: int  # of both files on disk
    folder: str

    @property
    def lineitem(self) -> Path:
        """The file of the order lines."""
        return Path(self.folder) / "lineitem.csv"

    @property
    def orders(self) -> Path:
        """The file of the orders."""
        return Path(self.folder) / "orders.csv"


def folder_for(asked: int) -> Path:
    """Return the folder of the size ``asked`` for, made or not."""
    return workspace.server() / "tpch" / str(asked)


def find(asked: int) -> Files | None:
    """Return the files of a size if they are there."""
    note = folder_for(asked) / "files.json"
    if not note.exists():
        return None
    return Files(**{**json.loads(note.read_text(encoding="utf-8")), "folder": str(note.parent)})


def check_disk(asked: int, free_bytes: int | None = None) -> None:
    """Raise ``InputError`` unless the disk of the workspace has room for a size."""
    free = shutil.disk_usage(workspace.server()).free if free_bytes is None else free_bytes
    needed = asked * BYTES_A_ROW + SPARE_BYTES
    require(
        free >= needed,
        "Free disk must be at least {} for {:,} rows. Got {}. Choose fewer rows, or point"
        " PLAYGROUND_WORKSPACE at a larger disk.",
        format_bytes(needed),
        asked,
        format_bytes(free),
    )


def _generator() -> str:
    """Return the program ``tpchgen-cli`` of this environment."""
    beside = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
    found = str(beside) if beside.exists() else shutil.which("tpchgen-cli")
    require(
        found is not None,
        "tpchgen-cli must be installed. Got none in {}. Run make run again.",
        beside.parent,
    )
    return str(found)


def generate(asked: int, folder: Path) -> None:
    """Write both tables of a size with the generator, reporting progress by the bytes written; runs
    in a child process.
    """
    scale = asked / ROWS_A_SCALE
    command = [
        _generator(),
        "csv",
        "--scale-factor",
        f"{scale:.8f}",
        "--output-dir",
        str(folder),
        "--no-progress",
        "--quiet",
    ]
    process = subprocess.Popen(
        [*command, *(f"--tables={name}" for name in TABLES)], stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None:
        time.sleep(0.1)
        written = sum(path.stat().st_size for path in folder.iterdir())
        processes.report(
            share=min(0.99, written / (asked * BYTES_A_ROW)), message=format_bytes(written)
        )
    if process.returncode:
        text = (process.stderr.read() if process.stderr else "").strip()[-300:]
        processes.report(
            error=(
                f"tpchgen-cli must write {asked:,} rows. Got exit code {process.returncode}: {text}"
            )
        )


def _n_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def _cut(base: Files, asked: int, folder: Path) -> None:
    """Write the first ``asked`` lines of the base, and the orders that they belong to."""
    with base.lineitem.open("rb") as source, (folder / "lineitem.csv").open("wb") as sink:
        line = b""
        for line in islice(source, asked + 1):
            sink.write(line)
    last = int(line.split(b",", 1)[0])
    with base.orders.open("rb") as source, (folder / "orders.csv").open("wb") as sink:
        sink.write(next(source))
        for line in source:
            if int(line.split(b",", 1)[0]) > last:
                break
            sink.write(line)


def steps(asked: int) -> Steps:
    """Make the files of a size unless they are there; closing the generator kills the child and
    leaves nothing behind.

    Returns
    -------
    Files

    Raises
    ------
    InputError
        Too little disk, or the generator fails.
    """
    found = find(asked)
    if found is not None:
        return found
    check_disk(asked)
    made = workspace.scratch("tpch")
    try:
        if asked < CUT_ROWS:
            base: Files = yield from steps(CUT_ROWS)
            _cut(base, asked, made)
        else:
            ahead = round(CUT_ROWS * 1.01) if asked == CUT_ROWS else asked
            for progress in processes.steps(MODULE, str(ahead), str(made)):
                yield Progress(
                    progress.share, f"making {asked:,} rows, derived from TPC-H: {progress.message}"
                )
        n_rows, n_orders = (_n_lines(made / f"{name}.csv") - 1 for name in TABLES)
        size = sum((made / f"{name}.csv").stat().st_size for name in TABLES)
        target = folder_for(asked)
        files = Files(n_rows, n_orders, size, str(target))
        (made / "files.json").write_text(json.dumps(asdict(files)), encoding="utf-8")
        target.parent.mkdir(exist_ok=True)
        workspace.remove(target)
        made.rename(target)
        return files
    finally:
        workspace.remove(made)


if __name__ == "__main__":
    try:
        generate(int(sys.argv[1]), Path(sys.argv[2]))
        processes.report(result=True)
    except InputError as error:
        processes.report(error=str(error))
