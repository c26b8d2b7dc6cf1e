"""The orchestration lab: "How would you orchestrate a daily model retraining pipeline?" """

from pages.shell import lab
from pages.tabs.orchestration import alerts, backpressure, history, monitor, retry, schedule

lab.page(
    "orchestration",
    monitor=monitor.show,
    history=history.show,
    retry=retry.show,
    schedule=schedule.show,
    backpressure=backpressure.show,
    alerts=alerts.show,
)
