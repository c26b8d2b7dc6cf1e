"""Which of the audit's detectors find the leak in the table that a leaky pipeline leaves behind, by
leak strength.

Real: ``engine.leakage.audit`` on the rows and columns that the model of *dose* sees, with the
split, the customer and the month named, and no moment declared (so *timing* cannot run). The table
is the one before the last steps: not scaled yet, and without the copies that training alone gets
after the split. A leak that is in the code alone is seen by no detector.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from engine.jobs import Progress, Steps, run_to_end
from engine.leakage import audit, pipeline, process, trial
from engine.leakage.audit.findings import DETECTORS, Detector
from engine.leakage.dose.params import GRID, DoseParams
from engine.leakage.pipeline import MECHANISMS, Doses
from engine.leakage.process import World
from engine.units import format_share

N_SEEDS = 3
SEEN_SHARE = 0.5  # of the seeds, more of them: the detector sees the leak


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Share of the seeds in which each detector raised an alarm, at each strength of the grid that
    is done.
    """

    params: DoseParams
    shares: tuple[dict[Detector, float], ...]  # a detector that could not run is left out
    complete: bool = False

    def first_dose(self, detector: Detector) -> float | None:
        """Return the lowest strength from which a detector sees the leak; ``None`` if it does not,
        or raises an alarm without a leak too.
        """
        found = [share.get(detector, 0.0) > SEEN_SHARE for share in self.shares]
        if not found or found[0] or not found[-1]:
            return None
        return GRID[max(place for place, seen in enumerate(found) if not seen) + 1]

    @property
    def seen(self) -> dict[Detector, float]:
        """The detectors that see the leak, each with the lowest strength at which it does,
        lowest first.
        """
        doses = {
            detector: dose
            for detector in DETECTORS
            if (dose := self.first_dose(detector)) is not None
        }
        return dict(sorted(doses.items(), key=lambda item: item[1]))

    @property
    def false_alarms(self) -> list[Detector]:
        """The detectors that raise an alarm at strength 0, where there is no leak."""
        return [
            detector
            for detector in DETECTORS
            if self.shares and self.shares[0].get(detector, 0.0) > SEEN_SHARE
        ]

    @property
    def verdict(self) -> str:
        """From which leak strength each detector sees the leak."""
        if len(self.shares) < len(GRID):
            return "The tables are being audited."
        name = self.params.focus.lower()
        seen = [f"{detector} from {format_share(dose)}" for detector, dose in self.seen.items()]
        alarms = (
            f" False alarms on the clean table: {', '.join(self.false_alarms)}."
            if self.false_alarms
            else ""
        )
        if not seen:
            return (
                f"**No detector** sees {name} in the table: only the code or fresh rows can show"
                f" it.{alarms}"
            )
        return (
            f"**{len(seen)}** of {len(DETECTORS)} detectors see {name}: {', '.join(seen)} strength"
            f" ({N_SEEDS} seeds).{alarms}"
        )


def table_of(world: World, doses: Doses) -> pa.Table:
    """Return the table that a leaky pipeline hands to its model: its columns, the answer, and who,
    when, which side.
    """
    drawn = process.draw(world, len(MECHANISMS))
    train, test = pipeline.deal(drawn, doses)
    made = pipeline.prepare(drawn, doses)
    n_train = len(made.y_train) if doses.resampling else len(train.y)
    place = np.concatenate([made.in_train[:n_train], made.in_test])
    both = train.stacked(test)
    columns = dict(
        zip(
            made.names,
            (np.concatenate([made.X_train[:n_train], made.X_test]) * made.spread + made.mean).T,
            strict=True,
        )
    )
    return pa.table(
        {
            "y": both.y[place],
            "split": ["training"] * n_train + ["test"] * len(made.in_test),
            "month": both.month[place],
            "customer": both.customer[place],
            "region": [f"region {level}" for level in both.level[place]],
            **columns,
        }
    )


def alarms_of(world: World, doses: Doses) -> dict[Detector, bool]:
    """Return for each detector that could run whether it raised an alarm on a leaky pipeline's
    table.
    """
    table = table_of(world, doses)
    result = audit.audit_table(table, "y", time="month", group="customer", split="split")
    raised = {finding.detector for finding in result.alarms}
    return {check.detector: check.detector in raised for check in result.checks if check.ran}


def verdicts_of(params: DoseParams) -> DoseParams:
    """Return the settings that the verdicts depend on, all others at their defaults: the
    strength only points into them.
    """
    world = {
        "signal": params.signal,
        "n_rows": params.n_rows,
        "n_noise": params.n_noise,
        "seed": params.seed,
    }
    return DoseParams(focus=params.focus, **world)  # type: ignore[arg-type]


def steps(params: DoseParams) -> Steps:
    """Audit the tables of every strength of the focus alone: a ``Progress`` with the verdicts so
    far before each audit.

    Returns
    -------
    Verdicts
        With ``complete`` set.
    """
    worlds = params.worlds(params.wide, N_SEEDS)
    verdicts = Verdicts(params, ())
    for place, dose in enumerate(GRID):
        by_world = []
        for turn, world in enumerate(worlds):
            yield Progress(
                (place + turn / N_SEEDS) / len(GRID),
                f"strength {format_share(dose)}, data set {turn + 1} of {N_SEEDS}",
                verdicts,
            )
            by_world.append(alarms_of(world, trial.with_dose(Doses(), params.mechanism, dose)))
        ran = [detector for detector in DETECTORS if all(detector in alarms for alarms in by_world)]
        shares = {
            detector: float(np.mean([alarms[detector] for alarms in by_world])) for detector in ran
        }
        verdicts = replace(verdicts, shares=(*verdicts.shares, shares))
    return replace(verdicts, complete=True)


def run(params: DoseParams) -> Verdicts:
    """Audit the tables here and now."""
    found: Verdicts = run_to_end(steps(verdicts_of(params)))
    return found
