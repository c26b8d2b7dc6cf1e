"""The orchestration lab: "How would you orchestrate a daily model retraining pipeline?" """

from pages.shell import lab
from pages.tabs.orchestration import backpressure, monitor, monitoring, retry, schedule

lab.page(
    "orchestration",
    monitor=monitor.show,
    retry=retry.show,
    schedule=schedule.show,
    backpressure=backpressure.show,
    history=monitoring.show,
)
