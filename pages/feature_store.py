"""The Feature store lab.

"How would you ensure consistent features between training and serving?"
"""

from pages.shell import lab
from pages.tabs.feature_store import growth, online, point_in_time, registry, skew

lab.page(
    "feature_store",
    point_in_time=point_in_time.show,
    registry=registry.show,
    online=online.show,
    skew=skew.show,
    growth=growth.show,
)
