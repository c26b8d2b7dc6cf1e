"""Monitoring: recorded runs task by task, and the alerts that they raise."""

from __future__ import annotations

from pages.tabs.orchestration import alerts, history, parts


def show() -> None:
    """Draw the part that is chosen."""
    (alerts.show if parts.MONITORING.chosen() == parts.ALERTS else history.show)()
