"""A workspace on a real file system that is full: an upload, a job and a run of the pipeline each
say so in one sentence, leave no half of anything, and go on once there is room.
"""

from __future__ import annotations

import contextlib
import random
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from engine import data, kept, processes, workspace
from engine.errors import explain
from engine.etl import loads
from engine.formats import race
from engine.jobs import Jobs
from engine.pipeline import store
from engine.pipeline.params import PipelineParams
from engine.pipeline.records import Run
from engine.pipeline.runner import run_stages
from engine.pipeline.stages import STAGES

ROOM = "512m"
FULL = "The disk must take what is written. Got: No space left on device."
Resize = Callable[[str], None]


@pytest.fixture
def resize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Resize]:
    """Make the workspace a file system in memory; the function that is given sets its size."""

    def mount(options: str) -> int:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(tmp_path)]
        return subprocess.run(command, capture_output=True).returncode

    if mount("size=1m"):
        pytest.skip("A file system can be mounted by root on Linux alone.")
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    yield lambda size: assert_done(mount(f"remount,size={size}"))
    assert_done(subprocess.run(["umount", "--lazy", str(tmp_path)]).returncode)


def assert_done(code: int) -> None:
    assert code == 0


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_upload_waits_for_room(resize: Resize) -> None:
    draw = random.Random(0)
    content = "a,b\n" + "".join(f"{draw.random()},{draw.random()}\n" for _ in range(40_000))
    folder = workspace.session(workspace.new_session_id()) / "uploads"
    with pytest.raises(OSError) as caught:
        data.save_upload(content.encode(), "a.csv", folder)
    assert explain(caught.value).startswith(FULL) and files(folder) == []
    resize("2m")  # the file has room, what its reader makes of it has none
    path = data.save_upload(content.encode(), "a.csv", folder)
    with pytest.raises(processes.BusyError, match=FULL):
        data.read_upload(path)
    assert not [name for name in files(folder) if name.endswith((".part", ".arrow", ".refused"))]
    resize(ROOM)
    assert data.read_upload(path).num_rows == 40_000


@pytest.mark.parametrize(
    "job",
    [
        (race.steps, race.RaceParams(n_rows=20_000, repeats=1, formats=("CSV", "Parquet"))),
        (loads.steps, loads.LoadsParams()),
    ],
    ids=["race", "loads"],
)
def test_a_job_says_so_and_what_was_measured_before_stays(
    resize: Resize, job: tuple[Callable[..., object], object]
) -> None:
    steps, params = job
    earlier = (race.steps, race.RaceParams(seed=7))
    kept.save(earlier, "measured before", 1.0)
    jobs = Jobs(keep_results=True)
    failed = jobs.submit("visitor", job, "", lambda: steps(params))
    assert failed.ended.wait(120) and failed.state == "failed"
    assert failed.message.startswith(FULL.partition(" Got")[0])
    assert kept.load(job) is None and files(workspace.server() / "scratch") == []
    resize(ROOM)
    again = jobs.submit("visitor", job, "", lambda: steps(params))
    assert again.ended.wait(120) and again.state == "done"
    assert kept.load(job) is not None
    found = kept.load(earlier)
    assert found is not None and found.result == "measured before"
    jobs.stop()


def test_a_run_of_the_pipeline_goes_on_with_the_stage_that_had_no_room(resize: Resize) -> None:
    resize("8m")
    params = PipelineParams(days=(date(2013, 1, 31), date(2013, 2, 13)))
    stages = STAGES[:3]  # the next starts Spark
    other = workspace.root() / "of-another-program"

    def fill(run: Run, stage: str, share: float) -> None:
        if stage == "load" and share >= 0.5:
            with contextlib.suppress(OSError), other.open("ab") as file:
                while file.write(bytes(4_096)):
                    file.flush()

    with pytest.raises(OSError) as caught:  # not even that it failed can be written down
        run_stages(stages, params, fill)
    assert explain(caught.value).startswith(FULL)
    other.unlink()
    run = run_stages(stages, params)
    assert [record.state for record in run.stages] == ["kept", "kept", "done"]
    workspace.remove(store.place("load", run.stages[2].key))
    clean = run_stages(stages, params).stages[2]
    assert clean.state == "done" and clean.digest == run.stages[2].digest, "of no half of a day"
