"""The Spark lab: "When would you use Spark instead of Pandas?" """

from pages.shell import lab
from pages.tabs import spark_partitioning

lab.page(
    "spark",
    partitioning=spark_partitioning.show,
)
