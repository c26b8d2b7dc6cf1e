"""The Leakage lab: "Your model has 99% accuracy but fails in production. What could be wrong?" """

from pages.shell import lab
from pages.tabs import (
    leakage_audit,
    leakage_availability,
    leakage_dose,
    leakage_repairs,
    leakage_rounds,
    leakage_time_splits,
)

lab.page(
    "leakage",
    dose=leakage_dose.show,
    availability=leakage_availability.show,
    audit=leakage_audit.show,
    repairs=leakage_repairs.show,
    rounds=leakage_rounds.show,
    time_splits=leakage_time_splits.show,
)
