"""What a run does when Spark's Java process ends under it: it says so, starts Spark again and is
repeated, once.

The whole run is repeated, not the call that failed: tables that were cached are gone, and the first
runs on a new Java process are slower, which every experiment leaves uncounted only at its
beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from engine.errors import InputError
from engine.jobs import Progress, Steps
from engine.spark.session import ENGINE

ENDED = "Spark's Java process ended during this run; it is starting again and the run is repeated."
TWICE = (
    "Spark's Java process ended twice during this run, so the run was stopped. This machine may be"
    " short of memory: choose a smaller size, then Run again."
)


class SparkEnded(InputError):  # noqa: N818 - said as the page says it
    """Spark's Java process ended in a run and in its repetition."""


def n_ends() -> int:
    """Return how many of this server's Java processes have ended by themselves, one that nobody has
    noticed yet included.
    """
    return ENGINE.n_restarts + (ENGINE.state == "ready" and not ENGINE.alive())


def repeated(make_steps: Callable[[], Steps]) -> Steps:
    """Run the steps; if Spark's Java process ends meanwhile, say so and run them again.

    What counts is whether a Java process has ended since the steps began, not what was raised: a
    call into a dead one raises many kinds of error, and steps that never met it would go on with
    the next one and mix the two.

    Raises
    ------
    SparkEnded
        It ended again.
    """
    said, last = "", Progress(0.0)
    while True:
        before, steps, failure = n_ends(), make_steps(), None
        try:
            while True:
                try:
                    progress = next(steps)
                except StopIteration as stop:
                    if n_ends() == before:
                        return stop.value
                    break
                last = replace(progress, message=f"{said}{progress.message}")
                yield last
        except Exception as error:
            if n_ends() == before:
                raise
            failure = error
        finally:
            steps.close()
        if said:
            raise SparkEnded(TWICE) from failure
        said = f"{ENDED} Now: "
        yield replace(last, share=0.0, message=ENDED)


def repeat_if_spark_ends(steps: Callable[[Any], Steps]) -> Callable[[Any], Steps]:
    """Make the steps of an experiment ones that are repeated when Spark's Java process ends under
    them.
    """

    @wraps(steps)
    def lasting(params: Any) -> Steps:
        return repeated(lambda: steps(params))

    return lasting
