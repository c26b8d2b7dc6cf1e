"""The stages, in the order in which they run."""

from __future__ import annotations

from engine.pipeline.runner import Stage
from engine.pipeline.stages import (
    audit,
    features,
    ingest,
    load,
    monitor,
    register,
    serve,
    train,
    training_set,
    validate,
)

STAGES: tuple[Stage, ...] = (
    ingest.STAGE,
    validate.STAGE,
    load.STAGE,
    features.STAGE,
    training_set.STAGE,
    audit.STAGE,
    train.STAGE,
    register.STAGE,
    serve.STAGE,
    monitor.STAGE,
)
