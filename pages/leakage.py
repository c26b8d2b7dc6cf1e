"""The Leakage lab: "Your model has 99% accuracy but fails in production. What could be wrong?" """

from pages.shell import lab
from pages.tabs import (
    leakage_dose,
)

lab.page(
    "leakage",
    dose=leakage_dose.show,
)
