"""What an assignment's cells import and what is not there while grading: stand-ins, and what an exercise forbids."""

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

_COURSE = ("rsl_edu", "rsl_rl")  # whose code is what the exercises ask for
_DRAWING = ("matplotlib", "mpl_toolkits")
_SHOWING = (*_DRAWING, "gymnasium", "mujoco")  # no answer needs one


class Nothing:
    """Takes anything, does nothing, and gives nothing back: a figure, a robot, a shell command."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(self)()

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return type(self)()

    def __mro_entries__(self, _: Any) -> tuple[type]:
        return (_NothingClass,)  # of a class that inherits from it

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
        return True  # an own `assert check.f(f).passed` held where the check was

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        return None

    def __repr__(self) -> str:
        return "nothing: this is not there while grading"


class Drawing(Nothing):
    """Draws nothing; but who draws a histogram may go on with its counts."""

    def hist(self, x: Any, bins: Any = None, range: Any = None, density: bool = False, **options: Any) -> Any:
        """Counts, edges and bars, as matplotlib returns them for one set of numbers; nothing for all else."""
        import numpy as np

        weights = options.get("weights")
        if options.get("cumulative") or np.ndim(x) != 1:
            return Drawing()
        counts, edges = np.histogram(np.asarray(x), 10 if bins is None else bins, range, density, weights)
        return counts.astype(float), edges, Drawing()


class CourseAnswer(Nothing):
    """Stands for everything of the course's libraries.

    Attributes:
        refuses: Whether calling it is an error: from the time on when the grader asks.
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
    """The account of an answer that calls the library."""
    return Failure("library-answer", "the library's own code")


class _Shell(types.ModuleType):
    """A module whose every name is a stand-in."""

    def __init__(self, name: str, kind: type[Nothing]) -> None:
        super().__init__(name)
        self.__dict__["_kind"] = kind

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__dict__["_kind"](), name)


class Shells(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds shells in place of the course's libraries, and of those that draw or simulate."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Find one."""
        if name.partition(".")[0] in _COURSE + _SHOWING:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        """Make one."""
        top = spec.name.partition(".")[0]
        return _Shell(spec.name, CourseAnswer if top in _COURSE else Drawing if top in _DRAWING else Nothing)

    def exec_module(self, module: types.ModuleType) -> None:
        """Leave it empty."""


class MissingModuleError(Exception):
    """Something of a module was used that is not installed where the notebook is graded."""


class Missing:
    """Stands for a module that is not installed, or for something of it: it can be imported, and not be used."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise MissingModuleError(f"needs {self.__dict__['_name']}, which is not there while grading")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._refuse()

    __call__ = __setattr__ = __getitem__ = __setitem__ = __mro_entries__ = __iter__ = __enter__ = _refuse
    __exit__ = __len__ = __bool__ = _refuse


def missing_names(statement: ast.stmt) -> dict[str, Missing] | None:
    """Stand-ins for the names that an import would give; None if the statement is no import."""
    if isinstance(statement, ast.Import):
        whole = {alias.asname or alias.name.partition(".")[0]: alias for alias in statement.names}
        return {name: Missing(alias.name if alias.asname else name) for name, alias in whole.items()}
    if isinstance(statement, ast.ImportFrom):
        found = (alias for alias in statement.names if alias.name != "*")
        return {alias.asname or alias.name: Missing(f"{statement.module}.{alias.name}") for alias in found}
    return None


def forbid(name: str) -> None:
    """Take a function or a class of torch away, under all its names; ``torch.nn.functional.conv2d`` is one.

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
