"""Backfill planner: a calendar of partitions, a dry run, a backfill that fills it in, and who wins
against the daily run.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.etl import backfill
from engine.etl.backfill import FIRST_DATE, GUARDS, LAST_DATE, MODES, BackfillParams, BackfillResult
from engine.etl.backfill import figure as figures
from pages.shell import lab, work

D = BackfillParams()
BOUND: dict[str, Any] = {"bind": "query-params"}


def _params() -> BackfillParams:
    dates = st.slider(
        "Range",
        FIRST_DATE,
        LAST_DATE,
        D.dates,
        format="DD MMM",
        key="backfill_dates",
        help="Partitions are days; today is 30 June 2013",
        **BOUND,
    )
    mode = st.selectbox(
        "Run what is",
        MODES,
        MODES.index(D.mode),
        key="backfill_mode",
        help="Anything else in the range is skipped",
        **BOUND,
    )
    dry_run = st.toggle(
        "Dry run only", D.dry_run, key="backfill_dry_run", help="Plan, write nothing", **BOUND
    )
    parallelism = st.slider(
        "Workers",
        1,
        8,
        D.parallelism,
        key="backfill_parallelism",
        help="Threads, each with a connection of its own",
        **BOUND,
    )
    daily_run = st.toggle(
        "Today's daily run comes in between",
        D.daily_run,
        key="backfill_daily_run",
        help=(
            "It writes today's partition after the backfill has read it and before the backfill"
            " writes it"
        ),
        **BOUND,
    )
    guard = st.segmented_control(
        "Two writers",
        GUARDS,
        default=D.guard,
        required=True,
        key="backfill_guard",
        help=(
            "Compare and swap: write only if the partition's version is still the one seen when"
            " reading"
        ),
        **BOUND,
    )
    with st.expander("Latency, seed"):
        latency = st.slider(
            "Source latency, ms",
            0,
            200,
            D.latency_ms,
            10,
            key="backfill_latency_ms",
            help="Simulated, a read each",
            **BOUND,
        )
        seed = st.slider(
            "Seed", 0, 99, D.seed, key="backfill_seed", help="Which nights had failed", **BOUND
        )
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


@lab.experiment("backfill")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("etl", "backfill")
    with output:
        work.run("backfill", params, backfill.steps, _show)
