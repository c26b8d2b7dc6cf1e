"""The Spark lab: "When would you use Spark instead of Pandas?" """

from pages.shell import lab
from pages.tabs.spark import apis, cache, crossover, lazy, partitioning, skew_clinic, tuner

lab.page(
    "spark",
    partitioning=partitioning.show,
    skew_clinic=skew_clinic.show,
    lazy=lazy.show,
    cache=cache.show,
    crossover=crossover.show,
    apis=apis.show,
    tuner=tuner.show,
)
