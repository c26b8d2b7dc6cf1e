"""The Sampling lab: "You have a fraud detection dataset with 0.1% positives. How do you handle
this?"
"""

from pages.shell import lab
from pages.tabs.sampling import before_split, budget, focal, lineage, splits, survey

lab.page(
    "sampling",
    lineage=lineage.show,
    budget=budget.show,
    before_split=before_split.show,
    focal=focal.show,
    survey=survey.show,
    splits=splits.show,
)
