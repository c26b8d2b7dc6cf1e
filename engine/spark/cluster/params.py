"""What can be chosen of a run on the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Literal, get_args

from engine.ranges import Params, Range
from engine.spark.cluster.jobs import JOBS, Work

Kill = Literal["executor 1", "executor 0", "by hand"]
KILLS: tuple[Kill, ...] = get_args(Kill)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterParams(Params):
    """What is computed, which executor the second run loses, and how long each task is made to
    take.
    """

    work: Work = "Delay by airport"
    kill: Kill = "executor 1"  # in mid-shuffle; by hand: by a button, or not at all
    wait_seconds: Annotated[float, Range(0.2, 2.0, 0.1)] = 0.3  # each task waits, to be seen

    @property
    def job(self) -> ModuleType:
        """What the work is made of."""
        return JOBS[self.work]

    @property
    def n_tasks(self) -> int:
        """Tasks of the job, each counted once."""
        return sum(self.job.N_TASKS)

    @property
    def loses(self) -> str:
        """The id of the executor that is killed by itself; "" for none."""
        return "" if self.kill == "by hand" else self.kill.removeprefix("executor ")
