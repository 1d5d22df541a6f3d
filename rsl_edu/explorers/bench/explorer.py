"""The base of all explorers: one declares its state, ``compute`` and a drawing; the rest follows from these."""

from __future__ import annotations

import base64
import dataclasses
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from .controls import Control, Grid, Space

if TYPE_CHECKING:  # Matplotlib and ipywidgets take a second: only who draws needs them
    from pathlib import Path

    from matplotlib.figure import Figure

    from .widget import Live

E = TypeVar("E", bound="Explorer[Any, Any]")
S = TypeVar("S")  # state: a frozen dataclass
R = TypeVar("R")  # result of compute


@dataclasses.dataclass(frozen=True)
class Frame:
    """A picture with everything that is shown with it: what a page without a kernel needs of one state.

    Attributes:
        state: The state.
        caption: What the picture shows, in words.
        numbers: What is printed beside it.
        ground: The picture's frame, ticks and words, in SVG: many states share it.
        moving: What lies over it, in SVG.
    """

    state: Any
    caption: str
    numbers: Mapping[str, str]
    ground: str
    moving: str

    @property
    def svg(self) -> str:
        """The whole picture."""
        return f"{self.ground}{self.moving}</svg>"


def in_a_page() -> bool:
    """Return whether what is shown now goes into a page, where no kernel will answer: the book's kernels say so."""
    return bool(os.environ.get("RSL_EDU_BOOK"))


class Explorer(ABC, Generic[S, R]):
    """A picture that follows its controls: live in a notebook, as a figure, or frame by frame.

    A subclass gives ``State`` (a frozen dataclass of :func:`.control` fields), :meth:`compute`, :meth:`stage`,
    :meth:`draw`, :meth:`describe` and :meth:`numbers`. In a notebook, an explorer at the end of a cell shows itself.

    Args:
        ranges: Ranges of controls that depend on the input, by the name of the field.
        defaults: Defaults that depend on the input, by the name of the field.
        state: Values to begin with, by the name of the field.

    Attributes:
        default: The state on this input where nothing else is asked for.
        start: The state to begin with, and to :meth:`reset` to.
        pinned: The state to compare with, or None.
        guess: The number that the learner predicted, or None.
        answers: All that the learner predicted, in words, by the question.

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

    def __init__(
        self,
        ranges: Mapping[str, tuple[float, float, float]] | None = None,
        defaults: Mapping[str, Any] | None = None,
        **state: Any,
    ) -> None:
        self._space = Space(self.State, ranges or {})
        self.default: S = self._space.changed(self.State(), defaults or {})
        self.start: S = self._space.changed(self.default, state)
        self._state = self.start
        self.pinned: S | None = None
        self.guess: float | None = None
        self.answers: dict[str, str] = {}

    @abstractmethod
    def compute(self, state: S) -> R:
        """Work out the numbers that the picture at ``state`` shows; no drawing."""

    @abstractmethod
    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out the axes of an empty figure and return the artists that :meth:`draw` moves.

        Lines and stairs in this dictionary, or in a list in it, leave ghosts when states are compared; those under the
        name ``guess``, or in a dictionary in it, do not.
        """

    @abstractmethod
    def draw(self, artists: dict[str, Any], result: R) -> None:
        """Move the artists to a result; no computing, no new artists."""

    @abstractmethod
    def describe(self, result: R) -> str:
        """Say in a sentence or two what the picture shows, with rounded numbers: caption and alternative text."""

    def numbers(self, result: R) -> dict[str, str]:
        """Return the numbers to print beside the picture, rounded, by their names; the same names at every state."""
        return {}

    @classmethod
    def from_state(cls: type[E], state: str, *data: Any) -> E:
        """Restore an explorer from what :attr:`state` gave, on the same input (``data``: as for the constructor)."""
        return cls(*data, **Space.read(state, cls.__name__))

    @property
    def state(self) -> str:
        """The present state as text, to share and to restore with :meth:`from_state`."""
        return self.write(self._state)

    def write(self, state: S) -> str:
        """Return any state as such text."""
        return self._space.write(type(self).__name__, vars(state))

    def at(self, **changes: Any) -> S:
        """Return the present state with ``changes``, checked; nothing moves."""
        return self._space.changed(self._state, changes)

    def set(self, **changes: Any) -> None:
        """Go to another state. If that fails, everything stays as it was."""
        self._go(self.at(**changes))

    def reset(self) -> None:
        """Go back to the state it began with; nothing is compared any more."""
        self.pinned = None
        self._go(self.start)

    def compare(self, on: bool = True) -> None:
        """Pin the present curves and numbers behind the next ones, or (False) take them away."""
        self._keep(pinned=self._state if on else None)

    def predict(self, guess: float | str, asked: str = "") -> None:
        """Record a guess, which then stands beside the truth.

        Args:
            guess: The number that :attr:`question` asks for, to be drawn; or words, to be written under the picture.
            asked: The question that the words answer; needed for words.

        Raises:
            ValueError: A number that :attr:`question` does not allow; the guess before stays.
        """
        if isinstance(guess, str) and asked:
            self._keep(answers={**self.answers, asked: guess})
            return
        if self.question is None:
            raise ValueError(f"{type(self).__name__} asks for no prediction")
        self.question.check("guess", guess)
        words = f"{guess:g} {self.question.unit}".rstrip()
        self._keep(guess=guess, answers={**self.answers, asked or self.question.help: words})

    def render(self, *, dark: bool = False, **changes: Any) -> Figure:
        """Return a new figure of the present state, or of that with ``changes``; it needs no kernel and no browser."""
        from .figure import Drawing

        drawing = Drawing(self, dark)
        drawing.move(self.compute(self.at(**changes)))
        return drawing.finished()

    def save(self, path: str | Path, *, dark: bool = False) -> None:
        """Write the present picture to a file; its ending chooses the format: png, svg, pdf."""
        self.render(dark=dark).savefig(path, dpi=200)

    def frames(self, *, dark: bool = False, **values: Sequence[Any]) -> Iterator[Frame]:
        """Draw the picture at every combination of ``values``, or at all states of :attr:`swept`, each once."""
        from .figure import Drawing

        drawing = Drawing(self, dark)
        grids = self.swept or ({next(iter(self.controls)): ...},)
        states = self._space.product(self._state, values) if values else self._space.states(self._state, grids)
        for state in states:
            result = self.compute(state)
            drawing.move(result)
            yield Frame(state, self.describe(result), self.numbers(result), *drawing.svg())

    def html(self) -> str:
        """Return the explorer for a page without a kernel, with all its :meth:`frames`."""
        from .static_page import explorer_html

        return explorer_html(self)

    def sweep(self) -> str:
        """Draw the picture at every corner of the state space, one control at a time; raises where one fails."""
        corners = list(self.corners())
        if in_a_page():
            return f"{type(self).__name__}: {len(corners)} pictures, which the notebook draws"
        try:
            for state in corners:
                self.live.show(state)  # the controls too: some bugs are only there
        finally:
            self.live.show(self._state)
        return f"{type(self).__name__}: {len(corners)} pictures drawn"

    def corners(self) -> Iterator[S]:
        """Yield the first state with each control in turn at its extremes, and all controls at both ends together."""
        return self._space.corners(self.start)

    def grid(self, most: int = 100) -> Iterator[S]:
        """Yield states from all over: 5 positions of each slider, all choices; ``most`` of these, by a fixed rule."""
        return self._space.grid(self.start, most)

    @property
    def controls(self) -> Mapping[str, Control]:
        """The control of each field of the state."""
        return self._space.controls

    @cached_property
    def live(self) -> Live:
        """The widget, controls beside a picture."""
        from .widget import Live

        return Live(self)

    def _go(self, state: S) -> None:
        if "live" in self.__dict__:
            self.live.show(state)
        else:
            self.compute(state)
        self._state = state

    def _keep(self, **values: Any) -> None:
        before = {name: getattr(self, name) for name in values}
        vars(self).update(values)
        try:
            self._go(self._state)
        except Exception:
            vars(self).update(before)
            raise

    def __repr__(self) -> str:
        """What was changed, and the sentence of the present state: what nbval compares."""
        changed = {name: value for name, value in vars(self._state).items() if value != getattr(self.default, name)}
        return f"{self._space.write(type(self).__name__, changed)}: {self.describe(self.compute(self._state))}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        if in_a_page():
            return {"text/plain": repr(self), "text/html": self.html()}
        bundle = dict(self.live._repr_mimebundle_(**kwargs) or {})
        return bundle | {  # for nbval, and for who reads the notebook without a kernel
            "text/plain": repr(self),
            "image/png": base64.b64encode(self.live.picture.data).decode(),
        }
