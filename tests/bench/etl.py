"""The ETL lab in the bench."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from engine import data
from engine.etl import (
    backfill,
    change_capture,
    crash,
    elt,
    flight_days,
    late,
    ledger,
    loads,
    quality,
    warehouse,
)
from engine.etl.backfill import figure as backfill_figures
from engine.etl.change_capture import figure as change_capture_figures
from engine.etl.crash import api, bad_input, daily, flaky
from engine.etl.crash import figure as crash_figures
from engine.etl.elt import figure as elt_figures
from engine.etl.late import figure as late_figures
from engine.etl.loads import figure as loads_figures
from engine.etl.quality import figure as quality_figures
from engine.jobs import run_to_end, timed
from tests.bench.harness import N_TWEAKS, Tab, measure, payloads, slider, spread

CDC = "Batch%2C+incremental%2C+CDC"
TABS = (
    Tab(
        "Load strategies (measured, look closer)",
        "etl?etl_tab=Load+strategies",
        ".st-key-loads_view [role=radio]",
        "loads_lanes",
    ),
    Tab(
        "Crash lab (measured, look closer)",
        "etl?etl_tab=Crash+lab",
        ".st-key-crash_panel [role=radio]",
        "crash_matrix",
    ),
    Tab(
        "Late data (look-back)",
        "etl?etl_tab=Late+data",
        slider("late_lookback_days"),
        "late_scatter",
    ),
    Tab(
        "Change capture (reordering)",
        f"etl?etl_tab={CDC}",
        slider("change_capture_reorder_minutes"),
        "change_capture_race",
    ),
    Tab(
        "Quality gate (dose)", "etl?etl_tab=Quality+gate", slider("quality_dose"), "quality_checks"
    ),
    Tab(
        "Clean and join (faulty cells)",
        "etl?etl_tab=Quality+gate&quality_subject=Clean+and+join",
        slider("enrich_fault_share"),
        "enrich_joins",
    ),
    Tab(
        "ETL or ELT (new limit)", "etl?etl_tab=ETL+or+ELT", slider("elt_new_minutes"), "elt_matrix"
    ),
    Tab(
        "Backfill (measured, panel)",
        "etl?etl_tab=Backfill",
        ".st-key-backfill_panel [role=radio]",
        "backfill_calendar",
    ),
)
FLIGHT_KEYS = ("year", "month", "day", "carrier", "flight", "origin")
GROWTH_DAYS = (7, 35, 70, 175, 350)  # 1, 5, 10, 25, 50 times the data


def compute() -> None:
    """Print what the ledger, a daily batch and each tab cost."""
    _ledger()
    _daily_batch()
    _growth()
    _dragged()
    loaded, crashed, filled = _jobs()
    payloads(
        {
            "Load strategies": loads_figures.lanes(loaded),
            "Load strategies, file by file": loads_figures.files(loaded, loaded.lane("upsert")),
            "Crash lab": crash_figures.matrix(crashed),
            "Crash lab, calls": crash_figures.calls(flaky.run(flaky.FlakyParams())),
            "Backfill": backfill_figures.calendar(filled),
            "Backfill, workers": backfill_figures.workers(filled),
        }
    )


def _ledger() -> None:
    """A year with a tenth of its rows stale, a thousand lost and three thousand copied."""
    flights = data.load("flights")
    delay = flights["distance"].to_numpy().copy()
    delay[np.random.default_rng(0).random(len(delay)) < 0.1] += 1
    changed = flights.set_column(
        flights.column_names.index("distance"), "distance", pa.array(delay)
    )
    target = pa.concat_tables([changed.slice(1_000), flights.slice(5_000, 3_000)]).combine_chunks()
    both = [
        timed(lambda: ledger.reconcile(flights, target, FLIGHT_KEYS).diff())[0] for _ in range(7)
    ]
    print(
        f"  Ledger and row-level diff, {flights.num_rows:,} rows    "
        f" {spread([1000 * s for s in both])} ms (goal ≤ 1,000)"
    )


def _daily_batch() -> None:
    """Extract over HTTP, stage, validate, transform, load, commit: the second day of a warm lab and
    those after it.
    """
    seconds = []
    with (
        tempfile.TemporaryDirectory() as folder,
        api.serve() as served,
        warehouse.connect(Path(folder) / "warehouse.duckdb") as connection,
    ):
        daily.create_notes(connection)
        warehouse.create(connection)
        for day in range(174, 174 + N_TWEAKS + 1):
            plan: Any = {
                "day": day,
                "address": served.address,
                "table": warehouse.TABLE,
                "folder": Path(folder) / str(day),
            }
            made = daily.Plan(strategy="upsert", transaction=True, staging=True, **plan)
            seconds.append(timed(lambda: daily.run_day(connection, made, lambda step: None))[0])  # noqa: B023
    print(
        f"  A daily batch, end to end               {spread([1000 * s for s in seconds[1:]])} ms"
        " (goal ≤ 300)"
    )


def _growth() -> None:
    """Load n days and reconcile them; per row, against the smallest."""
    each: list[float] = []
    for n_days in GROWTH_DAYS:
        rows = flight_days.truth(0, n_days)
        staged = rows.append_column("deleted", pa.repeat(False, rows.num_rows))
        took = []
        for _ in range(3):
            with (
                tempfile.TemporaryDirectory() as folder,
                warehouse.connect(Path(folder) / "w.duckdb") as connection,
            ):
                warehouse.create(connection)
                connection.register(warehouse.STAGE, staged)

                def load_and_reconcile(connection: Any = connection, rows: pa.Table = rows) -> None:
                    warehouse.load(connection, warehouse.statements("upsert"))
                    found = ledger.reconcile(rows, warehouse.rows(connection), flight_days.KEYS)
                    if not found.exact:
                        raise RuntimeError(found.verdict)

                took.append(timed(load_and_reconcile)[0])
        seconds = sorted(took)[1]
        each.append(seconds / rows.num_rows)
        print(
            f"  Upsert and ledger, {n_days:3} days, {rows.num_rows:7,} rows: {1000 * seconds:6.0f}"
            f" ms, {1e6 * each[-1]:.1f} µs a row, {each[-1] / each[0]:.2f} × the smallest (goal: no"
            " growth)"
        )


def _jobs() -> tuple[Any, Any, Any]:
    """Each job of the lab's first screens, cold parameters, not kept ones."""
    runs: dict[str, Any] = {
        "Load strategies, 5 × 8 files": lambda: run_to_end(loads.steps(loads.LoadsParams())),
        "Crash lab, 20 kills and reruns": lambda: run_to_end(crash.steps(crash.CrashParams())),
        "Backfill, 18 partitions": lambda: run_to_end(
            backfill.steps(replace(backfill.BackfillParams(), latency_ms=40))
        ),
        "Bad input, four cases": bad_input.run,
    }
    answers = []
    for name, run in runs.items():
        took = [timed(run) for _ in range(3)]
        answers.append(took[-1][1])
        print(f"  {name:36}{spread([1000 * seconds for seconds, _ in took])} ms (a job)")
    return answers[0], answers[1], answers[2]


def _dragged() -> None:
    """What each control that is dragged costs, every time with a setting not seen before, and the
    figures it repaints.
    """
    measure("Late data, watermark", lambda i: late.run(late.LateParams(watermark_hours=i + 7)))
    measure("Late data, lag window", lambda i: late.run(late.LateParams(lag_minutes=5 * i + 5)))
    measure(
        "Change capture, reordering",
        lambda i: change_capture.run(
            change_capture.ChangeCaptureParams(reorder_minutes=5 * i + 35)
        ),
    )
    measure("Quality gate, dose", lambda i: quality.run(quality.QualityParams(dose=0.06 + i / 100)))
    measure("ETL or ELT, new limit", lambda i: elt.run(elt.EltParams(new_minutes=31 + i)))
    followed, held = (
        change_capture.run(change_capture.ChangeCaptureParams()),
        quality.run(quality.QualityParams()),
    )
    month = late.run(late.LateParams(n_days=28))
    payloads(
        {
            "Late data, 28 days": late_figures.scatter(month),
            "Late data, trade-off": late_figures.trade_off(month),
            "Change capture": change_capture_figures.race(followed),
            "Change capture, wrong rows": change_capture_figures.wrong_rows(followed),
            "Quality gate": quality_figures.checks(held),
            "ETL or ELT": elt_figures.matrix(elt.run(elt.EltParams())),
        }
    )
