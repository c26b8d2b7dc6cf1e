"""What a daily run with a fault did: its stages, what failed, which gate spoke first, and what it
did to the predictions.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from engine.pipeline import runner
from engine.pipeline.faults.incident import Failure, Scene, execute, folder_of
from engine.pipeline.faults.raw import read_raw
from engine.pipeline.faults.watch import Alert
from engine.pipeline.records import Run, StageRecord
from engine.pipeline.stages.training_set import LATE_MINUTES

N_BOOTSTRAP = 200
GATES = {  # what stops a stage
    "ingest": "source check",
    "validate": "contract",
    "load": "process exit",
    "features": "Spark job",
    "audit": "leakage audit",
}


@dataclass(frozen=True, slots=True)
class Caught:
    """The first gate that spoke: its name, its hop, the minute and what it said."""

    gate: str
    hop: str
    minute: float
    evidence: str


@dataclass(frozen=True, slots=True)
class Served:
    """The predictions of the day by flight, in order of the file: probability (n,), delay in
    minutes (n,; NaN: never arrived), and the flights' lines (n,).
    """

    p: np.ndarray
    delay: np.ndarray
    line: np.ndarray


@dataclass(frozen=True, slots=True)
class Executed:
    """A daily run that was executed with a fault, or without (``"none"``)."""

    fault: str
    stages: tuple[StageRecord, ...]
    failures: tuple[Failure, ...]
    alerts: tuple[Alert, ...]  # empty if the day was not served
    minutes: float  # on the clock, until the last batch stage was over
    served: Served | None
    raw: dict[str, Any]  # lines of the day's sources, at the first failure if there was one

    @property
    def stopped_at(self) -> str:
        """The stage at which the run ended for good, ``""`` if it came to its end."""
        last = self.stages[-1]
        return last.stage if last.state == "failed" else ""

    @property
    def fired(self) -> list[Alert]:
        """The gates that fired, the first one first."""
        return sorted((one for one in self.alerts if one["fired"]), key=lambda one: one["minute"])

    @property
    def caught(self) -> Caught | None:
        """The first gate that spoke, ``None`` if none did."""
        if self.failures:
            first = self.failures[0]
            return Caught(GATES.get(first.hop, first.hop), first.hop, first.minute, first.error)
        if not self.fired:
            return None
        one = self.fired[0]
        most = max((a for a in self.fired if a["minute"] == one["minute"]), key=_excess)
        value = "none" if most["value"] is None else f"{most['value']:.3g}"
        evidence = f"{most['rule']} (limit {most['limit']:.3g}). Got {value}."
        return Caught(f"{most['gate']} gate", most["hop"], self.minutes + most["minute"], evidence)

    def record(self, stage: str) -> StageRecord | None:
        """Return the record of a stage, ``None`` if the run did not come to it."""
        return next((one for one in self.stages if one.stage == stage), None)

    @property
    def auc(self) -> float | None:
        """AUC of the served predictions, ``None`` if none were served."""
        if self.served is None:
            return None
        known = ~np.isnan(self.served.delay)
        return _auc(self.served.delay[known] > LATE_MINUTES, self.served.p[known])


def _excess(alert: Alert) -> float:
    """Return how far an alert is beyond its limit, as a ratio."""
    if alert["value"] is None or not alert["limit"]:
        return float("inf")
    return float(alert["value"] / alert["limit"])


def _auc(late: np.ndarray, p: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(late, p))


def auc_change(one: Executed, clean: Executed) -> tuple[float, float, float] | None:
    """Return the change of the AUC of the same flights against the run without a fault, with its
    95% interval (flights resampled); ``None`` where nothing was served.
    """
    if one.served is None or clean.served is None:
        return None
    _, mine, theirs = np.intersect1d(one.served.line, clean.served.line, return_indices=True)
    delay = clean.served.delay[theirs]
    known = ~np.isnan(delay)
    late = delay[known] > LATE_MINUTES
    p, p_clean = one.served.p[mine][known], clean.served.p[theirs][known]
    if np.array_equal(p, p_clean):
        return 0.0, 0.0, 0.0
    n, change = len(late), _wins(late, p) - _wins(late, p_clean)
    times = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), N_BOOTSTRAP).astype(float)
    pairs = times[:, late].sum(1) * times[:, ~late].sum(1)
    draws = ((times[:, late] @ change) * times[:, ~late]).sum(1)[pairs > 0] / pairs[pairs > 0]
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(change.mean()), float(low), float(high)


def _wins(late: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return for each pair of a late flight and another whether the late one has the higher
    probability (1; equal: 0.5); the mean is the AUC.
    """
    mine, other = p[late][:, None], p[~late][None, :]
    return np.asarray((mine > other) + 0.5 * (mine == other), float)


def missed_minutes(one: Executed, clean: Executed, threshold: float) -> float:
    """Return the delay (minutes) of the late flights that the clean run announces (probability at
    least ``threshold``) and this one does not.
    """
    if clean.served is None:
        return 0.0
    late = clean.served.delay > LATE_MINUTES
    announced = late & (clean.served.p >= threshold)
    if one.served is None:
        return float(clean.served.delay[announced].sum())
    p = dict(zip(one.served.line.tolist(), one.served.p.tolist(), strict=True))
    now = np.array([p.get(line, 0.0) for line in clean.served.line.tolist()])
    return float(clean.served.delay[announced & (now < threshold)].sum())


def _served(run: Run) -> Served | None:
    folder = folder_of(run, "serve")
    if folder is None:
        return None
    rows = pq.read_table(folder / "predictions.parquet").to_pandas().sort_values("line")
    return Served(
        rows["p_late"].to_numpy(float),
        rows["arr_delay"].to_numpy(float),
        rows["line"].to_numpy(int),
    )


def _alerts(run: Run) -> tuple[Alert, ...]:
    folder = folder_of(run, "watch")
    if folder is None:
        return ()
    return tuple(json.loads((folder / "watch.json").read_text("utf-8"))["alerts"])


def collect(fault: str, run: Run, scene: Scene) -> Executed:
    """Return what a run did."""
    return Executed(
        fault,
        run.stages,
        tuple(scene.failures),
        _alerts(run),
        scene.minutes,
        _served(run),
        scene.raw or read_raw(run.params, run.stages[0].key),
    )


def perform(fault: str, base: Run, report: runner.Report = lambda *_: None) -> Executed:
    """Execute the day with a fault, ``"none"`` for none, and return what it did."""
    return collect(fault, *execute(fault, base, report))
