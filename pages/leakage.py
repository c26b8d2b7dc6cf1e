"""The Leakage lab: "Your model has 99% accuracy but fails in production. What could be wrong?" """

from pages.shell import lab
from pages.tabs.leakage import audit, availability, dose, repairs, rounds, time_splits

lab.page(
    "leakage",
    dose=dose.show,
    availability=availability.show,
    audit=audit.show,
    repairs=repairs.show,
    rounds=rounds.show,
    time_splits=time_splits.show,
)
