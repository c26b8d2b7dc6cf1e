"""The Sampling lab: "You have a fraud detection dataset with 0.1% positives. How do you handle this?" """

from pages.shell import lab
from pages.tabs import (
    sampling_arena,
    sampling_before_split,
    sampling_focal,
    sampling_lineage,
    sampling_splits,
    sampling_survey,
)

lab.page(
    "sampling",
    lineage=sampling_lineage.show,
    arena=sampling_arena.show,
    before_split=sampling_before_split.show,
    focal=sampling_focal.show,
    survey=sampling_survey.show,
    splits=sampling_splits.show,
)
