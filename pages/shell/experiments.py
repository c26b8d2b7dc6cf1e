"""Where an experiment is: its engine package and its Params class."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any


def module_of(topic: str, experiment: str) -> ModuleType:
    """Return the engine module of an experiment: ``engine.<topic>.<experiment>``."""
    return import_module(f"engine.{topic}.{experiment}")


def params_class(topic: str, experiment: str) -> type[Any]:
    """Return the Params class of an experiment, by its name: ``bytes_read`` has
    ``BytesReadParams``.
    """
    name = "".join(word.capitalize() for word in experiment.split("_")) + "Params"
    cls: type[Any] = getattr(module_of(topic, experiment), name)
    return cls
