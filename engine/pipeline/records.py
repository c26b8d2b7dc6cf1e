"""What is written down of a stage and of a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

State = Literal["done", "kept", "failed"]


@dataclass(frozen=True, slots=True)
class Count:
    """What a stage did with the rows it follows, the flights."""

    n_in: int
    n_out: int
    dropped: dict[str, int] = field(default_factory=dict)  # reason -> rows
    details: dict[str, Any] = field(default_factory=dict)  # plain values, the stage's own

    @property
    def n_unexplained(self) -> int:
        """Rows that are neither passed on nor dropped for a reason; 0 in a sound stage."""
        return self.n_in - self.n_out - sum(self.dropped.values())


@dataclass(frozen=True, slots=True)
class StageRecord:
    """One stage of one run. ``kept``: an earlier run had made the same."""

    stage: str
    state: State
    key: str  # of its settings, code and inputs
    inputs: dict[str, str]  # stage -> digest
    began: float  # seconds since the epoch
    seconds: float  # what it took when it was made
    n_in: int = 0
    n_out: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    n_bytes: int = 0
    digest: str = ""  # of the content that it made
    error: str = ""
    transient: bool = False  # the same may pass when it is tried again
    code: str = ""  # hash of the code that made it

    @property
    def count(self) -> Count:
        """Its rows."""
        return Count(self.n_in, self.n_out, self.dropped, self.details)

    @classmethod
    def read(cls, given: dict[str, Any]) -> StageRecord:
        """Return the record that ``asdict`` gave; what a later version added is left out."""
        return cls(**{one.name: given[one.name] for one in fields(cls) if one.name in given})


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its settings and the stages that it has come to."""

    id: str
    params: dict[str, Any]
    began: float
    stages: tuple[StageRecord, ...] = ()

    @property
    def state(self) -> Literal["running", "done", "failed"]:
        """``running`` also of a run whose process has ended in the middle."""
        if any(stage.state == "failed" for stage in self.stages):
            return "failed"
        return "done" if self.stages and self.stages[-1].stage == "monitor" else "running"

    def stage(self, name: str) -> StageRecord | None:
        """Return the record of a stage, ``None`` if the run has not come to it."""
        return next((stage for stage in self.stages if stage.stage == name), None)

    @property
    def text(self) -> str:
        """The run as JSON."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def parse(cls, text: str) -> Run:
        """Return the run that ``text`` gave."""
        given = json.loads(text)
        stages = tuple(StageRecord.read(stage) for stage in given.pop("stages"))
        return cls(**given, stages=stages)
