"""The ETL lab in the bench."""

from __future__ import annotations

from tests.bench.harness import Tab

TABS = (
    Tab(
        "Load strategies (measured, other strategy)",
        "etl?etl_tab=Load+strategies",
        ".st-key-loads_view [role=radio]",
        "loads_lanes",
    ),
)


def compute() -> None:
    """Print what the ledger, a daily batch and each tab cost."""
