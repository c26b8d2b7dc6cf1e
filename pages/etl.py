"""The ETL lab: "Design an ETL pipeline for daily user activity data. How do you handle late-arriving data?" """

from pages.shell import lab
from pages.tabs import etl_backfill, etl_change_capture, etl_crash, etl_elt, etl_late, etl_loads, etl_quality

lab.page(
    "etl",
    loads=etl_loads.show,
    crash=etl_crash.show,
    late=etl_late.show,
    change_capture=etl_change_capture.show,
    quality=etl_quality.show,
    backfill=etl_backfill.show,
    elt=etl_elt.show,
)
