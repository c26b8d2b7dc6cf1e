"""The Formats lab: "You need to store 1TB of tabular data for ML. CSV or Parquet? Why?" """

from pages.shell import lab
from pages.tabs import formats_anatomy, formats_bytes_read, formats_codecs, formats_evolution, formats_race, formats_terabyte

lab.page(
    "formats",
    race=formats_race.show,
    bytes_read=formats_bytes_read.show,
    anatomy=formats_anatomy.show,
    codecs=formats_codecs.show,
    evolution=formats_evolution.show,
    terabyte=formats_terabyte.show,
)
