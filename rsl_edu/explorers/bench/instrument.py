"""What an explorer declares, and the one place where its state changes; how it is shown is the business of others."""

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
"""Returns a tensor of random numbers; its arguments are the shape."""
_SETTLED = ("__init__", "compute", "stage", "draw", "mark", "title", "describe", "numbers", "spots", "grips")
"""Methods of a subclass that run under torch's and NumPy's usual settings."""


def cached(most: int) -> Callable[[C], C]:
    """Let a method keep its last ``most`` results, separately for each object that has it."""

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
    """Something that shows an instrument."""

    def refresh(self) -> None:
        """Show the instrument as it is now; raises if that fails."""


class Instrument(ABC, Generic[S, R]):
    """A state that controls can set, what is computed from it, and how that is drawn and described.

    Args:
        ranges: Ranges of controls that depend on the input, by the name of the field.
        step_values: Steps of controls that depend on the input, by the name of the field.
        fixed: Values of fields that cannot be set on this input, by the name of the field.
        defaults: Defaults that depend on the input, by the name of the field.
        state: Values to begin with, by the name of the field.

    Attributes:
        default: The state on this input where nothing else is asked for.
        start: The state to begin with, and to :meth:`reset` to.
        pinned: The state to compare with, or None.
        guess: The number that the learner predicted, or None.
        answers: All that the learner predicted, in words, by the question.
        lock: Held while something changes: ipykernel runs the callbacks of widgets in threads.

    Raises:
        ValueError: A value that its control does not allow.
    """

    State: type[S]
    size: ClassVar[tuple[float, float]] = (9.0, 5.4)
    """Width and height of the figure in inches; 100 pixels each."""
    swept: ClassVar[tuple[Grid, ...]] = ()
    """What a page without a kernel holds, all combinations of each grid; those of the first control by default."""
    question: ClassVar[Control | None] = None
    """What :meth:`predict` asks for."""
    questions: tuple[Question, ...] = ()
    """What a :class:`.Quiz` asks before the picture is shown; an explorer of a learner's own data sets it to none, as
    the answers are those of the course's data."""
    more: ClassVar[tuple[str, ...]] = ()
    """Labels of the axes that are shown only when asked for."""
    autoplay: ClassVar[str] = ""
    """The control that plays by itself as soon as the picture is seen, or nothing."""
    lesson: ClassVar[int] = 0
    """The lesson that it belongs to."""
    shows: ClassVar[str] = ""
    """What it shows, in a few words for a table."""
    breaks: ClassVar[str] = ""
    """The mistakes that its controls can make, in a few words for a table."""

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
        """Let what a subclass gives run under torch's and NumPy's usual settings, whatever the learner has set."""
        super().__init_subclass__(**named)
        for name in _SETTLED:
            if name in vars(cls):
                setattr(cls, name, under_usual_settings(vars(cls)[name]))

    # What a subclass gives

    @abstractmethod
    def compute(self, state: S) -> R:
        """Work out the numbers that the picture at ``state`` shows; from nothing but ``state`` and the input."""

    @abstractmethod
    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out the axes of an empty figure and return the artists that :meth:`draw` moves.

        Axes with one label (``axes.set_label``) are one panel, which a narrow page shows apart from the others.
        Lines and stairs in this dictionary, or in a list in it, leave ghosts when states are compared; those in a
        dictionary in it do not. A line under the name ``guess`` is the base's: it goes to where :meth:`mark` says, with
        words next to it. Text that rarely changes is drawn faster with ``gid="ground"``.
        """

    @abstractmethod
    def draw(self, artists: dict[str, Any], result: R) -> None:
        """Move the artists to a result; no computing, no new artists."""

    @abstractmethod
    def describe(self, result: R) -> str:
        """Say in a sentence or two what the picture shows, with rounded numbers: caption and alternative text."""

    def title(self, result: R) -> str:
        """Say in one short sentence what is to be learned from the picture as it is now."""
        return ""

    def spots(self, result: R) -> Sequence[Spot]:
        """Return what can be pointed at in the picture, with its numbers and their arithmetic."""
        return ()

    def grips(self, result: R) -> Sequence[Grip]:
        """Return what can be dragged in the picture."""
        return ()

    def mark(self, result: R, guess: float) -> tuple[Any, Any]:
        """Return x and y of the learner's guess in the picture of a result; needed where there is a question."""
        raise NotImplementedError(f"{type(self).__name__}.mark: says where in the picture a guess is drawn")

    def numbers(self, result: R) -> dict[str, str]:
        """Return the numbers to print beside the picture, rounded, by their names; the same names at every state."""
        return {}

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return a little input as a learner might bring it, for tests; nothing if the constructor takes none.

        Args:
            draw: Draws standard normal numbers of a shape.
        """
        return ()

    # States

    @property
    def controls(self) -> Mapping[str, Control]:
        """The control of each field of the state that can be set."""
        return self._space.controls

    @classmethod
    def from_state(cls: type[Own], state: str, *data: Any) -> Own:
        """Restore an explorer from what :attr:`state` gave, on the same input (``data``: as for the constructor)."""
        return cls(*data, **Space.read(state, cls.__name__))

    @property
    def state(self) -> str:
        """The present state as text, to share and to restore with :meth:`from_state`."""
        return self.write(self._state)

    def write(self, state: S) -> str:
        """Return a state as text, as :attr:`state` does."""
        return self._space.write(type(self).__name__, self.values(state))

    def values(self, state: S) -> dict[str, Any]:
        """Return what the controls are set to in a state, by their names."""
        return self._space.values(state)

    def at(self, **changes: Any) -> S:
        """Return the present state with ``changes``, checked; nothing moves."""
        return self._space.changed(self._state, changes)

    def corners(self) -> Iterator[S]:
        """Yield the first state with each control in turn at its extremes, and all controls at both ends together."""
        return self._space.corners(self.start)

    def grid(self, most: int = 100) -> Iterator[S]:
        """Yield states from all over: 5 positions of each slider, all choices; ``most`` of these, by a fixed rule."""
        return self._space.grid(self.start, most)

    # Changes

    def set(self, **changes: Any) -> None:
        """Go to another state. If that fails, everything stays as it was."""
        self.go(self.at(**changes))

    def go(self, state: S) -> None:
        """Go to a state such as :meth:`at` gives. If that fails, everything stays as it was."""
        self._change(_state=state)

    def reset(self) -> None:
        """Go back to the state it began with; nothing is compared any more."""
        self._change(_state=self.start, pinned=None)

    def compare(self, on: bool = True) -> None:
        """Pin the present curves and numbers behind the next ones, or (False) take them away."""
        self._change(pinned=self._state if on else None)

    def predict(self, guess: float | str, asked: str = "") -> None:
        """Record a guess, which then stands beside the truth.

        Args:
            guess: The number that :attr:`question` asks for, to be drawn; or words, to be written under the picture.
            asked: The question that the words answer; needed for words.

        Raises:
            ValueError: A number that :attr:`question` does not allow; the guess before stays.
        """
        if isinstance(guess, str) and asked:
            self._change(answers={**self.answers, asked: guess})
            return
        if self.question is None:
            raise ValueError(f"{type(self).__name__} asks for no prediction")
        self.question.check("guess", guess)
        words = f"{guess:g} {self.question.unit}".rstrip()
        self._change(guess=guess, answers={**self.answers, asked or self.question.help: words})

    def _change(self, **values: Any) -> None:
        """Set attributes and show what comes of them; if that fails, set them back. All changes go through here."""
        with self.lock:
            before = {name: getattr(self, name) for name in values}
            vars(self).update(values)
            try:
                if not self._views:
                    self.compute(self._state)  # so that a state that does not work is refused
                for view in self._views:
                    view.refresh()
            except Exception:
                vars(self).update(before)
                raise
