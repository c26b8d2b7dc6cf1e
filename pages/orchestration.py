"""The orchestration lab: "How would you orchestrate a daily model retraining pipeline?" """

from pages.shell import lab
from pages.tabs import (
    orchestration_alerts,
    orchestration_backpressure,
    orchestration_history,
    orchestration_monitor,
    orchestration_retry,
    orchestration_schedule,
)

lab.page(
    "orchestration",
    monitor=orchestration_monitor.show,
    history=orchestration_history.show,
    retry=orchestration_retry.show,
    schedule=orchestration_schedule.show,
    backpressure=orchestration_backpressure.show,
    alerts=orchestration_alerts.show,
)
