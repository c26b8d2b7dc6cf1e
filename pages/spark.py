"""The Spark lab: "When would you use Spark instead of Pandas?" """

from pages.shell import lab
from pages.tabs.spark import apis, cache, cluster, crossover, lazy, partitioning, skew_clinic, sql

lab.page(
    "spark",
    partitioning=partitioning.show,
    crossover=crossover.show,
    lazy=lazy.show,
    cluster=cluster.show,
    apis=apis.show,
    sql=sql.show,
    skew_clinic=skew_clinic.show,
    cache=cache.show,
)
