"""Backfill planner: a calendar of partitions, a dry run, a parallel run, and the conflict with the
daily run.
"""

from __future__ import annotations

import streamlit as st

from engine.etl import backfill
from engine.etl.backfill import BackfillParams, BackfillResult
from engine.etl.backfill import figure as figures
from pages.shell import controls, lab, texts, work

D = BackfillParams()
VIEWS = ("Workers", "Plan")


def _params() -> BackfillParams:
    dates = controls.slider(
        D,
        "dates",
        "Range",
        help="A partition is a day; today is 30 June 2013",
        format="DD MMM",
    )
    mode = controls.selectbox(
        D, "mode", "Partitions to run", help="Anything else in the range is skipped"
    )
    dry_run = controls.toggle(D, "dry_run", "Dry run only", help="Plan, write nothing")
    parallelism = controls.slider(
        D, "parallelism", "Workers", help="Threads, each with its own connection"
    )
    daily_run = controls.toggle(
        D,
        "daily_run",
        "Daily run overlaps",
        help="It writes today's partition between the backfill's read and write",
    )
    guard = controls.segmented(
        D,
        "guard",
        "On write conflict",
        help="Compare and swap: write only if the partition still has the version that was read",
    )
    with st.expander("Latency, seed"):
        latency = controls.slider(
            D, "latency_ms", "Source latency, ms", help="Per read (simulated)"
        )
        seed = controls.slider(D, "seed", "Seed", help="Of the nights that failed")
    return BackfillParams(
        dates=tuple(dates),
        mode=mode,
        dry_run=dry_run,
        parallelism=parallelism,
        daily_run=daily_run,
        guard=guard,
        latency_ms=latency,
        seed=seed,
    )


def _closer(result: BackfillResult, pinned: BackfillResult | None) -> None:
    if pinned is not None:
        lab.chart(
            figures.calendar(pinned), "backfill_calendar_pinned", "The calendar of the pinned run A"
        )
    if result.tasks and controls.view("backfill_view", VIEWS) == "Workers":
        lab.chart(
            figures.workers(result), "backfill_workers", "Reads and writes of each worker over time"
        )
        return
    texts.note(
        f"Estimate: {result.rows_to_move:,} rows, {result.estimate_seconds:.2f} s with"
        f" {result.params.parallelism} workers (one partition is read, times their number)."
    )
    st.dataframe(
        result.table(), hide_index=True, height=240, alt="The plan, partition by partition"
    )


def _show(result: BackfillResult) -> None:
    with lab.screen("etl", "backfill", result) as screen:
        screen.answer(
            figures.calendar(result),
            "backfill_calendar",
            "The partitions of the quarter by the code that made them, and which of them run",
        )
        if result.complete:
            _closer(result, lab.pinned("backfill"))


def _output(params: BackfillParams) -> None:
    work.run("backfill", params, backfill.steps, _show, first=lambda: backfill.planned(params))


show = lab.tab("etl", "backfill", _params, _output)
