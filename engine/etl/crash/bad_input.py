"""What must not harm the warehouse: a changed schema, an unreachable source, a full disk, two
parallel runs.

Real: all four happen to one warehouse, one after another; before and after each the table is read
and named by its state hash. Simulated: the full disk, by a limit on file size in the process that
loads (``engine.etl.crash.rival``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine import processes, workspace
from engine.errors import InputError
from engine.etl import flight_days, ledger, warehouse
from engine.etl.crash import api, daily
from engine.etl.crash.daily import Plan
from engine.etl.crash.retries import Policy
from engine.jobs import Progress, Steps, run_to_end

DAY: Final = 174
SPARE_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """One problem: its error message, and the table before and after."""

    name: str
    sentence: str
    before: str
    after: str
    n_rows: int

    @property
    def whole(self) -> bool:
        """Whether the table is as it was."""
        return self.before == self.after


def _state(path: Path) -> tuple[str, int]:
    with warehouse.connect(path) as connection:
        rows = warehouse.rows(connection)
    return ledger.state_hash(rows), rows.num_rows


def _daily(path: Path, folder: Path, day: int, faults: api.Faults) -> int:
    """Run the daily pipeline against a source with faults; returns the calls if it succeeds."""
    with api.serve(faults) as served, warehouse.connect(path) as connection:
        plan = Plan(
            day=day,
            address=served.address,
            table=warehouse.TABLE,
            strategy="upsert",
            transaction=True,
            staging=True,
            folder=folder,
            policy=Policy(attempts=4),
        )
        return daily.run_day(connection, plan, lambda step: None).tally.calls


def _full_disk(path: Path) -> Any:
    return processes.run_limited("engine.etl.crash.rival", "fill", str(path), str(SPARE_BYTES))


def _two_at_once(path: Path) -> None:
    rival = processes.start("engine.etl.crash.rival", "hold", str(path))
    try:
        said = rival.stdout.readline() if rival.stdout else ""
        if "open" not in said:
            raise RuntimeError(f"the rival did not open the warehouse: {said!r}")
        with warehouse.connect(path):
            pass
    finally:
        processes.kill_group(rival)


def steps(day: int = DAY) -> Steps:
    """Cause all four problems, one after another. Returns a tuple of ``Case``."""
    folder = workspace.scratch("bad-input")
    path = folder / "warehouse.duckdb"
    held = flight_days.rows_at(flight_days.midnight(day + 1), day)
    cases: list[Case] = []
    attempts: dict[str, Callable[[], Any]] = {
        "a changed schema": lambda: _daily(
            path, folder / "schema", day, api.Faults(renamed_column=True)
        ),
        "an unreachable source": lambda: _daily(path, folder / "gone", day, api.Faults(down=True)),
        "a full disk (simulated)": lambda: _full_disk(path),
        "two parallel runs": lambda: _two_at_once(path),
    }
    try:
        with warehouse.connect(path) as connection:
            daily.create_notes(connection)
            warehouse.create(connection)
            connection.register("held", held)
            connection.execute(f"INSERT INTO {warehouse.TABLE} SELECT *, false FROM held")
        for number, (name, attempt) in enumerate(attempts.items()):
            yield Progress(number / len(attempts), name, tuple(cases) or None)
            before, _ = _state(path)
            sentence = "No error."
            try:
                attempt()
            except InputError as error:
                sentence = str(error)
            after, n_rows = _state(path)
            cases.append(Case(name, sentence, before, after, n_rows))
        return tuple(cases)
    finally:
        workspace.remove(folder)


def run() -> tuple[Case, ...]:
    """Cause all four problems, without a job."""
    cases: tuple[Case, ...] = run_to_end(steps())
    return cases
