"""Where an experiment is: its engine package, its Params class and the script of its code panel."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from engine import scripts


def module_of(topic: str, experiment: str) -> ModuleType:
    """Return the engine module of an experiment: ``engine.<topic>.<experiment>``."""
    return import_module(f"engine.{topic}.{experiment}")


def script_of(topic: str, experiment: str, params: Any) -> str:
    """Return the text of an experiment's code panel: its ``script.py`` with these parameters, or
    what its ``code`` writes.
    """
    if scripts.path_of(params).exists():
        return scripts.render(params)
    text: str = import_module(f"engine.{topic}.{experiment}.code").script(params)
    return text


def params_class(topic: str, experiment: str) -> type[Any]:
    """Return the Params class of an experiment, by its name: ``bytes_read`` has
    ``BytesReadParams``.
    """
    name = "".join(word.capitalize() for word in experiment.split("_")) + "Params"
    cls: type[Any] = getattr(module_of(topic, experiment), name)
    return cls
