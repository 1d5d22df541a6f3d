"""The base of all explorers: one declares its state, ``compute`` and ``draw``; the rest follows from these."""

from __future__ import annotations

import base64
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:  # Matplotlib and ipywidgets take a second: only who draws needs them
    from matplotlib.figure import Figure

    from .live import Live

S = TypeVar("S")  # state: a frozen dataclass
R = TypeVar("R")  # result of compute


@dataclasses.dataclass(frozen=True)
class Control:
    """What a learner sets: a switch, a number in a range, or one of several choices.

    Attributes:
        label: Short name beside the control, with its unit in brackets where there is one.
        help: One sentence on what it does.
        range: First value, last value and step of a slider.
        choices: What can be chosen, by the words that are shown for it.
        play: Whether a play button can walk through the range.
    """

    label: str
    help: str
    range: tuple[float, float, float] | None = None
    choices: Mapping[str, Any] | None = None
    play: bool = False

    def check(self, name: str, value: Any) -> None:
        """Raise a ValueError that names the control unless ``value`` is allowed."""
        if self.choices is not None:
            if not any(value is choice or value == choice for choice in self.choices.values()):
                allowed = ", ".join(repr(choice) for choice in self.choices.values())
                raise ValueError(f"{name}: expected one of {allowed}; got {value!r}")
        elif self.range is not None:
            first, last, _ = self.range
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not first <= value <= last:
                raise ValueError(f"{name}: expected a number from {first} to {last}, got {value!r}")
        elif not isinstance(value, bool):
            raise ValueError(f"{name}: expected True or False, got {value!r}")

    @property
    def extremes(self) -> tuple[Any, ...]:
        """The ends of the range, every choice, or both positions of the switch."""
        if self.choices is not None:
            return tuple(self.choices.values())
        return self.range[:2] if self.range is not None else (False, True)


def control(
    default: Any,
    label: str,
    help: str,
    *,
    range: tuple[float, float, float] | None = None,
    choices: Mapping[str, Any] | None = None,
    play: bool = False,
) -> Any:
    """Declare a field of a state, with its default and its :class:`Control`."""
    return dataclasses.field(default=default, metadata={"control": Control(label, help, range, choices, play)})


class Explorer(ABC, Generic[S, R]):
    """A picture that follows its controls, live in a notebook, and as a figure without one.

    A subclass gives ``State`` (a frozen dataclass of :func:`control` fields), :meth:`compute`, :meth:`stage`,
    :meth:`draw` and :meth:`describe`. In a notebook an explorer at the end of a cell shows its controls and picture.

    Args:
        ranges: Ranges of controls that depend on the input, by the name of the field.
        state: Values other than the defaults, by the name of the field.

    Attributes:
        controls: The control of each field.
        start: The state it began with.
        state: The present state. :meth:`set` changes it.

    Raises:
        ValueError: A value that its control does not allow.
    """

    State: type[S]
    size: tuple[float, float] = (9.0, 5.4)
    """Width and height of the figure in inches; 100 pixels each."""

    def __init__(self, ranges: Mapping[str, tuple[float, float, float]] | None = None, **state: Any) -> None:
        fields = dataclasses.fields(self.State)  # type: ignore[arg-type]
        self.controls: dict[str, Control] = {field.name: field.metadata["control"] for field in fields}
        for name, new in (ranges or {}).items():
            self.controls[name] = dataclasses.replace(self.controls[name], range=new)
        self.start = self.state = self._changed(self.State(), state)

    @abstractmethod
    def compute(self, state: S) -> R:
        """Work out the numbers that the picture at ``state`` shows; no drawing."""

    @abstractmethod
    def stage(self, figure: Figure) -> Any:
        """Lay out the axes of an empty figure and return the artists that :meth:`draw` moves."""

    @abstractmethod
    def draw(self, artists: Any, result: R) -> None:
        """Move the artists to a result; no computing, no new artists."""

    @abstractmethod
    def describe(self, result: R) -> str:
        """Say in a sentence or two what the picture shows, with rounded numbers: caption and alternative text."""

    def at(self, **changes: Any) -> S:
        """Return the present state with ``changes``, checked; nothing moves."""
        return self._changed(self.state, changes)

    def set(self, **changes: Any) -> None:
        """Go to another state. If that fails, everything stays as it was."""
        state = self.at(**changes)
        if "live" in self.__dict__:
            self.live.show(state)
        else:
            self.compute(state)
        self.state = state

    def render(self, **changes: Any) -> Figure:
        """Return a new figure of the present state, or of that with ``changes``; it needs no kernel and no browser."""
        from .picture import new_figure

        figure = new_figure(self.size)
        self.draw(self.stage(figure), self.compute(self.at(**changes)))
        return figure

    def sweep(self) -> str:
        """Draw the picture at every corner of the state space, one control at a time; raises where one fails."""
        corners = list(self.corners())
        try:
            for state in corners:
                self.live.show(state)  # the controls too: some bugs are only there
        finally:
            self.live.show(self.state)
        return f"{type(self).__name__}: {len(corners)} pictures drawn"

    def corners(self) -> Iterator[S]:
        """Yield the default state with each control in turn at its extremes, and all controls at both ends together."""
        start = self.start
        for name, control in self.controls.items():
            yield from (self._changed(start, {name: value}) for value in control.extremes)
        for end in (0, -1):
            yield self._changed(start, {name: control.extremes[end] for name, control in self.controls.items()})

    @cached_property
    def live(self) -> Live:
        """The widget: controls above a picture."""
        from .live import Live

        return Live(self)

    def _changed(self, state: S, changes: Mapping[str, Any]) -> S:
        for name, value in changes.items():
            if name not in self.controls:
                raise ValueError(f"{name}: expected one of the controls {', '.join(self.controls)}")
            self.controls[name].check(name, value)
        return dataclasses.replace(state, **changes)  # type: ignore[type-var, no-any-return, unused-ignore]

    def __repr__(self) -> str:
        """The sentence of the present state: what nbval compares."""
        return f"{type(self).__name__}: {self.describe(self.compute(self.state))}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle = dict(self.live._repr_mimebundle_(**kwargs) or {})
        return bundle | {  # for nbval, and for who reads the notebook without a kernel
            "text/plain": repr(self),
            "image/png": base64.b64encode(self.live.picture.data).decode(),
        }
