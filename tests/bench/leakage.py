"""The Leakage lab in the bench."""

from __future__ import annotations

from dataclasses import replace

from engine.leakage import availability, dose, time_splits
from engine.leakage.figures import availability as availability_figures
from engine.leakage.figures import dose as dose_figures
from engine.leakage.figures import time_splits as time_splits_figures
from engine.leakage.pipeline import MECHANISMS
from tests.bench.harness import N_TWEAKS, Tab, measure, payloads, slider

TABS = (
    Tab("Dose and response (dose)", "leakage", slider("dose_dose"), "dose_curve"),
    Tab(
        "When do you know it? (moment)",
        "leakage?leakage_tab=When+do+you+know+it%3F",
        slider("availability_moment"),
        "availability_timeline",
    ),
    Tab("Time splits (folds)", "leakage?leakage_tab=Time+splits", slider("time_splits_n_splits"), "time_splits_days"),
)


def compute() -> None:
    """Print what each tweak costs the server, and the payloads of the figures."""
    for focus in MECHANISMS:
        asked = dose.DoseParams(focus=focus)
        dose.run(asked)
        measure(f"Dose of {dose.NAMES[focus].lower()}", lambda i: dose.run(replace(asked, dose=i / N_TWEAKS / 2)))  # noqa: B023
    measure("Another leak's dose (25 fits anew)", lambda i: dose.run(dose.DoseParams(duplicates=i / N_TWEAKS)))
    measure("True signal (30 fits anew, new worlds)", lambda i: dose.run(dose.DoseParams(signal=i / N_TWEAKS)))
    measured = availability.run(availability.AvailabilityParams())
    measure("When do you know it, moment (never refits)", lambda i: availability.run(availability.AvailabilityParams()))
    measure("Time splits, folds", lambda i: time_splits.run(time_splits.TimeSplitsParams(n_splits=2 + i % 9, gap_days=7)))
    payloads(
        {
            "Dose and response": dose_figures.curve(dose.run(dose.DoseParams())),
            "When do you know it?": availability_figures.moments(measured),
            "Time splits": time_splits_figures.days(time_splits.run(time_splits.TimeSplitsParams())),
        }
    )
