"""The house's own engines: errors, workspace, child processes, uploads (hostile ones too),
synthetic tables.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fastavro
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import data, processes, workspace
from engine.errors import InputError, require
from engine.upload_reader import limits


def test_closing_the_steps_of_a_child_kills_its_whole_group() -> None:
    steps = processes.steps("tests.engine.slow_child")
    progress = next(steps)
    while progress.message != "started":
        progress = next(steps)
    grandchild = psutil.Process(progress.partial)
    steps.close()
    psutil.wait_procs([grandchild], timeout=10)
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_a_server_that_stops_takes_its_children_along() -> None:
    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(processes.run_limited, "tests.engine.slow_child")
        while not processes._alive:
            threading.Event().wait(0.01)
        readers = [psutil.Process(process.pid) for process in processes._alive]
        children = readers + [
            child for reader in readers for child in reader.children(recursive=True)
        ]
        processes.stop()
        with pytest.raises(processes.ChildError, match="signal SIGKILL"):
            reading.result(timeout=60)
    assert not [
        child
        for child in psutil.wait_procs(children, timeout=10)[1]
        if child.status() != psutil.STATUS_ZOMBIE
    ]


def test_a_child_ends_with_a_parent_that_is_killed() -> None:
    parent = processes.start("tests.engine.orphan")
    assert parent.stdout is not None
    said = json.loads(parent.stdout.readline())
    child = psutil.Process(said["pid"])
    try:
        assert said["heard"] == "hello\n"
        assert child.is_running() and child.ppid() == parent.pid
    finally:
        processes.kill_group(parent)  # the child has a group of its own
    psutil.wait_procs([child], timeout=30)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_the_next_server_ends_what_a_killed_one_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = workspace.server() / "tmp" / "999999999"  # no process has such a number
    with monkeypatch.context() as patch:
        patch.setenv("TMPDIR", str(gone))
        left = processes.start("tests.engine.orphan")
    stays = processes.start("tests.engine.orphan")
    try:
        assert left.stdout is not None and json.loads(left.stdout.readline())["heard"]
        workspace.sweep()
        assert left.wait(timeout=30) < 0 and not gone.exists()
        assert stays.poll() is None
    finally:
        processes.kill_group(left)
        processes.kill_group(stays)


def test_a_child_over_its_time_or_memory_is_stopped_with_a_sentence() -> None:
    with pytest.raises(processes.BusyError, match="takes longer than 1 s"):
        processes.run_limited("tests.engine.slow_child", wait_seconds=1)
    with pytest.raises(InputError, match=r"takes more than 0 s of a processor") as caught:
        processes.run_limited("tests.engine.slow_child", seconds=0.01, wait_seconds=60)
    assert not isinstance(caught.value, processes.BusyError)
    with pytest.raises(InputError, match=r"takes more than 0.0 GB of memory"):
        processes.run_limited("tests.engine.slow_child", memory_bytes=1_000_000)
    with pytest.raises(processes.ChildError, match="no_such_module"):
        processes.run_limited("tests.engine.no_such_module")


def saved(name: str, content: bytes) -> Path:
    return data.save_upload(
        content, name, workspace.session(workspace.new_session_id()) / "uploads"
    )


def parquet(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def avro(schema: dict[str, object], records: list[dict[str, object]]) -> bytes:
    sink = io.BytesIO()
    fastavro.writer(sink, fastavro.parse_schema(schema), records)
    return sink.getvalue()


RECORD = {
    "type": "record",
    "name": "r",
    "fields": [{"name": "a", "type": "long"}, {"name": "b", "type": ["null", "string"]}],
}
GOOD = pa.table({"a": pa.array([1, 2, 3]), "b": pa.array(["x", None, "z"])})


def test_good_files_read_back_equal() -> None:
    sink = io.BytesIO()
    csv.write_csv(GOOD, sink)
    read = data.read_upload(saved("a.csv", sink.getvalue()))
    assert read.to_pylist() == GOOD.to_pylist()
    coded = GOOD.set_column(1, "b", GOOD["b"].dictionary_encode())
    assert data.read_upload(saved("a.parquet", parquet(coded))).to_pylist() == GOOD.to_pylist()
    assert (
        data.read_upload(saved("a.avro", avro(RECORD, GOOD.to_pylist()))).to_pylist()
        == GOOD.to_pylist()
    )


NESTED = pa.table({"id": [1], "tags": [["a", "b"]]})
HEAD = avro(RECORD, GOOD.to_pylist())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.xlsx", b"x", "must end in .csv, .*avro. Got 'a.xlsx'"),
        ("a.parquet", b"id,name\n1,a\n", "A .parquet file must start with PAR1"),
        ("a.avro", parquet(GOOD), "ends in .avro but holds Parquet. Rename it to end in .parquet"),
        ("a.csv", parquet(GOOD), "ends in .csv but holds Parquet"),
        ("a.parquet", HEAD, "ends in .parquet but holds Avro"),
        ("a.parquet", parquet(GOOD)[:-30], "damaged or cut short"),
        ("a.parquet", parquet(GOOD)[:40], "damaged or cut short"),
        ("a.avro", HEAD[:-20], "damaged or cut short"),
        ("a.avro", HEAD[:60], "damaged or cut short"),
        ("a.avro", avro({"type": "long"}, [1, 2]), "must hold records"),  # type: ignore[list-item]
        ("a.avro", avro(RECORD, []), "has no rows"),
        ("a.csv", b"a,b\n1,2\n3\n", "cannot be read: line 3 has 1 cell"),
        ("a.csv", b"a,b\n1,\x00\x01\n", "holds binary data"),
        ("a.csv", b"a,b\n", "at least one row"),
        ("a.csv", b"a,a\n1,2\n", "Column names must differ. a appears more than once"),
        ("a.parquet", parquet(NESTED), "tags is nested"),
        (
            "a.parquet",
            parquet(pa.table({}).append_column("a", pa.array([], pa.int64()))),
            "at least one row",
        ),
        ("a.parquet", parquet(pa.table({})), "at least one column"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_to_do(
    name: str, content: bytes, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        data.read_upload(saved(name, content))


def exploding_parquet() -> bytes:
    """A few kB that unfold to 8 GB: one long value in the dictionary, repeated by the run
    length.
    """
    value = pa.array(["x" * 4_000])
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(2_000_000, np.int32)), value)
    return parquet(pa.table({"a": column}), write_statistics=False)


def many_columns_of_it() -> bytes:
    """The same in a hundred columns of 0.1 GB: no single allocation gives it away, the sum does."""
    column = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(25_000, np.int32)), pa.array(["x" * 4_000])
    )
    return parquet(
        pa.table({f"a{number}": column for number in range(100)}), write_statistics=False
    )


def endless_avro() -> bytes:
    """A few hundred bytes whose one block claims 2**62 records: a record of nulls costs no byte."""
    good = avro(
        {"type": "record", "name": "r", "fields": [{"name": "a", "type": "null"}]}, [{"a": None}]
    )
    sync = good[-16:]
    return (
        good[: good.index(sync) + 16] + b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01" + b"\x00" + sync
    )


def run_length_parquet() -> bytes:
    """A few kB that unfold to millions of rows: one number, repeated by the run length."""
    return parquet(pa.table({"a": pa.array(np.zeros(3_000_000, np.int8))}))


def exploding_avro() -> bytes:
    """180 bytes that unfold to as many nulls as a long can count: an array of nulls costs no byte
    an item.
    """
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": "a", "type": {"type": "array", "items": "null"}}],
    }
    good = avro(schema, [{"a": [None]}])
    sync, body = good[-16:], good[:-16]
    head = body[: body.rindex(sync) + 16]
    items = (
        b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01" + b"\x00"
    )  # a zigzag long of 2**62 items, then the end of the array
    block = b"\x02" + bytes([len(items) * 2]) + items
    return head + block + sync


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("a.parquet", exploding_parquet, "memory"),
        ("a.parquet", many_columns_of_it, "memory"),
        ("a.avro", exploding_avro, "a is nested"),
    ],
)
def test_a_file_that_unfolds_to_gigabytes_is_stopped(
    name: str, make: Callable[[], bytes], message: str
) -> None:
    content = make()
    assert len(content) < 200_000
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    path = saved(name, content)
    with pytest.raises(InputError, match=message):
        data.read_upload(path)
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
    assert sorted(file.suffix for file in path.parent.iterdir()) == [Path(name).suffix, ".refused"]


@pytest.mark.parametrize(
    ("name", "make"), [("a.parquet", run_length_parquet), ("a.avro", endless_avro)]
)
def test_a_file_of_too_many_rows_is_refused(name: str, make: object) -> None:
    content = make()  # type: ignore[operator]
    assert len(content) < 20_000
    with pytest.raises(
        InputError, match=r"at most 2,000,000 rows. Got .* or more. Upload a sample"
    ):
        data.read_upload(saved(name, content))


def test_three_bombs_at_once_hold_no_more_than_one_may() -> None:
    paths = [saved("a.parquet", many_columns_of_it()) for _ in range(3)]
    done = threading.Event()

    def read(path: Path) -> str:
        with pytest.raises(InputError) as caught:
            data.read_upload(path)
        return str(caught.value)

    def watch() -> int:
        most = 0
        while not done.wait(0.005):
            readers = [processes.resident_bytes(process.pid) for process in list(processes._alive)]
            most = max(most, sum(readers))
        return most

    with ThreadPoolExecutor(4) as pool:
        watching = pool.submit(watch)
        sentences = list(pool.map(read, paths))
        done.set()
        peak = watching.result()
    assert all("memory" in sentence for sentence in sentences), (
        "each is refused for what it is, none for the others"
    )
    assert 1_000_000_000 < peak < limits.ADDRESS_SPACE_BYTES


def test_a_reader_that_nobody_watches_is_stopped_by_its_address_space() -> None:
    path = saved("a.parquet", many_columns_of_it())
    child = processes.start("engine.upload_reader", str(path), f"{path}.arrow")
    most = 0
    while child.poll() is None:
        most = max(most, processes.resident_bytes(child.pid))
    processes.kill_group(child)
    assert most < limits.ADDRESS_SPACE_BYTES and not Path(f"{path}.arrow").exists()
    assert child.stdout is not None and "memory" in json.loads(child.stdout.read())["error"]


def test_a_refusal_is_remembered_for_the_file_and_never_for_what_others_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = saved("a.csv", b"a,b\n1,2\n")
    real, outcomes = (
        processes.run_limited,
        [processes.BusyError("busy"), processes.ChildError("reader", -9, "")],
    )

    def failing(*_: str) -> None:
        raise outcomes.pop()

    monkeypatch.setattr(processes, "run_limited", failing)
    for message in ("SIGKILL", "busy"):  # ended by who needed the memory; no time for it
        with pytest.raises(processes.BusyError, match=message):
            data.read_upload(path)
    monkeypatch.setattr(processes, "run_limited", real)
    assert data.read_upload(path).num_rows == 1

    bad = saved("a.csv", b"a,b\n1,2\n3\n")
    with pytest.raises(InputError, match="line 3 has 1 cell"):
        data.read_upload(bad)
    monkeypatch.setattr(
        processes, "run_limited", failing
    )  # it would raise IndexError: nothing is left to pop
    with pytest.raises(InputError, match="line 3 has 1 cell"):
        data.read_upload(bad)
    assert data.read_upload(path).num_rows == 1


def test_a_reader_that_is_killed_blames_no_file_and_the_file_is_read_again() -> None:
    path = saved("a.csv", b"a,b\n" + b"1,2\n" * 100_000)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(data.read_upload, path)
        while not (readers := list(processes._alive)):
            threading.Event().wait(0.005)
        readers[0].kill()
        with pytest.raises(processes.BusyError, match="SIGKILL.* choose it again"):
            reading.result(60)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert data.read_upload(path).num_rows == 100_000
    (read,) = path.parent.glob("*.arrow")
    for damaged in (b"", b"ARROW1", read.read_bytes()[:-100]):
        read.write_bytes(damaged)
        assert data.read_upload(path).num_rows == 100_000


def test_who_waits_for_the_reader_is_answered_in_time_and_when_the_server_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = saved("a.csv", b"a,b\n1,2\n")
    with data._TURN:
        monkeypatch.setattr(data, "WAIT_SECONDS", 0.01)
        with pytest.raises(processes.BusyError, match="others came before yours"):
            data.read_upload(path)
        monkeypatch.setattr(data, "WAIT_SECONDS", 60)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(data.read_upload, path)
            while not waiting.running():
                threading.Event().wait(0.01)
            threading.Event().wait(0.2)
            processes.stop()
            data._TURN.release()
            with pytest.raises(processes.BusyError, match="being stopped"):
                waiting.result(60)
            data._TURN.acquire()
    assert data.read_upload(path).num_rows == 1


@pytest.mark.parametrize(
    "place",
    ["server/a", "sessions/{id}/../../server/x", "sessions/{id}/uploads/mine.csv", "../a.csv"],
)
def test_only_a_file_that_was_uploaded_is_read(place: str) -> None:
    path = workspace.root() / place.format(id="0" * 32)
    (workspace.session("0" * 32) / "uploads").mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        path.write_text("a,b\n1,2\n")
    with pytest.raises(
        InputError,
        match="upload must be a file that you uploaded here. Got '[^/]*'. Upload it again.",
    ):
        data.read_upload(path)


def test_a_link_out_of_the_session_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    link = saved("a.csv", b"a\n1\n").with_name("0" * 16 + ".csv")
    link.symlink_to(tmp_path / "secret.csv")
    with pytest.raises(InputError, match="upload must be a file"):
        data.read_upload(link)


@settings(max_examples=12, deadline=None)
@given(cut=st.integers(4, len(parquet(GOOD)) - 1))
def test_a_parquet_file_cut_anywhere_is_a_sentence(cut: int) -> None:
    with pytest.raises(InputError, match="damaged or cut short"):
        data.read_upload(saved("a.parquet", parquet(GOOD)[:cut]))


def test_a_file_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "MAX_UPLOAD_BYTES", 10)
    with pytest.raises(InputError, match="a.csv must be at most 10 bytes. Got 11"):
        saved("a.csv", b"x" * 11)


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(InputError, match="table must be one of flights, .* Got 'trains'"):
        data.load("trains")
    with pytest.raises(InputError, match="k must be 1–50. Got 70."):
        require(False, "k must be 1–50. Got {}.", 70)


@settings(max_examples=25, deadline=None)
@given(
    n_rows=st.integers(1, 400),
    cardinality=st.integers(1, 50),
    entropy=st.sampled_from([0.0, 0.5, 1.0]),
    null_share=st.sampled_from([0.0, 1.0]),
    seed=st.integers(0, 99),
)
def test_synthetic_tables_keep_their_knobs(
    n_rows: int, cardinality: int, entropy: float, null_share: float, seed: int
) -> None:
    params = data.SyntheticParams(
        n_rows=n_rows,
        cardinality=min(cardinality, n_rows),
        entropy=entropy,
        null_share=null_share,
        seed=seed,
        sortedness=1.0,
    )
    table = data.make_synthetic(params)
    assert table.equals(data.make_synthetic(params))
    assert table.num_rows == n_rows and table["id"].to_pylist() == list(range(n_rows))
    known = table["category"].drop_null().to_pylist()
    assert known == sorted(known) and len(set(known)) <= cardinality
    assert table["amount"].null_count == (n_rows if null_share else 0)
    assert all(
        text[round(32 * entropy) :] == "0" * (32 - round(32 * entropy))
        for text in table["payload"].to_pylist()
    )


def test_zipf_makes_one_category_frequent() -> None:
    def top_share(zipf: float) -> float:
        column = data.make_synthetic(data.SyntheticParams(n_rows=20_000, zipf=zipf))["category"]
        return max(count["counts"].as_py() for count in column.value_counts()) / 20_000

    weights = 1 / np.arange(1, 101) ** 2
    assert (
        abs(top_share(0) - 0.01) < 0.005 and abs(top_share(2) - weights[0] / weights.sum()) < 0.02
    )


def test_a_new_workspace_is_for_its_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path / "new"))
    assert stat.S_IMODE(workspace.root().stat().st_mode) == 0o700


def test_the_workspace_keeps_to_itself(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="session_id must be 32 hex digits"):
        workspace.session("../../etc")
    with pytest.raises(InputError, match="path must lie inside the workspace"):
        workspace.remove(tmp_path)
    folder = workspace.scratch("test")
    assert (
        folder.is_relative_to(workspace.root())
        and workspace.sweep(older_than_seconds=1e9) == 0
        and folder.exists()
    )
    assert workspace.sweep(older_than_seconds=-1) >= 1 and not folder.exists()


def test_temporary_files_lie_in_the_workspace_and_leave_with_their_process() -> None:
    outside, at_first = tempfile.gettempdir(), os.environ.get("TMPDIR")
    (workspace.temporary() / "of an earlier process of this id").touch()
    with workspace.temporary_files_inside() as folder:
        assert folder.is_relative_to(workspace.root()) and list(folder.iterdir()) == []
        with tempfile.NamedTemporaryFile() as file:
            assert Path(file.name).parent == folder
        ask = (
            "import tempfile; from engine import workspace; print(tempfile.gettempdir(),"
            " workspace.temporary())"
        )
        answer = subprocess.run(
            [sys.executable, "-c", ask],
            capture_output=True,
            text=True,
            cwd=workspace.REPOSITORY,
            check=True,
        )
        assert answer.stdout.split() == [str(folder)] * 2, "a child shares its parent's"
        gone, alive = folder.with_name("999999999"), folder.with_name(str(os.getppid()))
        gone.mkdir()
        alive.mkdir()
        workspace.sweep(older_than_seconds=1e9)
        assert not gone.exists() and alive.exists() and folder.exists()
        alive.rmdir()
    assert (
        not folder.exists()
        and tempfile.gettempdir() == outside
        and os.environ.get("TMPDIR") == at_first
    )
    child = processes.start("tests.engine.slow_child")
    assert child.stdout is not None and child.stdout.readline()
    assert psutil.Process(child.pid).environ()["TMPDIR"] == str(workspace.temporary()), (
        "a child's, whoever starts it"
    )
    processes.kill_group(child)


def test_children_run_in_this_interpreter() -> None:
    process = processes.start("tests.engine.slow_child")
    assert (
        process.stdout is not None and process.stdout.readline()
    )  # just begun, a process has no command line yet
    assert Path(psutil.Process(process.pid).cmdline()[0]).name == Path(sys.executable).name
    processes.kill_group(process)
    assert process.returncode == -9
