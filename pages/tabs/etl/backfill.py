"""Backfill planner: a calendar of partitions, a dry run, a backfill that fills it in, and who wins
against the daily run.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from engine.etl import backfill
from engine.etl.backfill import BackfillParams, BackfillResult
from engine.etl.backfill import figure as figures
from pages.shell import controls, lab, work

D = BackfillParams()


def _params() -> BackfillParams:
    dates = controls.slider(
        D,
        "dates",
        "Range",
        help="Partitions are days; today is 30 June 2013",
        format="DD MMM",
    )
    mode = controls.selectbox(
        D, "mode", "Run what is", help="Anything else in the range is skipped"
    )
    dry_run = controls.toggle(D, "dry_run", "Dry run only", help="Plan, write nothing")
    parallelism = controls.slider(
        D, "parallelism", "Workers", help="Threads, each with a connection of its own"
    )
    daily_run = controls.toggle(
        D,
        "daily_run",
        "Today's daily run comes in between",
        help="It writes today's partition after the backfill has read it and before the backfill"
        " writes it",
    )
    guard = controls.segmented(
        D,
        "guard",
        "Two writers",
        help="Compare and swap: write only if the partition's version is still the one seen when"
        " reading",
    )
    with st.expander("Latency, seed"):
        latency = controls.slider(
            D, "latency_ms", "Source latency, ms", help="Simulated, a read each"
        )
        seed = controls.slider(D, "seed", "Seed", help="Which nights had failed")
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


def _show(result: BackfillResult) -> None:
    st.markdown(result.verdict)
    figure = figures.calendar(result)
    lab.chart(
        figure,
        "backfill_calendar",
        "The partitions of the quarter by the code that made them, and which of them run",
    )
    pinned = lab.pinned("backfill")
    if pinned is not None:
        lab.chart(
            figures.calendar(pinned), "backfill_calendar_pinned", "The calendar of the pinned run A"
        )
    if not result.complete:
        return
    if result.tasks:
        lab.chart(figures.workers(result), "backfill_workers", "What each worker did when")
    st.caption(
        f"The dry run: {result.rows_to_move:,} rows, about {result.estimate_seconds:.2f} s by"
        f" {result.params.parallelism} workers (one partition read and transformed, times their"
        " number)."
    )
    st.dataframe(
        result.table(), hide_index=True, height=240, alt="The dry run, partition by partition"
    )
    lab.report("etl", "backfill", result, figure)


show = lab.tab(
    "etl", "backfill", _params, partial(work.run, "backfill", steps=backfill.steps, show=_show)
)
