"""The controls that a learner can set, each with its words, and the states that they span."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

S = TypeVar("S")  # state: a frozen dataclass of controls
RESERVED = {"self", "ranges", "step_values", "fixed", "defaults", "dark"}
"""Names of arguments beside which the constructor and ``render`` take those of the controls."""
Grid = Mapping[str, Any]
"""For each control that moves: how many of its positions, or which; ``...``: all."""


@dataclasses.dataclass(frozen=True)
class Control:
    """A switch, a slider over a range, a slider over given steps, or one of several choices.

    Attributes:
        label: Short name beside the control.
        help: One sentence on what it does, shown as its tooltip.
        unit: Unit of the number, if it has one.
        range: First value, last value and step of a slider.
        steps: Values of a slider that are not evenly spaced, from the least to the greatest.
        choices: What can be chosen, by the words that are shown for it.
        play: Whether a play button can walk through the slider.
        group: Heading that it stands under, with its neighbours of the same group.
    """

    label: str
    help: str
    unit: str = ""
    range: tuple[float, float, float] | None = None
    steps: tuple[float, ...] | None = None
    choices: Mapping[str, Any] | None = None
    play: bool = False
    group: str = ""

    def check(self, name: str, value: Any) -> Any:
        """Return ``value`` as the control has it, or raise a ValueError that names the control if it is not allowed."""
        if hasattr(value, "__array__"):
            array = np.asarray(value)
            value = array.item() if array.ndim == 0 else array.tolist()
        if self.range is not None:
            first, last, _ = self.range
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not first <= value <= last:
                raise ValueError(f"{name}: expected a number from {first} to {last}, got {value!r}")
            if not self.whole:
                return value
            if value != int(value):
                raise ValueError(f"{name}: expected a whole number from {first} to {last}, got {value!r}")
            return int(value)
        if self.choices is not None or self.steps is not None:
            allowed = self.positions()
            for each in allowed:
                if value == each and isinstance(value, bool) == isinstance(each, bool):
                    return each
            raise ValueError(f"{name}: expected one of {', '.join(map(repr, allowed))}; got {value!r}")
        if not isinstance(value, bool):
            raise ValueError(f"{name}: expected True or False, got {value!r}")
        return value

    def positions(self, most: int | None = None) -> tuple[Any, ...]:
        """Return every value that can be set, or ``most`` values of a slider, its ends among them."""
        if self.choices is not None:
            return tuple(self.choices.values())
        if self.steps is not None:
            return tuple(self.steps[i] for i in _spread(len(self.steps), most))
        if self.range is not None:
            first, last, step = self.range
            count = int((last - first) / step + 1e-9) + 1
            return tuple(round(first + i * step, 10) for i in _spread(count, most))  # of whole numbers: whole
        return (False, True)

    def word(self, value: Any) -> str:
        """Return a value as the control shows it."""
        if self.choices is not None:
            return next(words for words, choice in self.choices.items() if choice == value)
        if isinstance(value, bool):
            return "on" if value else "off"
        return f"{value:g}".replace("-", "−")

    @property
    def kind(self) -> str:
        """Its look, which is one of ``"switch"``, ``"slider"`` and ``"choice"``."""
        if self.choices is not None:
            return "choice"
        return "switch" if self.range is None and self.steps is None else "slider"

    @property
    def whole(self) -> bool:
        """Whether it is a slider over whole numbers."""
        return self.range is not None and all(isinstance(end, int) for end in self.range)

    @property
    def words(self) -> str:
        """The label, with its unit in brackets where there is one."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def control(
    default: Any,
    label: str,
    help: str,
    *,
    unit: str = "",
    range: tuple[float, float, float] | None = None,
    steps: tuple[float, ...] | None = None,
    choices: Mapping[str, Any] | None = None,
    play: bool = False,
    group: str = "",
) -> Any:
    """Declare a field of a state, with its default and its :class:`Control`."""
    declared = Control(label, help, unit, range, steps, choices, play, group)
    return dataclasses.field(default=default, metadata={"control": declared})


def _spread(count: int, most: int | None) -> list[int]:
    """Return the numbers below ``count``, or ``most`` of them, evenly, from the first to the last."""
    if most is None or count <= most:
        return list(range(count))
    return [i * (count - 1) // max(1, most - 1) for i in range(most)]


class Space(Generic[S]):
    """The states that the controls of a state class span.

    Args:
        kind: A frozen dataclass of :func:`control` fields.
        ranges: Ranges that differ from the declared ones, by the name of the field.
        steps: Steps that differ from the declared ones, by the name of the field.
        fixed: Values of fields that are not controls here, by the name of the field.

    Attributes:
        controls: The control of each field that can be set.
        first: The state of all defaults.
    """

    def __init__(
        self,
        kind: type[S],
        ranges: Mapping[str, tuple[float, float, float]] | None = None,
        steps: Mapping[str, tuple[float, ...]] | None = None,
        fixed: Mapping[str, Any] | None = None,
    ) -> None:
        fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
        for name, field in fields.items():
            if "control" not in field.metadata:
                raise TypeError(f"{kind.__name__}.{name}: declare it by control(...)")
            if name in RESERVED:
                raise TypeError(f"{kind.__name__}.{name}: an argument has this name; choose another")
        for name in (*(ranges or {}), *(steps or {}), *(fixed or {})):
            if name not in fields:
                raise ValueError(f"{name}: expected one of the fields {', '.join(fields)} of {kind.__name__}")
        declared = {name: field.metadata["control"] for name, field in fields.items() if name not in (fixed or {})}
        for name, own in (ranges or {}).items():
            declared[name] = dataclasses.replace(declared[name], range=own)
        for name, values in (steps or {}).items():
            declared[name] = dataclasses.replace(declared[name], steps=values)
        self.controls: dict[str, Control] = declared
        self.first: S = kind(**(fixed or {}))

    def values(self, state: S) -> dict[str, Any]:
        """Return what the controls are set to in ``state``."""
        return {name: getattr(state, name) for name in self.controls}

    def changed(self, state: S, changes: Mapping[str, Any]) -> S:
        """Return ``state`` with ``changes``, checked."""
        for name in changes:
            if name not in self.controls:
                raise ValueError(f"{name}: expected one of the controls {', '.join(self.controls)}")
        changes = {name: self.controls[name].check(name, value) for name, value in changes.items()}
        return dataclasses.replace(state, **changes)  # type: ignore[type-var, no-any-return, unused-ignore]

    def product(self, start: S, values: Mapping[str, Sequence[Any]]) -> Iterator[S]:
        """Yield ``start`` with every combination of ``values``."""
        for combination in itertools.product(*values.values()):
            yield self.changed(start, dict(zip(values, combination, strict=True)))

    def states(self, start: S, grids: Sequence[Grid]) -> list[S]:
        """Return all states of the grids, none twice, the value of ``start`` among those of each control.

        Controls and values that there are not on this input are left out.
        """
        found: dict[S, None] = {}
        for grid in grids:
            here = {name: wanted for name, wanted in grid.items() if name in self.controls}
            values = {name: self._axis(name, wanted, getattr(start, name)) for name, wanted in here.items()}
            found |= dict.fromkeys(self.product(start, values))
        return list(found)

    def _axis(self, name: str, wanted: Any, present: Any) -> list[Any]:
        positions = self.controls[name].positions()
        if isinstance(wanted, int):
            wanted = self.controls[name].positions(wanted)
        chosen = [value for value in positions if wanted is ... or value in wanted or value == present]
        return chosen if present in chosen else sorted([*chosen, present])  # a slider may stand between two positions

    def corners(self, start: S) -> Iterator[S]:
        """Yield ``start`` with each control in turn at its extremes, and all controls at both ends together."""
        ends = {name: control.positions(2) for name, control in self.controls.items()}
        for name, values in ends.items():
            yield from (self.changed(start, {name: value}) for value in values)
        for end in (0, -1):
            yield self.changed(start, {name: values[end] for name, values in ends.items()})

    def grid(self, start: S, most: int) -> Iterator[S]:
        """Yield up to ``most`` of all combinations of choices and of 5 positions of each slider, always the same."""
        axes = [control.positions(5) for control in self.controls.values()]
        total = math.prod(map(len, axes))
        kept = set(random.Random(0).sample(range(total), min(total, most)))
        for i, values in enumerate(itertools.product(*axes)):
            if i in kept:
                yield self.changed(start, dict(zip(self.controls, values, strict=True)))

    @staticmethod
    def write(name: str, values: Mapping[str, Any]) -> str:
        """Return values as the text ``name(field=value, …)``."""
        return f"{name}({', '.join(f'{field}={value!r}' for field, value in values.items())})"

    @staticmethod
    def read(text: str, name: str) -> dict[str, Any]:
        """Return the values that :meth:`write` wrote; nothing in the text is executed."""
        try:
            call = ast.parse(text.strip(), mode="eval").body
            if not isinstance(call, ast.Call) or ast.unparse(call.func) != name or call.args:
                raise ValueError
            if any(keyword.arg is None for keyword in call.keywords):  # name(**{...})
                raise ValueError
            return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
        except (AttributeError, SyntaxError, ValueError):
            raise ValueError(f"state: expected the text {name}(field=value, ...), got {text!r}") from None
