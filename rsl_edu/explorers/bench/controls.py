"""The controls that a learner can set, their labels, and the set of all states that the controls can produce."""

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
"""Names that a control cannot have, because the constructor or ``render`` has an argument with this name."""
Grid = Mapping[str, Any]
"""For each control of a grid: how many positions to use, or which positions; ``...`` means all positions."""


@dataclasses.dataclass(frozen=True)
class Control:
    """A switch, a slider over a range, a slider over given steps, or a choice.

    Attributes:
        label: Short name next to the control.
        help: One sentence about what the control does, shown as a tooltip.
        unit: Unit of the number, if any.
        range: First value, last value and step of a slider.
        steps: Values of a slider that are not evenly spaced, in ascending order.
        choices: The possible values. The keys are the texts that the control shows for them.
        play: Whether the slider has a play button.
        group: Heading above the control; neighbouring controls of the same group share one heading.
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
        """Return ``value`` in the control's own type, or raise a ValueError that names the control."""
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
        """Return all values that can be set; for a slider, at most ``most`` values, including both ends."""
        if self.choices is not None:
            return tuple(self.choices.values())
        if self.steps is not None:
            return tuple(self.steps[i] for i in _spread(len(self.steps), most))
        if self.range is not None:
            first, last, step = self.range
            count = int((last - first) / step + 1e-9) + 1
            return tuple(round(first + i * step, 10) for i in _spread(count, most))  # integers stay integers
        return (False, True)

    def word(self, value: Any) -> str:
        """Return a value as text, as the control shows it."""
        if self.choices is not None:
            return next(words for words, choice in self.choices.items() if choice == value)
        if isinstance(value, bool):
            return "on" if value else "off"
        return f"{value:g}".replace("-", "−")

    @property
    def kind(self) -> str:
        """The kind of control, one of ``"switch"``, ``"slider"`` and ``"choice"``."""
        if self.choices is not None:
            return "choice"
        return "switch" if self.range is None and self.steps is None else "slider"

    @property
    def whole(self) -> bool:
        """Whether the control is a slider over whole numbers."""
        return self.range is not None and all(isinstance(end, int) for end in self.range)

    @property
    def words(self) -> str:
        """The label, with the unit in brackets if there is one."""
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
    """Declare a field of a state with its default and its :class:`Control`."""
    declared = Control(label, help, unit, range, steps, choices, play, group)
    return dataclasses.field(default=default, metadata={"control": declared})


def _spread(count: int, most: int | None) -> list[int]:
    """Return at most ``most`` integers below ``count``, evenly spaced from the first to the last."""
    if most is None or count <= most:
        return list(range(count))
    return [i * (count - 1) // max(1, most - 1) for i in range(most)]


class Space(Generic[S]):
    """All states that the controls of a state class can produce.

    Args:
        kind: A frozen dataclass of :func:`control` fields.
        ranges: Ranges that replace the declared ranges, by field name.
        steps: Steps that replace the declared steps, by field name.
        fixed: Values of fields that are not controls here, by field name.

    Attributes:
        controls: The control of each field that can be set.
        first: The state with all defaults.
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
                raise TypeError(f"{kind.__name__}.{name}: declare it with control(...)")
            if name in RESERVED:
                raise TypeError(f"{kind.__name__}.{name}: an argument has this name; choose a different name")
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
        """Return the value of each control in ``state``, by name."""
        return {name: getattr(state, name) for name in self.controls}

    def changed(self, state: S, changes: Mapping[str, Any]) -> S:
        """Check ``changes``, and return ``state`` with them."""
        for name in changes:
            if name not in self.controls:
                raise ValueError(f"{name}: expected one of the controls {', '.join(self.controls)}")
        changes = {name: self.controls[name].check(name, value) for name, value in changes.items()}
        return dataclasses.replace(state, **changes)  # type: ignore[type-var, no-any-return, unused-ignore]

    def product(self, start: S, values: Mapping[str, Sequence[Any]]) -> Iterator[S]:
        """Yield ``start`` once for each combination of ``values``."""
        for combination in itertools.product(*values.values()):
            yield self.changed(start, dict(zip(values, combination, strict=True)))

    def states(self, start: S, grids: Sequence[Grid]) -> list[S]:
        """Return all states of the grids without duplicates. The values of each control include its value in ``start``.

        Controls and values that do not exist for this input are left out.
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
        return chosen if present in chosen else sorted([*chosen, present])  # may be between two positions

    def corners(self, start: S) -> Iterator[S]:
        """Yield ``start`` with one control at a time at its extremes, and then with all controls at their extremes."""
        ends = {name: control.positions(2) for name, control in self.controls.items()}
        for name, values in ends.items():
            yield from (self.changed(start, {name: value}) for value in values)
        for end in (0, -1):
            yield self.changed(start, {name: values[end] for name, values in ends.items()})

    def grid(self, start: S, most: int) -> Iterator[S]:
        """Yield at most ``most`` combinations of all choices and 5 positions per slider, the same ones in every run."""
        axes = [control.positions(5) for control in self.controls.values()]
        total = math.prod(map(len, axes))
        kept = set(random.Random(0).sample(range(total), min(total, most)))
        for i, values in enumerate(itertools.product(*axes)):
            if i in kept:
                yield self.changed(start, dict(zip(self.controls, values, strict=True)))

    @staticmethod
    def write(name: str, values: Mapping[str, Any]) -> str:
        """Return values as text, in the form ``name(field=value, …)``."""
        return f"{name}({', '.join(f'{field}={value!r}' for field, value in values.items())})"

    @staticmethod
    def read(text: str, name: str) -> dict[str, Any]:
        """Return the values written by :meth:`write`, without executing the text."""
        try:
            call = ast.parse(text.strip(), mode="eval").body
            if not isinstance(call, ast.Call) or ast.unparse(call.func) != name or call.args:
                raise ValueError
            if any(keyword.arg is None for keyword in call.keywords):  # name(**{...})
                raise ValueError
            return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
        except (AttributeError, SyntaxError, ValueError):
            raise ValueError(f"state: expected the text {name}(field=value, ...), got {text!r}") from None
