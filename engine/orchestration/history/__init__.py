"""History: every kept run of a flow, task by task; two runs compared; the critical path, and what a
faster task would buy.

Real: runs are those that Prefect ran and ``records`` kept. While fewer than ``ENOUGH`` are recorded
(or on request), runs simulated from seeds are shown, marked as such. *What if* replays the run's
own times on its graph (``history.critical_path``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Annotated, Literal, get_args

import pyarrow as pa

from engine.orchestration import predict, records
from engine.orchestration.flows import Flow, RunParams
from engine.orchestration.history import critical_path
from engine.orchestration.history.critical_path import Link, Span
from engine.orchestration.history.stats import Estimate, TaskStats, by_task, middle, share
from engine.orchestration.records import Run
from engine.ranges import Params, Range, Text
from engine.units import format_interval, format_seconds, format_share

Source = Literal["auto", "recorded", "simulated"]
SOURCES: tuple[Source, ...] = get_args(Source)
LAST = (10, 25, 50, 100, 200)
PLACE = Range(1, 1_000_000)  # in the list of runs, 1: the latest; beyond its end the oldest
N_SIMULATED = 24
ENOUGH = 10  # recorded runs, from which "auto" shows them
FATES = (
    "completed",
    "after retries",
    "cached",
    "failed",
    "timed out",
    "cancelled",
    "not run",
)  # of a task in a run


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryParams(Params):
    """Which runs, which two of them, and which task of the first is made faster."""

    source: Source = "auto"  # recorded ones once there are ``ENOUGH``; none recorded: simulated
    flow: Flow = "model retraining"
    last: Annotated[int, Range(1, 200, options=LAST)] = 50  # runs
    run: Annotated[int, PLACE] = 1  # place in the list, 1: the latest
    other: Annotated[int, PLACE] = 2  # the run that it is compared with
    faster: Annotated[str, Text(100)] = ""  # a task; "": the longest of the critical path
    factor: Annotated[float, Range(1, 10, step=0.5)] = 2.0


@dataclass(frozen=True, eq=False)
class HistoryResult:
    """The runs, the latest first, and what is asked about them."""

    params: HistoryParams
    runs: tuple[Run, ...]
    simulated: bool  # too few of this flow are recorded, or simulated ones were asked for

    def run_at(self, position: int) -> Run:
        """Return the run at a position of the list, from 1; the oldest for one beyond it."""
        return self.runs[min(position, len(self.runs)) - 1]

    @property
    def run(self) -> Run:
        """Run A."""
        return self.run_at(self.params.run)

    @property
    def other(self) -> Run:
        """Run B, with which run A is compared."""
        return self.run_at(self.params.other)

    @cached_property
    def success(self) -> Estimate:
        """The share of the runs that completed."""
        return share(sum(run.state == "completed" for run in self.runs), len(self.runs))

    @cached_property
    def duration(self) -> Estimate:
        """The median duration of the runs that completed."""
        return middle([run.seconds for run in self.runs if run.state == "completed"])

    @cached_property
    def stats(self) -> list[TaskStats]:
        """Every task in numbers."""
        return by_task(self.runs)

    @cached_property
    def tasks(self) -> list[str]:
        """Every task of any of the runs, in the order of the graphs."""
        return list(
            dict.fromkeys(
                task.key
                for run in sorted(self.runs, key=lambda r: -len(r.tasks))
                for task in run.tasks
            )
        )

    @cached_property
    def spans(self) -> dict[str, Span]:
        """The tasks of run A, as they ran."""
        return critical_path.spans(self.run)

    @cached_property
    def path(self) -> list[Link]:
        """Its critical path."""
        return critical_path.critical_path(self.spans)

    @property
    def faster(self) -> str:
        """The task that is made faster; the longest of the critical path unless the run has the
        one asked for.
        """
        if self.params.faster in self.spans:
            return self.params.faster
        return max(self.path, key=lambda link: link.seconds).task if self.path else ""

    @property
    def finish_seconds(self) -> float:
        """When the last task ended."""
        return critical_path.finish(self.spans)

    @property
    def what_if_seconds(self) -> float:
        """When the last task would end with the faster task."""
        return critical_path.finish(self.spans, self.faster, self.params.factor)

    @property
    def saved_share(self) -> float:
        """The share of the run's time that the faster task would have saved."""
        return 1 - self.what_if_seconds / self.finish_seconds if self.finish_seconds else 0.0

    @property
    def on_path(self) -> bool:
        """Whether the task that is made faster is on the critical path."""
        return self.faster in {link.task for link in self.path}

    @property
    def compared(self) -> list[dict[str, object]]:
        """Both runs task by task, the largest difference first."""
        a, b = self.spans, critical_path.spans(self.other)
        fates = fates_of(self.run), fates_of(self.other)
        rows = []
        for task in dict.fromkeys([*a, *b, *fates[0], *fates[1]]):
            left, right = (spans[task].seconds if task in spans else None for spans in (a, b))
            rows.append(
                {
                    "task": task,
                    "A": left,
                    "B": right,
                    "A ended": fates[0].get(task, "—"),
                    "B ended": fates[1].get(task, "—"),
                }
            )
        return sorted(rows, key=lambda row: -abs(float(row["A"] or 0) - float(row["B"] or 0)))  # type: ignore[arg-type]

    @property
    def verdict(self) -> str:
        """Share of the runs that completed, and what one faster task would save."""
        n, p = len(self.runs), self.params
        kind = "simulated" if self.simulated else "recorded"
        interval = format_interval(self.success.low, self.success.high, format_share)
        head = (
            f"**{format_share(self.success.value)}** of {n} {kind} run{'s' * (n != 1)} completed"
            f" ({interval})"
        )
        if not self.path:
            return f"{head}. No task of run {p.run} has run."
        return (
            f"{head}. In run {p.run}, a {p.factor:g}× faster `{self.faster}` saves"
            f" **{format_share(self.saved_share)}** of the time."
        )

    @property
    def why(self) -> list[str]:
        """The reasons, from these runs' numbers."""
        p, found = self.params, []
        if self.path:
            chain = " → ".join(link.task for link in self.path)
            lag = sum(link.lag_seconds for link in self.path)
            found.append(
                f"**Critical path** of run {p.run}: {chain}. It decides the end:"
                f" {sum(link.seconds for link in self.path):.1f} s of tasks, {lag:.1f} s of waits"
                " between them."
            )
            most = self.spans[self.faster].seconds * (1 - 1 / p.factor)
            got = self.finish_seconds - self.what_if_seconds
            other = "another path is now the longest" if self.on_path else "the task had slack"
            found.append(
                f"**What if**: *{self.faster}* gets {most:.1f} s shorter, the run {got:.1f} s"
                + ("." if most - got < 0.05 else f": {other}.")
            )
        if self.stats:
            slow = max(self.stats, key=lambda s: s.seconds.value)
            weak = max(self.stats, key=lambda s: (s.flaky.value, s.flaky.n))
            found.append(
                f"**Slowest task**: *{slow.task}*, median {format_seconds(slow.seconds.value)}"
                f" (n = {slow.seconds.n})."
            )
            found.append(
                f"**Flakiest task**: *{weak.task}*. An attempt failed in {weak.flaky.percent()} of"
                " its runs."
            )
        if self.simulated:
            found.append(
                f"**Simulated runs**, without Prefect's overhead. From {ENOUGH} recorded runs of"
                f" *{p.flow}* on, this page shows the recorded ones."
            )
        return found

    def headline(self) -> dict[str, float | str]:
        """The numbers that the script prints."""
        return {
            "runs": len(self.runs),
            "completed": sum(run.state == "completed" for run in self.runs),
            "median, s": round(self.duration.value, 6),
            "task made faster": self.faster,
            "run A, s": round(self.finish_seconds, 6),
            "run A with it, s": round(self.what_if_seconds, 6),
        }

    def table(self) -> pa.Table:
        """Every run: when, how it ended, how long."""
        return pa.Table.from_pylist(
            [
                {
                    "place": place,
                    "run": run.name,
                    "state": run.state,
                    "submitted_at": run.submitted_at,
                    "seconds": run.seconds,
                    "attempts": run.n_attempts,
                    **{
                        f"n_{fate.replace(' ', '_')}": list(fates_of(run).values()).count(fate)
                        for fate in FATES
                    },
                }
                for place, run in enumerate(self.runs, 1)
            ]
        )


def fates_of(run: Run) -> dict[str, str]:
    """Return what became of each task of a run, one of ``FATES``."""
    found = {task.key: "not run" for task in run.tasks}
    for task, attempt in run.last().items():
        if attempt.outcome == "completed":
            found[task] = "after retries" if attempt.attempt > 1 else "completed"
        elif attempt.outcome in ("crashed", "failed"):
            found[task] = "failed"
        else:
            found[task] = attempt.outcome or "cancelled"
    return found


@lru_cache(maxsize=8)
def simulated(flow: Flow) -> tuple[Run, ...]:
    """Return the runs of a flow that are shown while too few are recorded, one per seed."""
    settings = (
        RunParams(flow=flow, retries=2, failure_probability=0.25, seed=seed)
        for seed in reversed(range(N_SIMULATED))
    )
    return tuple(replace(predict.run(params), name="simulated") for params in settings)


def enough(n: int, source: Source) -> bool:
    """Whether ``n`` recorded runs are shown rather than simulated ones."""
    return {"auto": n >= ENOUGH, "recorded": n > 0, "simulated": False}[source]


def run(params: HistoryParams) -> HistoryResult:
    """Return the history that the params ask for, as it is recorded now."""
    found = tuple(run for run in records.runs() if run.params.flow == params.flow)
    real = enough(len(found), params.source)
    shown = found if real else simulated(params.flow)
    return HistoryResult(params, shown[: params.last], not real)
