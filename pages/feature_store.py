"""The Feature store lab: the same features in training and in serving."""

from pages.shell import lab
from pages.tabs.feature_store import growth, online, point_in_time, registry, skew

lab.page(
    "feature_store",
    point_in_time=point_in_time.show,
    growth=growth.show,
    online=online.show,
    skew=skew.show,
    registry=registry.show,
)
