"""The Formats lab: "You need to store 1TB of tabular data for ML. CSV or Parquet? Why?" """

from pages.shell import lab
from pages.tabs.formats import anatomy, bytes_read, codecs, evolution, race, sources, terabyte

lab.page(
    "formats",
    race=race.show,
    sources=sources.show,
    bytes_read=bytes_read.show,
    anatomy=anatomy.show,
    codecs=codecs.show,
    evolution=evolution.show,
    terabyte=terabyte.show,
)
