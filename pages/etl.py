"""The ETL lab: "Design an ETL pipeline for daily user activity data. How do you handle
late-arriving data?"
"""

from pages.shell import lab
from pages.tabs.etl import backfill, change_capture, crash, elt, late, loads, quality

lab.page(
    "etl",
    loads=loads.show,
    elt=elt.show,
    change_capture=change_capture.show,
    quality=quality.show,
    crash=crash.show,
    late=late.show,
    backfill=backfill.show,
)
