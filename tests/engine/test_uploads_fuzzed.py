"""Real files, changed at random: each is read or refused by a sentence, within the limits of the
reader, and nothing is written beside it.
"""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import fastavro
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from engine import data, workspace
from engine.processes import MEMORY_LIMIT_BYTES, TIME_LIMIT_SECONDS

CASES = Path(__file__).parents[1] / "cases"
N = 30  # changed files of each kind
HOSTILE = (
    b"\x00",
    b"\xff" * 8,
    b'"',
    b"\xff\xff\xff\xff\x7f",
    b"\xef\xbb\xbf",
    b"{",
    b"1e999",
    b",",
)


def avro() -> bytes:
    """The airlines as Avro, compressed."""
    rows, sink = data.load("airlines").to_pylist(), io.BytesIO()
    fields = [{"name": name, "type": ["null", "string"]} for name in rows[0]]
    fastavro.writer(sink, {"type": "record", "name": "r", "fields": fields}, rows, codec="deflate")
    return sink.getvalue()


def originals(kind: str) -> list[bytes]:
    """Real files of a kind: those that were reported, and one of the bundled tables."""
    airports = data.load("airports").slice(0, 60)
    sink = io.BytesIO()
    if kind == ".csv":
        csv.write_csv(airports, sink)
    elif kind == ".json":
        sink.write(json.dumps(airports.to_pylist()).encode())
    elif kind == ".parquet":
        pq.write_table(airports, sink)
    else:
        sink.write(avro())
    return [sink.getvalue(), *(path.read_bytes() for path in sorted(CASES.glob(f"*{kind}")))]


def changed(content: bytes, draw: random.Random) -> bytes:
    """Return a file with one to four changes: bits, bytes, pieces cut, doubled or taken away."""
    for _ in range(draw.randint(1, 4)):
        at, length = draw.randrange(len(content) + 1), draw.choice((1, 4, 60, 2_000))
        piece = content[at : at + length]
        new = {
            "cut": b"",
            "flip": bytes(byte ^ 1 << draw.randrange(8) for byte in piece),
            "double": piece * draw.choice((2, 50)),
            "hostile": draw.choice(HOSTILE) * draw.choice((1, 30)),
            "random": draw.randbytes(len(piece)),
        }[draw.choice(("cut", "flip", "double", "hostile", "random"))]
        content = content[:at] + new + content[at + length :]
    return content


@pytest.mark.parametrize("kind", [".csv", ".json", ".parquet", ".avro"])
def test_a_real_file_changed_at_random_is_read_or_refused(
    kind: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    record_property("inputs", N)
    draw, real, folder = random.Random(kind), originals(kind), tmp_path / "files"
    folder.mkdir()
    for number in range(N):
        (folder / f"{number:04d}{kind}").write_bytes(changed(draw.choice(real), draw) or b" ")
    names = {path.name for path in folder.iterdir()}
    command = [sys.executable, "-m", "tests.engine.fuzzed_reader", str(folder)]
    child = subprocess.run(command, cwd=workspace.REPOSITORY, stdout=subprocess.PIPE, text=True)
    outcomes = [json.loads(line) for line in child.stdout.splitlines()]
    assert child.returncode == 0 and {one["name"] for one in outcomes} == names
    for one in outcomes:
        assert one["code"] == 0 and "Traceback" not in one["said"], one
        assert set(json.loads(one["said"])) in ({"result"}, {"error"}), one
        assert one["seconds"] < TIME_LIMIT_SECONDS and one["held_bytes"] < MEMORY_LIMIT_BYTES
        assert len(one["said"]) < 1_500
    assert any("error" in json.loads(one["said"]) for one in outcomes)
    beside = {path.name.partition(kind)[0] + kind for path in folder.iterdir()}
    assert beside == names and {path.name for path in tmp_path.iterdir()} == {"files"}
