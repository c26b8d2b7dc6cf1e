"""Tests of a load, generated for the table in view and run one after the other in a child process.

Real: the code is what the page shows and what pytest runs; the batch with its faults is the file
that it reads. The child calls its five functions as pytest would, so that the playground itself
does not need pytest.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from engine import hosted, processes, workspace
from engine.etl import quality
from engine.etl.quality import QualityParams, tests_code
from engine.jobs import Progress, Steps, to_end

NAMES = ("test_unit", "test_contract", "test_data", "test_idempotency", "test_reconciliation")
MAX_MESSAGE = 400  # characters of a failure that are shown


@dataclass(frozen=True, slots=True, eq=False)
class TestsResult:
    """The generated code, and the outcome of each of its tests."""

    params: QualityParams
    code: str
    outcomes: tuple[dict[str, Any], ...]  # name, passed, seconds, message
    complete: bool = True

    @property
    def failed(self) -> list[str]:
        """Names of the tests that failed."""
        return [outcome["name"] for outcome in self.outcomes if not outcome["passed"]]

    @property
    def verdict(self) -> str:
        """The run in one sentence."""
        n = len(self.outcomes)
        if not self.failed:
            return f"All **{n}** tests pass on this batch."
        return f"**{len(self.failed)} of {n}** tests fail on this batch: {', '.join(self.failed)}."


def steps(params: QualityParams) -> Steps:
    """Write the batch and the tests into the workspace, run the tests in a child, and return a
    ``TestsResult``.
    """
    hosted.refuse("tests")
    p = params
    code = tests_code.generate(p)
    batch = quality.batch_of(p.table, p.fault, p.dose, p.first_day, p.n_days, p.seed)
    folder = workspace.scratch("quality")
    try:
        pq.write_table(batch.table, folder / "batch.parquet")
        (folder / f"test_{p.table}.py").write_text(code, encoding="utf-8")
        yield Progress(0.0, "starting a process")
        outcomes = yield from processes.steps(
            __name__, str(folder / f"test_{p.table}.py"), str(folder / "batch.parquet")
        )
    finally:
        workspace.remove(folder)
    return TestsResult(p, code, tuple(outcomes))


run: Callable[[QualityParams], TestsResult] = to_end(steps)


def main(test_file: str, batch_file: str) -> None:
    """Run the tests of a file and report them; the child of ``steps``."""
    os.environ["BATCH"] = batch_file
    processes.report(share=0.0, message="importing pandera and DuckDB")
    spec = importlib.util.spec_from_file_location(Path(test_file).stem, test_file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(test_file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    outcomes = []
    for number, name in enumerate(NAMES):
        processes.report(share=number / len(NAMES), message=name)
        start, message = time.perf_counter(), ""
        try:
            getattr(module, name)()
        except Exception as error:  # whatever a test raises is its outcome, as in pytest
            message = f"{type(error).__name__}: {' '.join(str(error).split())}"[:MAX_MESSAGE]
        seconds = time.perf_counter() - start
        outcomes.append(
            {"name": name, "passed": not message, "seconds": seconds, "message": message}
        )
    processes.report(result=outcomes)


if __name__ == "__main__":
    main(*sys.argv[1:])
