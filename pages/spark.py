"""The Spark lab: "When would you use Spark instead of Pandas?" """

from pages.shell import lab
from pages.tabs.spark import apis, cache, crossover, lazy, partitioning, skew_clinic

lab.page(
    "spark",
    partitioning=partitioning.show,
    crossover=crossover.show,
    lazy=lazy.show,
    apis=apis.show,
    skew_clinic=skew_clinic.show,
    cache=cache.show,
)
