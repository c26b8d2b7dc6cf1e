"""The jobs that the cluster can be given: modules that offer the same functions."""

from __future__ import annotations

from types import ModuleType
from typing import Literal, get_args

from engine.spark.cluster import delays, etl

Work = Literal["Delay by airport", "ETL"]
WORKS: tuple[Work, ...] = get_args(Work)
JOBS: dict[Work, ModuleType] = {"Delay by airport": delays, "ETL": etl}
