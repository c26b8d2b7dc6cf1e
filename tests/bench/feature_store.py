"""The Feature store lab in the bench."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from engine.feature_store import flight_features, point_in_time
from engine.feature_store.explanation import explain
from engine.feature_store.feast_repo import EVENT
from engine.feature_store.figures import point_in_time as point_in_time_figures
from engine.feature_store.point_in_time import TTLS
from tests.bench.harness import Tab, measure, payloads, slider

TABS = (Tab("Point in time (TTL)", "feature_store", slider("point_in_time_ttl"), "point_in_time_life"),)


def compute() -> None:
    """Print what the server computes a tweak, what the explained join takes at its two goals, and the bytes of each figure."""
    asked = point_in_time.PointInTimeParams(store="file")  # takes every TTL
    result = measure("Point in time, TTL", lambda i: point_in_time.run(replace(asked, ttl=TTLS[i % 10], seed=i)))
    rows = flight_features.arriving(flight_features.feature_rows("weather"), "temp", delay_minutes=30, correct=True, seed=0)
    labels = flight_features.label_rows("weather").rename_columns(["origin", EVENT, "match_time", "flight_name", "arr_delay"])
    for n_rows, n_labels in ((5_000, 500), (rows.num_rows, labels.num_rows)):
        some, few = rows.slice(0, n_rows), labels.slice(0, n_labels)
        name = f"{n_labels:,} labels × {n_rows:,} rows"
        measure(name, lambda i: explain(few, some, keys=["origin"], ttl=timedelta(minutes=60 + i)))  # noqa: B023
    payloads({"Point in time": point_in_time_figures.life(result), "Cells": point_in_time_figures.cells(result)})
