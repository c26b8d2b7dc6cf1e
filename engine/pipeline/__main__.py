"""``python -m engine.pipeline``: the pipeline without the page. Exit codes: 0 done, 1 a stage
failed, 2 the arguments are wrong.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before scikit-learn loads

import argparse
import json
import sys
from dataclasses import asdict
from datetime import date
from typing import Any

from engine.errors import InputError
from engine.pipeline import compare, events, faithful, lineage, report, store
from engine.pipeline.params import PipelineParams
from engine.pipeline.records import Run, StageRecord
from engine.pipeline.runner import params_of, run_stages
from engine.pipeline.stages import STAGES
from engine.ranges import rules
from engine.units import format_bytes, format_number, format_seconds, format_share
from engine.workspace import temporary_files_inside

BAR_WIDTH = 24


def parser() -> argparse.ArgumentParser:
    """Return the command line; the settings are those of ``PipelineParams``."""
    top = argparse.ArgumentParser(prog="python -m engine.pipeline", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run all stages")
    default = PipelineParams()
    for name, number in (("from", 0), ("to", 1)):
        run.add_argument(
            f"--{name}", dest=name, type=date.fromisoformat, default=default.days[number]
        )
    for name, value in asdict(default).items():
        if name != "days":
            run.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    resume = commands.add_parser(
        "resume", help="go on with a run that stopped, by default the latest"
    )
    resume.add_argument("run", nargs="?")
    two = commands.add_parser("compare", help="what differs between two runs, stage by stage")
    two.add_argument("first")
    two.add_argument("second")
    one = commands.add_parser("report", help="write one HTML file about a run")
    one.add_argument("run", nargs="?")
    one.add_argument("--to", dest="target", default="pipeline-report.html")
    made = commands.add_parser(
        "lineage", help="sources, code and settings of a run's model, and its OpenLineage events"
    )
    made.add_argument("run", nargs="?")
    made.add_argument("--row", type=int, help="of one prediction of the served day, from 0")
    large = commands.add_parser("faithful", help="how close an enlarged month is to the real one")
    large.add_argument("--scale", type=int, default=10)
    commands.add_parser("list", help="list the runs")
    for command in (run, resume):
        command.add_argument(
            "--prefect", action="store_true", help="as a Prefect flow, on a Prefect server"
        )
    for command in (run, resume, two, made, large, commands.choices["list"]):
        command.add_argument("--json", action="store_true", help="print JSON instead of text")
    return top


def describe(record: StageRecord) -> str:
    """Return a stage in one line."""
    state = {"done": "done", "kept": "kept from an earlier run", "failed": "FAILED"}[record.state]
    rows = f"{format_number(record.n_in)} → {format_number(record.n_out)} rows"
    dropped = ", ".join(f"{format_number(n)} {why}" for why, n in record.dropped.items())
    parts = [rows, *([f"dropped: {dropped}"] if dropped else []), format_bytes(record.n_bytes)]
    if record.state == "failed":
        parts = [record.error]
    return f"{record.stage:13}{state}, {format_seconds(record.seconds)}: {'; '.join(parts)}"


class Bar:
    """Progress on a terminal: one line for the stage at work, one for each that is over."""

    def __init__(self, silent: bool) -> None:
        self.silent = silent
        self.n_done = 0

    def __call__(self, run: Run, stage: str, share: float) -> None:
        """Show how far the run has come."""
        if self.silent:
            return
        if len(run.stages) > self.n_done:
            self.n_done = len(run.stages)
            print(f"\r\x1b[K{describe(run.stages[-1])}", file=sys.stderr, flush=True)
        elif sys.stderr.isatty():
            done = round(share * BAR_WIDTH)
            bar = "█" * done + "·" * (BAR_WIDTH - done)
            print(
                f"\r\x1b[K{stage:13}{bar} {format_share(share)}",
                end="",
                file=sys.stderr,
                flush=True,
            )


def latest(run_id: str | None) -> Run:
    """Return the run asked for, or the latest.

    Raises
    ------
    InputError
        There is none.
    """
    if run_id:
        return store.run_of(run_id)
    runs = store.runs()
    if not runs:
        raise InputError("There must be a run to go on with. Got none: start one with run.")
    return runs[0]


def execute(given: argparse.Namespace) -> int:
    """Carry out one command and return the exit code."""
    if given.command == "list":
        runs = store.runs()
        lines = [
            f"{run.id}  {run.state:8}{run.params['days'][0]} to {run.params['days'][1]}"
            for run in runs
        ]
        answer(given, [json.loads(run.text) for run in runs], "\n".join(lines) or "No runs yet.")
        return 0
    if given.command == "compare":
        rows = compare.differences(store.run_of(given.first), store.run_of(given.second))
        answer(given, rows, compare.as_text(rows))
        return 0
    if given.command == "report":
        report.write(latest(given.run), given.target)
        print(f"Written: {given.target}")
        return 0
    if given.command == "faithful":
        params = PipelineParams(scale=given.scale)
        parts = faithful.frames(params.dates[:31], max(2, params.scale), params.seed)
        tables = faithful.marginals(*parts), faithful.correlations(*parts)
        answer(given, tables, faithful.as_text(*tables))
        return 0
    if given.command == "lineage":
        found = latest(given.run)
        row = given.row
        made = lineage.of_model(found) if row is None else lineage.of_prediction(found, row)
        answer(given, made, f"{lineage.as_text(made)}\nOpenLineage events: {events.write(found)}")
        return 0
    if given.command == "run":
        names = [name for name in rules(PipelineParams) if name != "days"]
        settings = {name: getattr(given, name) for name in names}
        params, known = PipelineParams(days=(vars(given)["from"], given.to), **settings), None
    else:
        known = latest(given.run)
        params = params_of(known)
    with temporary_files_inside():
        try:
            run = carry_out(given, params, known)
        finally:
            stop_engines()
    events.write(run)
    answer(given, json.loads(run.text), f"Run {run.id}: {run.state}.")
    return 0 if run.state == "done" else 1


def carry_out(given: argparse.Namespace, params: PipelineParams, known: Run | None) -> Run:
    """Run all stages, by Prefect if it was asked for."""
    if not given.prefect:
        return run_stages(STAGES, params, Bar(given.json), known)
    from engine.pipeline.prefect_run import run_in_prefect  # Prefect takes seconds to import

    return run_in_prefect(params, Bar(given.json), known)


def answer(given: argparse.Namespace, content: Any, text: str) -> None:
    """Print the answer as it was asked for."""
    print(json.dumps(content, indent=1) if given.json else text)


def stop_engines() -> None:
    """End the Spark that a stage started, and the Prefect server."""
    for name, part in (
        ("engine.spark.session", "ENGINE"),
        ("engine.orchestration.server", "SERVER"),
    ):
        module = sys.modules.get(name)
        if module is not None:
            getattr(module, part).stop()


def main() -> int:
    """Carry out the command line."""
    try:
        return execute(parser().parse_args())
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. Go on with: python -m engine.pipeline resume", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
