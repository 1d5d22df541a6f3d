"""Interactive explorers, one a file. Each runs live in a notebook, and draws and says the same without one.

What stands beside this file is found and offered here by its name; what all explorers share is in ``bench``.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from .bench.controls import Control, control
from .bench.explorer import Explorer
from .bench.figure import Frame
from .bench.quiz import Quiz


def _found() -> list[type[Explorer[Any, Any]]]:
    """Return the explorers that are defined in the modules of this package."""
    modules = [importlib.import_module(f"{__name__}.{file.name}") for file in pkgutil.iter_modules(__path__)]
    defined = [(it, module) for module in modules for it in vars(module).values() if isinstance(it, type)]
    return [it for it, module in defined if issubclass(it, Explorer) and it.__module__ == module.__name__]


EXPLORERS: dict[str, type[Explorer[Any, Any]]] = {
    explorer.__name__: explorer for explorer in sorted(_found(), key=lambda it: (it.lesson, it.__name__))
}
"""All explorers by their names, in the order of the lessons."""

__all__ = ["EXPLORERS", "Control", "Explorer", "Frame", "Quiz", "control", *EXPLORERS]


def __getattr__(name: str) -> Any:
    if name in EXPLORERS:
        return EXPLORERS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; its explorers are {', '.join(EXPLORERS)}")


def __dir__() -> list[str]:
    return __all__
