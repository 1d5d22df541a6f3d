"""Shared code of the exchange tests, which run a case with rsl_rl's modules and with ours, and compare the results.

A case is a function of a package (``rsl_rl.modules`` or ``rsl_edu.modules``) that returns tensors, numbers and strings,
nested in dicts and lists. The rule: whatever rsl_rl accepts, ours must accept, with the same result.
"""

import collections
import enum
import fractions
import io
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import torch

from rsl_edu import modules

Case = Callable[[Any], Any]
LISTED_WITH = (
    "2.13"  # the torch version for which the lists of refusals are right; with others, rsl_rl may accept more or less
)


@dataclass
class Refusal:
    """Something that ours refuses although rsl_rl accepts it, because rsl_rl's result is wrong."""

    reason: str
    is_wrong: Callable[[Any], bool]


@dataclass
class Difference:
    """Something that ours computes differently on purpose; ``holds`` checks how the two results are related."""

    reason: str
    holds: Callable[[Any, Any], bool]


@dataclass
class Exchange:
    """The cases of one file, and the lists of cases that are not compared.

    Args:
        cases: Name → case. A name ends in the form of an argument, after ``=`` or ``:``.
        peer_refuses: Beginning of names → ends of the names whose case raises an error in rsl_rl.
        we_refuse, differs: Pattern of names → the reason, and a function that checks it.
        loose: Pattern of names → tolerance of their values; dtypes and shapes must still agree exactly.
    """

    cases: dict[str, Case]
    peer_refuses: dict[str, str] = field(default_factory=dict)
    we_refuse: dict[str, Refusal] = field(default_factory=dict)
    differs: dict[str, Difference] = field(default_factory=dict)
    loose: dict[str, float] = field(default_factory=dict)

    def check(self, peer: Any, name: str) -> None:
        """Fail unless ours and rsl_rl give the same result in the case ``name``."""
        theirs, error = outcome(peer, self.cases[name])
        listed = name in self.refused_by_peer()
        if torch.__version__.startswith(LISTED_WITH):
            assert error is None or listed, f"rsl_rl refuses {name} ({error!r}): list it, or fix the case"
            assert error is not None or not listed, f"rsl_rl accepts {name}: remove it from the list"
        if error is not None or listed:  # then ours may do anything
            return
        ours, error = outcome(modules, self.cases[name])
        if pattern := first(self.we_refuse, name):
            assert self.we_refuse[pattern].is_wrong(theirs), f"rsl_rl's result is right: {theirs}"
            assert isinstance(error, (TypeError, ValueError)), f"expected a refusal, got {error or ours!r}"
            return
        if error is not None:
            raise AssertionError(f"rsl_rl accepts {name}, ours raises {type(error).__name__}: {error}") from error
        if pattern := first(self.differs, name):
            assert self.differs[pattern].holds(ours, theirs), f"{self.differs[pattern].reason}: {ours} {theirs}"
            return
        assert_same(ours, theirs, **self.tolerance(name))

    def tolerance(self, name: str) -> dict[str, float]:
        pattern = first(self.loose, name)
        return {"rtol": self.loose[pattern], "atol": self.loose[pattern]} if pattern else {}

    def check_lists(self) -> None:
        """Fail if a pattern in the lists matches no case."""
        for pattern in (*self.we_refuse, *self.differs):
            assert any(fnmatchcase(name, pattern) for name in self.cases), f"{pattern} matches no case"
        assert self.refused_by_peer() <= set(self.cases), self.refused_by_peer() - set(self.cases)

    def refused_by_peer(self) -> set[str]:
        return {start + end for start, ends in self.peer_refuses.items() for end in ends.split() or [""]}


def first(patterns: Any, name: str) -> str | None:
    return next((pattern for pattern in patterns if fnmatchcase(name, pattern)), None)


def outcome(package: Any, case: Case) -> tuple[Any, Exception | None]:
    """Return the result of a case, or the exception that it raised."""
    torch.manual_seed(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return case(package), None
    except Exception as error:  # of any kind, because rsl_rl does not check its arguments
        return None, error


def assert_same(ours: Any, theirs: Any, where: str = "result", **tolerance: float) -> None:
    """Fail unless two nested results agree: values within the tolerance of their dtype, everything else exactly."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, torch.Tensor), f"{where}: expected a tensor, got {ours!r}"
        assert facts(ours) == facts(theirs), f"{where}: {facts(ours)}, rsl_rl's {facts(theirs)}"
        torch.testing.assert_close(ours, theirs, equal_nan=True, msg=lambda text: f"{where}: {text}", **tolerance)
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs), where
        for key, value in theirs.items():
            assert_same(ours[key], value, f"{where}[{key!r}]", **tolerance)
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs), where
        for i, value in enumerate(theirs):
            assert_same(ours[i], value, f"{where}[{i}]", **tolerance)
    elif isinstance(theirs, (float, np.floating)):
        assert math.isclose(ours, theirs, rel_tol=1e-5, abs_tol=1e-6), f"{where}: {ours!r}, rsl_rl's {theirs!r}"
    else:
        assert ours == theirs, f"{where}: {ours!r}, rsl_rl's {theirs!r}"


def facts(tensor: torch.Tensor) -> dict[str, Any]:
    return {
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "device": tensor.device.type,
        "requires_grad": tensor.requires_grad,
    }


def state(module: torch.nn.Module) -> dict[str, Any]:
    """Return the contents of a checkpoint of ``module``, and which of its parameters are trained."""
    saved = {key: value.clone() for key, value in module.state_dict().items()}
    return {"saved": saved, "trained": [parameter.requires_grad for parameter in module.parameters()]}


def close(ours: Any, theirs: Any, tolerance: float = 0.02) -> bool:
    """Return whether two results agree roughly, in any dtype."""
    if isinstance(theirs, torch.Tensor):
        return ours.shape == theirs.shape and torch.allclose(ours.double(), theirs.double(), tolerance, tolerance)
    if isinstance(theirs, dict):
        return list(ours) == list(theirs) and all(close(ours[key], theirs[key], tolerance) for key in theirs)
    if isinstance(theirs, (list, tuple)):
        return len(ours) == len(theirs) and all(close(*pair, tolerance) for pair in zip(ours, theirs, strict=True))
    return ours == theirs


def through_a_file(value: Any, weights_only: bool = False) -> Any:
    """Save a module or its state, and load it again."""
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file, weights_only=weights_only)


def steps(*changes: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Return a function that makes several changes to a module, and returns nothing."""

    def change(net: Any) -> None:
        for step in changes:
            step(net)

    return change


class Listed(Sequence):
    """A sequence that is neither a list nor a tuple, like OmegaConf's ListConfig."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = list(values)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]

    def __eq__(self, other: object) -> bool:
        return self.values == list(other)  # type: ignore[call-overload]

    __hash__ = None  # type: ignore[assignment]


class Text(str):
    """A subclass of str, as in some configuration systems."""

    __slots__ = ()


def member(text: str) -> str:
    return enum.Enum("Name", {"MEMBER": text}, type=str).MEMBER


WHOLE = {
    "int": int,
    "float": float,
    "np.int64": np.int64,
    "np.int32": np.int32,
    "np.uint8": np.uint8,
    "np.float32": np.float32,
    "tensor": torch.tensor,
    "tensor-int32": lambda n: torch.tensor(n, dtype=torch.int32),
    "array": np.array,
    "tensor-float": lambda n: torch.tensor(float(n)),
    "tensor-1": lambda n: torch.tensor([n]),
}
REAL = {
    "float": float,
    "np.float32": np.float32,
    "np.float64": np.float64,
    "np.float16": np.float16,
    "tensor": torch.tensor,
    "tensor-double": lambda n: torch.tensor(n, dtype=torch.float64),
    "tensor-1": lambda n: torch.tensor([n]),
    "array": np.array,
    "fraction": fractions.Fraction,
}
ONES = {
    "int": int,
    "bool": bool,
    "np.int64": np.int64,
    "np.bool": np.bool_,
    "tensor-int": lambda n: torch.tensor(int(n)),
    "array-int": lambda n: np.array(int(n)),
}
FLAG = {
    "bool": bool,
    "int": int,
    "float": float,
    "np.bool": np.bool_,
    "np.int64": np.int64,
    "tensor": torch.tensor,
    "array": np.array,
    "tensor-int": lambda flag: torch.tensor(int(flag)),
}
SEQUENCE = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "tensor": torch.tensor,
    "deque": collections.deque,
    "listed": Listed,
    "generator": iter,
    "dict": lambda values: dict.fromkeys(values).keys(),
    "list-of-numpy": lambda values: list(np.array(values)),
    "list-of-tensors": lambda values: list(torch.tensor(values)),
    "list-of-arrays": lambda values: [np.array(value) for value in values],
}
WHOLE_SEQUENCE = SEQUENCE | {
    "Size": torch.Size,
    "range": lambda values: range(values[0], values[-1] + 1),
    "list-of-floats": lambda values: [float(value) for value in values],
}
TEXT_SEQUENCE = {name: SEQUENCE[name] for name in ("list", "tuple", "array", "deque", "listed")}
TEXT = {
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "np.str": np.str_,
    "subclass": Text,
    "enum": member,
}


def argument(prefix: str, function: Any, name: str, table: dict[str, Any], value: Any, label: str = "") -> dict:
    """Make one case for each form in which ``value`` can be passed as the argument ``name``."""
    return {
        f"{prefix} {name}{label}={form}": lambda package, make=make: function(package, **{name: make(value)})
        for form, make in table.items()
    }


def values(prefix: str, function: Any, name: str, candidates: dict[str, Any]) -> dict:
    """Make one case for each named value of the argument ``name``."""
    return {
        f"{prefix} {name}:{label}": lambda package, value=value: function(package, **{name: value})
        for label, value in candidates.items()
    }
