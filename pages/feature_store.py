"""The Feature store lab: "How would you ensure consistent features between training and serving?" """

from pages.shell import lab
from pages.tabs import (
    feature_store_growth,
    feature_store_online,
    feature_store_point_in_time,
    feature_store_registry,
    feature_store_skew,
)

lab.page(
    "feature_store",
    point_in_time=feature_store_point_in_time.show,
    growth=feature_store_growth.show,
    online=feature_store_online.show,
    skew=feature_store_skew.show,
    registry=feature_store_registry.show,
)
