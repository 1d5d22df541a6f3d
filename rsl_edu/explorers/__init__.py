"""Interactive explorers for notebooks, one per module. Their pictures and texts also work without a notebook.

The package finds the explorers in its modules and makes them available by name; ``bench`` contains their shared code.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from .bench.controls import Control, control
from .bench.drawing import Frame
from .bench.explorer import Explorer
from .bench.question import Question
from .bench.quiz import Quiz
from .bench.touch import Grip, Mark, Spot, grip


def _found() -> dict[str, type[Explorer[Any, Any]]]:
    """Return the explorer classes that this package's modules define, by name; omit names that start with _."""
    found: dict[str, type[Explorer[Any, Any]]] = {}
    for file in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{file.name}")
        for name, it in vars(module).items():
            # In Python 3.10, list[int] is a type that issubclass rejects; its module is builtins.
            ours = isinstance(it, type) and it.__module__ == module.__name__ and issubclass(it, Explorer)
            if ours and not name.startswith("_"):
                if name in found:
                    raise ImportError(
                        f"two explorers have the name {name}: in {found[name].__module__} and {it.__module__}"
                    )
                found[name] = it
    return dict(sorted(found.items(), key=lambda entry: (entry[1].lesson, entry[0])))


EXPLORERS: dict[str, type[Explorer[Any, Any]]] = _found()
"""All explorers by name, in the order of the lessons."""

__all__ = ["EXPLORERS", "Control", "Explorer", "Frame", "Grip", "Mark", "Question", "Quiz", "Spot", "control", "grip"]
__all__ += EXPLORERS


def __getattr__(name: str) -> Any:
    if name in EXPLORERS:
        return EXPLORERS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; its explorers are {', '.join(EXPLORERS)}")


def __dir__() -> list[str]:
    return __all__
