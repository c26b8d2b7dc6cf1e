"""The Feature store lab in the bench."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from engine.feature_store import flight_features, growth, online, point_in_time, registry, skew
from engine.feature_store.explanation import explain
from engine.feature_store.feast_repo import EVENT
from engine.feature_store.growth import figure as growth_figures
from engine.feature_store.online import figure as online_figures
from engine.feature_store.point_in_time import figure as point_in_time_figures
from engine.feature_store.point_in_time.result import TTLS
from engine.feature_store.registry import figure as registry_figures
from engine.feature_store.skew import figure as skew_figures
from engine.jobs import timed
from tests.bench.harness import N_TWEAKS, Tab, measure, payloads, slider, spread

LAB = "feature_store?feature_store_tab="
TABS = (
    Tab("Point in time (TTL)", "feature_store", slider("point_in_time_ttl"), "point_in_time_life"),
    Tab("Online (hour)", LAB + "Online", slider("online_at_hours"), "online_life"),
    Tab(
        "Architecture (measured, call)",
        LAB + "Registry&registry_part=Architecture",
        slider("calls_call"),
        "calls_architecture",
    ),
    Tab("Skew injector (slip)", LAB + "Skew+injector", slider("skew_slip_hours"), "skew_values"),
)


def compute() -> None:
    """Print what the server computes a tweak, what the explained join takes at its two goals, and
    the bytes of each figure.
    """
    asked = point_in_time.PointInTimeParams(store="file")  # takes every TTL
    result = measure(
        "Point in time, TTL", lambda i: point_in_time.run(replace(asked, ttl=TTLS[i % 10], seed=i))
    )
    rows = flight_features.arriving(
        flight_features.feature_rows("weather"), "temp", delay_minutes=30, correct=True, seed=0
    )
    labels = flight_features.label_rows("weather").rename_columns(
        ["origin", EVENT, "match_time", "flight_name", "arr_delay"]
    )
    for n_rows, n_labels, goal in ((5_000, 500, 50), (rows.num_rows, labels.num_rows, 1_000)):
        some, few = rows.slice(0, n_rows), labels.slice(0, n_labels)
        joins = [
            timed(lambda: explain(few, some, keys=["origin"], ttl=timedelta(minutes=60 + i)))[0]  # noqa: B023
            for i in range(N_TWEAKS)
        ]
        spent = spread([seconds * 1_000 for seconds in joins])
        print(
            f"  Explained join, {n_labels:,} labels × {n_rows:,} rows: {spent} ms (goal ≤ {goal:,})"
        )
    large = point_in_time.run(replace(asked, n_rows=5_000, n_labels=500, correct=True))
    measured = growth.run(growth.GrowthParams(n_labels=500, n_rows=500, repeats=1))
    asked_online = online.OnlineParams()
    week = measure(
        "Online, feed delay", lambda i: online.run(replace(asked_online, delay_hours=i % 49))
    )
    skewed = measure(
        "Skew, share of requests",
        lambda i: skew.run(skew.SkewParams(share=i / 100, unit="wind in m/s")),
    )
    registered = registry.run(registry.RegistryParams())
    payloads(
        {
            "Point in time": point_in_time_figures.life(result),
            "Point in time, 5,000 rows": point_in_time_figures.life(large),
            "Cells, 500 labels": point_in_time_figures.cells(large),
            "Cost as it grows": growth_figures.growth(measured),
            "Cost as it grows, pairs": growth_figures.pairs(measured),
            "Online": online_figures.life(week),
            "Skew injector": skew_figures.values(skewed),
            "Lineage": registry_figures.lineage(registered.snapshot, registered.params.focus),
        }
    )
