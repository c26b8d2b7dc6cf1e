"""The Leakage lab in the bench."""

from __future__ import annotations

from dataclasses import replace

from engine.jobs import timed
from engine.leakage import audit, availability, dose, repairs, rounds, time_splits
from engine.leakage.audit import figure as audit_figures
from engine.leakage.audit import scoreboard
from engine.leakage.availability import figure as availability_figures
from engine.leakage.dose import figure as dose_figures
from engine.leakage.repairs import figure as repairs_figures
from engine.leakage.rounds import figure as rounds_figures
from engine.leakage.time_splits import figure as time_splits_figures
from tests.bench.harness import N_TWEAKS, Tab, measure, payloads, slider

TABS = (
    Tab("Leak simulator (strength)", "leakage", slider("dose_dose"), "dose_curve"),
    Tab(
        "Known when? (moment)",
        "leakage?leakage_tab=Known+when%3F",
        slider("availability_moment"),
        "availability_timeline",
    ),
    Tab(
        "Audit (another split, audited again)",
        "leakage?leakage_tab=Audit",
        ".st-key-audit_split [role=radio]",
        "audit_columns",
    ),
    Tab(
        "Famous leaks (measured, look closer)",
        "leakage?leakage_tab=Audit&audit_subject=Famous+leaks",
        ".st-key-famous_view [role=radio]",
        "famous_scores",
    ),
    Tab(
        "Spot the leak (round)",
        "leakage?leakage_tab=Spot+the+leak",
        slider("rounds_number"),
        "rounds_scores",
    ),
    Tab(
        "Time splits (folds)",
        "leakage?leakage_tab=Time+splits",
        slider("time_splits_n_splits"),
        "time_splits_days",
    ),
)


def compute() -> None:
    """Print what each tweak costs the server, and the payloads of the figures."""
    for focus in dose.FOCI:
        asked = dose.DoseParams(focus=focus)
        dose.run(asked)
        measure(
            f"Dose of {focus.lower()}",
            lambda i, asked=asked: dose.run(replace(asked, dose=i / N_TWEAKS / 2)),
        )
    measure(
        "Another leak's strength (25 fits)",
        lambda i: dose.run(dose.DoseParams(duplicates=i / N_TWEAKS)),
    )
    measure(
        "True signal (30 fits, new data)",
        lambda i: dose.run(dose.DoseParams(signal=i / N_TWEAKS)),
    )
    measured = availability.run(availability.AvailabilityParams())
    measure(
        "Known when, moment (never refits)",
        lambda i: availability.run(availability.AvailabilityParams()),
    )
    measure(
        "Time splits, folds",
        lambda i: time_splits.run(time_splits.TimeSplitsParams(n_splits=2 + i % 9, gap_days=7)),
    )
    seconds, whole = timed(lambda: audit.run(audit.AuditParams(n_rows=336_776, clock=True)))
    print(
        f"  Audit of {whole.n_rows:,} flights × {whole.n_columns} columns: {seconds:.1f} s (goal"
        " ≤ 20)"
    )
    measure(
        "Spot the leak, a round that has been played",
        lambda i: rounds.run(rounds.RoundsParams(revealed=i % 2 == 0)),
    )
    seconds, judged = timed(
        lambda: scoreboard.run(scoreboard.ScoreboardParams(n_plants=30, n_clean=30))
    )
    print(f"  Audit against known truth, {seconds:.0f} s: {judged.verdict.replace('**', '')}")
    for row in judged.rows:
        interval = f"({row['low']:.0%} to {row['high']:.0%})"
        print(
            f"    {row['leak']:32}{row['caught']:3} of {row['move_score']:3} {interval} "
            f" {row['by']}"
        )
    payloads(
        {
            "Leak simulator": dose_figures.curve(dose.run(dose.DoseParams())),
            "Known when?": availability_figures.moments(measured),
            "Audit": audit_figures.columns(audit.run(audit.AuditParams())),
            "Audit, scoreboard": audit_figures.scoreboard(judged),
            "Fix it": repairs_figures.gaps(repairs.run(repairs.RepairsParams())),
            "Spot the leak": rounds_figures.scores(rounds.run(rounds.RoundsParams(revealed=True))),
            "Time splits": time_splits_figures.days(
                time_splits.run(time_splits.TimeSplitsParams())
            ),
        }
    )
