"""Stand-ins for modules that are missing while grading, and functions that an exercise forbids."""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import opcode
import sys
import types
from collections.abc import Iterator
from typing import Any

from failure import Failure  # type: ignore[import-not-found,unused-ignore]

_COURSE = ("rsl_edu", "rsl_rl")  # these contain the answers to the exercises
_DRAWING = ("matplotlib", "mpl_toolkits")
_SHOWING = (*_DRAWING, "gymnasium", "mujoco")  # no answer needs these


class Nothing:
    """Stand-in that accepts everything and does nothing, for a figure, a robot or a shell command."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(self)()

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return type(self)()

    def __mro_entries__(self, _: Any) -> tuple[type]:
        return (_NothingClass,)  # base of a class that inherits from a stand-in

    def __getitem__(self, key: Any) -> Any:
        return type(self)()

    def __setitem__(self, key: Any, value: Any) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        frame = sys._getframe(1)
        operation, number = frame.f_code.co_code[frame.f_lasti :][:2]
        wanted = number if operation == opcode.opmap["UNPACK_SEQUENCE"] else 0  # figure, axes = plt.subplots()
        return iter([type(self)() for _ in range(wanted)])

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True  # the student's own `assert check.f(f).passed` passed outside the grader

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        return None

    def __repr__(self) -> str:
        return "nothing: this is missing while grading"


class Drawing(Nothing):
    """Stand-in that draws nothing, but returns the counts of a histogram."""

    def hist(self, x: Any, bins: Any = None, range: Any = None, density: bool = False, **options: Any) -> Any:
        """Return counts, edges and bars for one set of numbers, as matplotlib does; otherwise a stand-in."""
        import numpy as np

        weights = options.get("weights")
        if options.get("cumulative") or np.ndim(x) != 1:
            return Drawing()
        counts, edges = np.histogram(np.asarray(x), 10 if bins is None else bins, range, density, weights)
        return counts.astype(float), edges, Drawing()


class CourseAnswer(Nothing):
    """Stand-in for everything in the course's libraries.

    Attributes:
        refuses: Whether a call raises an error. This is so as soon as the grader sends requests.
    """

    refuses = False

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if CourseAnswer.refuses:
            raise refusal()
        return CourseAnswer()

    def __mro_entries__(self, _: Any) -> tuple[type]:
        return (_CourseClass,)


class _NothingClass:
    def __init__(self, *_: Any, **__: Any) -> None:
        return None


class _CourseClass:
    def __new__(cls, *_: Any, **__: Any) -> Any:
        raise refusal()


def refusal() -> Failure:
    """Return the failure of an answer that calls the library."""
    return Failure("library-answer", "the library's own code")


class _Shell(types.ModuleType):
    """A module in which every name is a stand-in."""

    def __init__(self, name: str, kind: type[Nothing]) -> None:
        super().__init__(name)
        self.__dict__["_kind"] = kind

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__dict__["_kind"](), name)


class Shells(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds stand-in modules for the course's libraries, and for libraries that draw or simulate."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Find a stand-in module."""
        if name.partition(".")[0] in _COURSE + _SHOWING:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        """Create a stand-in module."""
        top = spec.name.partition(".")[0]
        return _Shell(spec.name, CourseAnswer if top in _COURSE else Drawing if top in _DRAWING else Nothing)

    def exec_module(self, module: types.ModuleType) -> None:
        """Leave the module empty."""


class MissingModuleError(Exception):
    """Raised if code uses a module that is not installed where the notebook is graded."""


class Missing:
    """Stand-in for a missing module, or for a part of one; the stand-in can be imported, but not used."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise MissingModuleError(f"needs {self.__dict__['_name']}, which is missing while grading")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._refuse()

    __call__ = __setattr__ = __getitem__ = __setitem__ = __mro_entries__ = __iter__ = __enter__ = _refuse
    __exit__ = __len__ = __bool__ = _refuse


def missing_names(statement: ast.stmt) -> dict[str, Missing] | None:
    """Return stand-ins for the names of an import; None if the statement is not an import."""
    if isinstance(statement, ast.Import):
        whole = {alias.asname or alias.name.partition(".")[0]: alias for alias in statement.names}
        return {name: Missing(alias.name if alias.asname else name) for name, alias in whole.items()}
    if isinstance(statement, ast.ImportFrom):
        found = (alias for alias in statement.names if alias.name != "*")
        return {alias.asname or alias.name: Missing(f"{statement.module}.{alias.name}") for alias in found}
    return None


def forbid(name: str) -> None:
    """Forbid a function or class of torch, such as ``torch.nn.functional.conv2d``, under all its names.

    Args:
        name: Its full name.
    """
    *path, last = name.split(".")
    taken: Any = sys.modules[path[0]]
    for part in [*path[1:], last]:
        taken = getattr(taken, part)

    def refuse(*_: Any, **__: Any) -> Any:
        raise Failure("library-answer", name)

    if isinstance(taken, type):
        taken.__init__ = refuse  # type: ignore[misc]
        return
    for module in [module for key, module in sys.modules.items() if key.partition(".")[0] == path[0]]:
        for known, value in [*vars(module).items()]:
            if value is taken:
                setattr(module, known, refuse)
