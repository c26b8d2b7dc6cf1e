"""The Spark lab: "When would you use Spark instead of Pandas?" """

from pages.shell import lab
from pages.tabs import (
    spark_apis,
    spark_cache,
    spark_crossover,
    spark_lazy,
    spark_partitioning,
    spark_skew_clinic,
    spark_tuner,
)

lab.page(
    "spark",
    partitioning=spark_partitioning.show,
    skew_clinic=spark_skew_clinic.show,
    lazy=spark_lazy.show,
    cache=spark_cache.show,
    crossover=spark_crossover.show,
    apis=spark_apis.show,
    tuner=spark_tuner.show,
)
