"""The ETL lab: "Design an ETL pipeline for daily user activity data. How do you handle
late-arriving data?"
"""

from pages.shell import lab
from pages.tabs.etl import backfill, change_capture, crash, elt, late, loads, quality

lab.page(
    "etl",
    loads=loads.show,
    crash=crash.show,
    late=late.show,
    change_capture=change_capture.show,
    quality=quality.show,
    backfill=backfill.show,
    elt=elt.show,
)
