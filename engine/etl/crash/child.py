"""The worker of the crash lab: loads all tables of the lab, and is killed in the midst of it.

``python -m engine.etl.crash.child <settings as JSON>``, protocol as in ``engine.processes``. This
process opens no database. For every attempt it forks a child in a process group of its own, which
opens the warehouse and runs the day for one table after another, each on a connection of its own,
up to the crash point. There each either raises, or stays as it is, its transaction open; then the
child says so, and its whole group is sent SIGKILL. A fresh child opens the file as any reader
would, writes a snapshot, runs everything to its end, and writes another: the page reads these
snapshots.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import duckdb  # noqa: F401  # before the forks, which then share it
import pyarrow as pa

from engine.etl import warehouse
from engine.etl.crash import daily
from engine.etl.crash.daily import Costs, CrashPoint, Plan
from engine.processes import report

KILL_ME: Final = "kill me"
RAISED: Final = 3  # exit code of a child that ended by an exception
SNAPSHOTS: Final = {"crash": "after_crash.arrow", "rerun": "after_rerun.arrow"}


class CrashError(Exception):
    """The crash of an attempt that ends by an exception."""


def plans_of(settings: dict[str, Any]) -> list[Plan]:
    """Return the plan of every cell."""
    folder = Path(settings["folder"])
    return [
        Plan(
            day=settings["day"],
            address=settings["address"],
            table=cell["table"],
            strategy=cell["strategy"],
            transaction=cell["transaction"],
            staging=cell["staging"],
            folder=folder / cell["table"],
        )
        for cell in settings["cells"]
    ]


def in_child(work: Callable[[Callable[[str], None]], None]) -> tuple[list[dict[str, Any]], str]:
    """Fork, run ``work(tell)`` in the child, and return what it sent and how it ended.

    ``tell`` sends a line of JSON; after ``KILL_ME`` the child's whole process group gets SIGKILL.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setsid()
            os.close(reader)
            work(lambda line: (os.write(writer, (line + "\n").encode()), None)[1])
            code = 0
        except CrashError:
            code = RAISED
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writer)
    sent = []
    with os.fdopen(reader, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() == KILL_ME:
                os.killpg(pid, signal.SIGKILL)
            else:
                sent.append(json.loads(line))
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return sent, signal.Signals(os.WTERMSIG(status)).name
    return sent, {0: "finished", RAISED: "exception"}.get(
        os.WEXITSTATUS(status), f"exit code {os.WEXITSTATUS(status)}"
    )


def costs_line(plan: Plan, costs: Costs) -> str:
    """Return a run's costs as the line that is sent for it."""
    numbers = {
        "calls": costs.tally.calls,
        "skipped": costs.skipped,
        "open_seconds": costs.open_seconds,
    }
    return json.dumps({"table": plan.table, "seconds": costs.seconds, **numbers})


def crash_all(
    plans: list[Plan], path: Path, crash_at: CrashPoint, kill: bool
) -> tuple[list[dict[str, Any]], str]:
    """Run all plans up to the crash point in one child; returns their costs until then, and how the
    child ended.
    """

    def work(tell: Callable[[str], None]) -> None:
        with warehouse.connect(path) as connection:
            for plan in plans:
                stopped, costs = threading.Event(), Costs()

                def reached(step: CrashPoint, stopped: threading.Event = stopped) -> None:
                    if step == crash_at:
                        if not kill:
                            raise CrashError
                        stopped.set()
                        threading.Event().wait()  # for ever: until killed

                def attempt(
                    plan: Plan = plan, stopped: threading.Event = stopped, costs: Costs = costs
                ) -> None:
                    try:
                        daily.run_day(connection.cursor(), plan, reached, costs)
                    except CrashError:
                        pass
                    finally:
                        stopped.set()

                threading.Thread(target=attempt, daemon=True).start()
                stopped.wait()
                tell(costs_line(plan, costs))
            if kill:
                tell(KILL_ME)
                threading.Event().wait()
        raise CrashError

    return in_child(work)


def run_again(plans: list[Plan], path: Path, folder: Path) -> list[dict[str, Any]]:
    """Look at all tables, run all plans to their end, look again, in one fresh child; returns the
    costs.
    """

    def work(tell: Callable[[str], None]) -> None:
        with warehouse.connect(path) as connection:
            snapshot(connection, plans, folder / SNAPSHOTS["crash"])
            for plan in plans:
                tell(costs_line(plan, daily.run_day(connection.cursor(), plan, lambda step: None)))
            snapshot(connection, plans, folder / SNAPSHOTS["rerun"])

    sent, ended = in_child(work)
    if ended != "finished":
        raise RuntimeError(f"the rerun ended by {ended}")
    return sent


def snapshot(connection: Any, plans: list[Plan], target: Path) -> None:
    """Write all tables, as a reader sees them now, into one Arrow file with the column ``cell``."""
    tables = []
    for number, plan in enumerate(plans):
        rows = warehouse.rows(connection, plan.table)
        tables.append(
            rows.append_column("cell", pa.repeat(pa.scalar(number, pa.int32()), rows.num_rows))
        )
    with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_file(sink, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table)


def main(settings: dict[str, Any]) -> None:
    """Crash every cell, take a snapshot, run every cell again, take another."""
    plans, folder = plans_of(settings), Path(settings["folder"])
    path, n_crashes = folder / "warehouse.duckdb", settings["n_crashes"]
    crashes = []
    for number in range(n_crashes):
        report(
            share=0.6 * number / n_crashes,
            message=f"loading {len(plans)} tables, crash {number + 1}",
        )
        sent, ended = crash_all(plans, path, settings["crash_at"], settings["kill"])
        crashes.append({"costs": sent, "ended": ended})
    report(share=0.6, message="running again")
    reruns = run_again(plans, path, folder)
    report(result={"crashes": crashes, "reruns": reruns})


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
