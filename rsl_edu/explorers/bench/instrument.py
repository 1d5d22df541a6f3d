"""The declarations and the state of an explorer, without its display. Only this module changes the state."""

from __future__ import annotations

import functools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from .controls import Control, Grid, Space
from .usual_settings import under_usual_settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .question import Question
    from .touch import Grip, Spot

Own = TypeVar("Own", bound="Instrument[Any, Any]")
S = TypeVar("S")  # state: a frozen dataclass
R = TypeVar("R")  # result of compute
C = TypeVar("C", bound=Callable[..., Any])
Draw = Callable[..., Any]
"""A function that gets a shape and returns a tensor of random numbers."""
_SETTLED = ("__init__", "compute", "stage", "draw", "mark", "title", "describe", "numbers", "spots", "grips")
"""Methods of subclasses that run under the usual settings of torch and NumPy."""


def cached(most: int) -> Callable[[C], C]:
    """Cache the ``most`` latest results of a method, separately for each object."""

    def decorate(method: C) -> C:
        name = f"_results_of_{method.__qualname__}"

        @functools.wraps(method)
        def call(self: Any, *arguments: Any) -> Any:
            if name not in vars(self):
                vars(self)[name] = functools.lru_cache(most)(functools.partial(method, self))
            return vars(self)[name](*arguments)

        return call  # type: ignore[return-value]

    return decorate


class View(Protocol):
    """A display of an instrument."""

    def refresh(self) -> None:
        """Show the current state of the instrument, and raise an error if that fails."""


class Instrument(ABC, Generic[S, R]):
    """A state set by controls, the result computed from this state, and a drawing and a description of the result.

    Args:
        ranges: Ranges of controls that depend on the input, by field name.
        step_values: Steps of controls that depend on the input, by field name.
        fixed: Values of fields that cannot be set for this input, by field name.
        defaults: Defaults that depend on the input, by field name.
        state: Initial values, by field name.

    Attributes:
        default: The default state for this input.
        start: The initial state, to which :meth:`reset` returns.
        pinned: The state to compare with, or None.
        guess: The number that the learner predicted, or None.
        answers: All predictions of the learner as text, by question.
        lock: Lock for every change of the state, because ipykernel runs the callbacks of widgets in threads.

    Raises:
        ValueError: A control does not allow a value.
    """

    State: type[S]
    size: ClassVar[tuple[float, float]] = (9.0, 5.4)
    """Width and height of the figure in inches, at 100 pixels per inch."""
    swept: ClassVar[tuple[Grid, ...]] = ()
    """Grids of control values. A page without a kernel can show all combinations of the values in each grid.
    By default, it can show all values of the first control."""
    question: ClassVar[Control | None] = None
    """The number that a learner can predict with :meth:`predict`, or None."""
    questions: tuple[Question, ...] = ()
    """Questions for a :class:`.Quiz`. An explorer with a learner's own data has no questions, because the
    answers depend on the course's data."""
    more: ClassVar[tuple[str, ...]] = ()
    """Labels of the axes that are shown only on request."""
    autoplay: ClassVar[str] = ""
    """Name of the control that starts to play as soon as the picture is visible; empty if there is none."""
    lesson: ClassVar[int] = 0
    """Number of the lesson that uses the explorer."""
    shows: ClassVar[str] = ""
    """What the explorer shows, in a few words for a table."""
    breaks: ClassVar[str] = ""
    """The mistakes that can be tried with the controls, in a few words for a table."""

    def __init__(
        self,
        *,
        ranges: Mapping[str, tuple[float, float, float]] | None = None,
        step_values: Mapping[str, tuple[float, ...]] | None = None,
        fixed: Mapping[str, Any] | None = None,
        defaults: Mapping[str, Any] | None = None,
        **state: Any,
    ) -> None:
        self._space = Space(self.State, ranges, step_values, fixed)
        self.default: S = self._space.changed(self._space.first, defaults or {})
        self.start: S = self._space.changed(self.default, state)
        self._state = self.start
        self.pinned: S | None = None
        self.guess: float | None = None
        self.answers: dict[str, str] = {}
        self._views: list[View] = []
        self.lock = threading.RLock()

    def __init_subclass__(cls, **named: Any) -> None:
        """Run the methods of a subclass under the usual settings of torch and NumPy, not the learner's settings."""
        super().__init_subclass__(**named)
        for name in _SETTLED:
            if name in vars(cls):
                setattr(cls, name, under_usual_settings(vars(cls)[name]))

    # Methods of subclasses

    @abstractmethod
    def compute(self, state: S) -> R:
        """Compute the numbers that the picture shows. They depend only on ``state`` and on the explorer's input."""

    @abstractmethod
    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out the axes of an empty figure and return the artists that :meth:`draw` updates.

        Axes with the same label (``axes.set_label``) form a panel; a narrow page shows the panels separately. While a
        state is pinned for comparison, pale copies of its curves stay in the picture. Curves are lines and stairs that
        are in the returned dictionary, or in a list in this dictionary. Curves in a nested dictionary are not copied.
        The base class places the line named ``guess``, with a label, at the position that :meth:`mark` returns. Text
        that rarely changes is drawn faster with ``gid="ground"``.
        """

    @abstractmethod
    def draw(self, artists: dict[str, Any], result: R) -> None:
        """Update the artists to show a result. This must not compute anything and must not create artists."""

    @abstractmethod
    def describe(self, result: R) -> str:
        """Return the caption and alternative text: what the picture shows, in a few sentences with rounded numbers."""

    def title(self, result: R) -> str:
        """Return the main point of the current picture, in one short sentence."""
        return ""

    def spots(self, result: R) -> Sequence[Spot]:
        """Return the hover targets of the picture, with their numbers and calculations."""
        return ()

    def grips(self, result: R) -> Sequence[Grip]:
        """Return the handles of the picture to drag."""
        return ()

    def mark(self, result: R, guess: float) -> tuple[Any, Any]:
        """Return x and y of the learner's guess in the picture of a result. Required if :attr:`question` is set."""
        raise NotImplementedError(f"{type(self).__name__}.mark: must return where in the picture a guess is drawn")

    def numbers(self, result: R) -> dict[str, str]:
        """Return the rounded numbers below the picture, by name. The names are the same in all states."""
        return {}

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return a small input for tests, of the same kind as a learner's own; empty if the constructor takes no input.

        Args:
            draw: Function that gets a shape and returns standard normal numbers.
        """
        return ()

    # States

    @property
    def controls(self) -> Mapping[str, Control]:
        """The control of each field of the state that can be set."""
        return self._space.controls

    @classmethod
    def from_state(cls: type[Own], state: str, *data: Any) -> Own:
        """Restore an explorer from its :attr:`state` and the same input; ``data`` as for the constructor."""
        return cls(*data, **Space.read(state, cls.__name__))

    @property
    def state(self) -> str:
        """The current state as text, to share and to restore with :meth:`from_state`."""
        return self.write(self._state)

    def write(self, state: S) -> str:
        """Return a state as text, in the form of :attr:`state`."""
        return self._space.write(type(self).__name__, self.values(state))

    def values(self, state: S) -> dict[str, Any]:
        """Return the values of the controls in a state, by name."""
        return self._space.values(state)

    def at(self, **changes: Any) -> S:
        """Check ``changes``, and return the current state with them. The explorer does not change."""
        return self._space.changed(self._state, changes)

    def corners(self) -> Iterator[S]:
        """Yield the initial state, first with one control at a time at its extremes, then with all controls."""
        return self._space.corners(self.start)

    def grid(self, most: int = 100) -> Iterator[S]:
        """Yield at most ``most`` combinations of all choices and 5 positions per slider, the same ones in every run."""
        return self._space.grid(self.start, most)

    # Changes

    def set(self, **changes: Any) -> None:
        """Set some controls to new values. If one value is invalid or cannot be shown, nothing changes."""
        self.go(self.at(**changes))

    def go(self, state: S) -> None:
        """Go to a state, for example a state that :meth:`at` returned. If that fails, nothing changes."""
        self._change(_state=state)

    def reset(self) -> None:
        """Go back to the initial state and end a comparison."""
        self._change(_state=self.start, pinned=None)

    def compare(self, on: bool = True) -> None:
        """Pin the current curves and numbers, so that they are shown with later ones; with False, unpin them."""
        self._change(pinned=self._state if on else None)

    def predict(self, guess: float | str, asked: str = "") -> None:
        """Record the learner's guess, which is then shown next to the true value.

        Args:
            guess: A number for :attr:`question`, which is drawn in the picture, or text, which is written below it.
            asked: The question that the guess answers; required if the guess is text.

        Raises:
            ValueError: The number is not allowed by :attr:`question`. The previous guess is kept.
        """
        if isinstance(guess, str) and asked:
            self._change(answers={**self.answers, asked: guess})
            return
        if self.question is None:
            raise ValueError(f"{type(self).__name__} has no number to predict")
        self.question.check("guess", guess)
        words = f"{guess:g} {self.question.unit}".rstrip()
        self._change(guess=guess, answers={**self.answers, asked or self.question.help: words})

    def _change(self, **values: Any) -> None:
        """Set attributes and refresh all views. If that fails, restore the attributes. Every change is made here."""
        with self.lock:
            before = {name: getattr(self, name) for name in values}
            vars(self).update(values)
            try:
                if not self._views:
                    self.compute(self._state)  # raises an error for an invalid state
                for view in self._views:
                    view.refresh()
            except Exception:
                vars(self).update(before)
                raise
