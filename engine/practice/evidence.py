"""What this machine has measured, as one sentence of an experiment, for the model answers.

A model answer names experiments (``formats.race``) and writes no number of its own. The sentence is
the verdict of a real run: the learner's latest, else one that this server has kept, else, for an
experiment without a job, its default run computed now. Each sentence says which and when. What has
no run has no sentence.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal

from engine.errors import InputError, require
from engine.jobs import JOBS
from engine.ranges import Choice, Choices, rules
from engine.units import format_time

Origin = Literal["yours", "server", "computed"]
# an experiment whose default run is computed in well under a second -> the function that does it
COMPUTED = {
    "formats.bytes_read": "engine.formats.bytes_read",
    "formats.evolution": "engine.formats.evolution",
    "etl.late": "engine.etl.late",
    "etl.change_capture": "engine.etl.change_capture",
    "etl.quality": "engine.etl.quality",
    "sampling.focal": "engine.sampling.focal",
    "leakage.dose": "engine.leakage.dose",
    "feature_store.point_in_time": "engine.feature_store.point_in_time",
    "feature_store.online": "engine.feature_store.online",
    "feature_store.skew": "engine.feature_store.skew",
    "spark.partitioning": "engine.spark.partitioning",
    "orchestration.retry": "engine.orchestration.retry",
    "orchestration.backpressure": "engine.orchestration.backpressure",
}
# one that takes a job, whose default the server measures when it starts
MEASURED = (
    "formats.race",
    "formats.codecs",
    "formats.terabyte",
    "etl.loads",
    "etl.crash",
    "sampling.arena",
    "sampling.before_split",
    "leakage.repairs",
    "leakage.time_splits",
    "leakage.availability",
    "leakage.audit",
    "feature_store.registry",
    "spark.crossover",
    "spark.lazy",
    "spark.skew_clinic",
    "spark.tuner",
    "spark.cache",
)
SOURCES = (*COMPUTED, *MEASURED)
SAYS: dict[Origin, str] = {
    "yours": "your run of this session",
    "server": "a run that this server has kept",
    "computed": "the default run, computed here",
}


@dataclass(frozen=True, slots=True)
class Own:
    """A run of the learner's: the verdict that was on screen, its Params, seconds since 1970."""

    verdict: str
    params: Any
    at: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measured sentence, with bold marks, and where it is from."""

    source: str  # topic.experiment
    text: str
    origin: Origin
    at: float  # seconds since 1970
    settings: str = ""  # what differs from the defaults

    @property
    def mark(self) -> str:
        """Whose run it is and when: ``"your run of this session, 29 Nov 2026 23:10"``."""
        moment = format_time(datetime.fromtimestamp(self.at))
        changed = f", with {self.settings}" if self.settings else ""
        return f"{SAYS[self.origin]}, {moment}{changed}"


def experiment_of(source: str) -> tuple[str, str]:
    """Return topic and experiment of a source.

    Raises
    ------
    InputError
        There is no such source.
    """
    require(source in SOURCES, "source must be one of {}. Got {!r}.", ", ".join(SOURCES), source)
    topic, _, experiment = source.partition(".")
    return topic, experiment


def find(source: str, own: Mapping[str, Own] | None = None) -> Evidence | None:
    """Return the best sentence that there is for a source: the learner's, the server's, or computed
    now; ``None`` where none has run.
    """
    _, experiment = experiment_of(source)
    mine = (own or {}).get(experiment)
    if mine is not None:
        return Evidence(source, mine.verdict, "yours", mine.at, changed(mine.params))
    if source in COMPUTED:
        result, at = _computed(source)
        return Evidence(source, result.verdict, "computed", at)
    found = kept_result(source)
    return (
        None
        if found is None
        else Evidence(source, verdict_of(source, found[0]), "server", found[1])
    )


def kept_result(source: str) -> tuple[Any, float] | None:
    """Return the Result of a source's default job that this server or an earlier one has finished,
    and when; ``None`` without one.
    """
    topic, experiment = experiment_of(source)
    job = JOBS.find(import_module(f"engine.{topic}.{experiment}").default_job())
    if job is None or job.state != "done" or job.finished_at is None:
        return None
    return job.result, job.finished_at


def own_of_job(experiment: str, key: Any) -> Own | None:
    """Return the learner's run of the job ``key`` (steps, params), ``None`` unless it is done."""
    job = JOBS.find(key)
    source = next((one for one in MEASURED if one.endswith(f".{experiment}")), None)
    if source is None or job is None or job.state != "done" or job.finished_at is None:
        return None
    if not is_dataclass(key[1]):  # a repository of the learner's own
        return None
    try:
        return Own(verdict_of(source, job.result), key[1], job.finished_at)
    except (AttributeError, InputError):  # another view of the tab: not what the answer is about
        return None


def verdict_of(source: str, result: Any) -> str:
    """Return the sentence of a job's Result."""
    if source == "formats.terabyte":
        from engine.formats import terabyte

        projected = terabyte.project(terabyte.TerabyteParams(), result)
        if projected is None:
            raise InputError("CSV must be among the formats. Got none. Run One terabyte.")
        return projected.verdict
    return str(result.verdict)


def computed(source: str) -> Any:
    """Return the Result of the default run of a source in ``COMPUTED``."""
    return _computed(source)[0]


@lru_cache(maxsize=len(COMPUTED))
def _computed(source: str) -> tuple[Any, float]:
    module = import_module(COMPUTED[source])
    name = "".join(part.capitalize() for part in source.partition(".")[2].split("_"))
    run: Callable[[Any], Any] = module.run
    return run(getattr(module, f"{name}Params")()), time.time()


def changed(params: Any) -> str:
    """Return the fields of Params that differ from their defaults: ``"n_rows 50000, seed 3"``.

    A text or a file of a person's is named, not quoted.
    """
    if not is_dataclass(params):
        return ""
    declared = rules(type(params))
    found = []
    for one in fields(params):
        value = getattr(params, one.name)
        if one.default is MISSING or value == one.default:
            continue
        quoted = isinstance(value, int | float) or isinstance(
            declared.get(one.name), Choice | Choices
        )
        listed = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        found.append(f"{one.name} {listed}" if quoted else f"your own {one.name}")
    return ", ".join(found)
