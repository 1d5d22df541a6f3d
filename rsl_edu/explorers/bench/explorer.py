"""The base of all explorers: an instrument as a widget, as a figure, and as frames for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .drawing import Drawing, Frame
from .instrument import Instrument, R, S
from .static_page import NOTEBOOK, explorer_html, in_a_page

if TYPE_CHECKING:  # anywidget is slow to import and only needed for widgets
    from matplotlib.figure import Figure

    from .widget import Live


class Explorer(Instrument[S, R]):
    """A picture that changes with its controls: live in a notebook, as a figure, or as a series of frames.

    A subclass defines ``State`` (a frozen dataclass of :func:`.control` fields), ``compute``, ``stage``, ``draw``,
    ``mark``, ``title``, ``describe``, ``numbers``, ``spots`` and ``grips``, as described in :class:`.Instrument`.
    The constructor, the states and the methods that change them are also in :class:`.Instrument`. In a notebook, an
    explorer at the end of a cell is displayed.
    """

    def render(self, *, dark: bool = False, **changes: Any) -> Figure:
        """Return a new figure of the current state, optionally with ``changes``; needs no kernel and no browser."""
        drawing = Drawing(self, dark)
        drawing.move(self.compute(self.at(**changes)))
        return drawing.finished()

    def save(self, path: str | Path, *, dark: bool = False) -> None:
        """Write the current picture to a file. The format follows from the suffix: png (the default), svg or pdf.

        Raises:
            ValueError: The format is unknown, or the file has no name.
        """
        if not Path(path).name:
            raise ValueError(f"path: expected a file name, got {str(path)!r}")
        figure = self.render(dark=dark)
        if (Path(path).suffix[1:].lower() or "png") not in figure.canvas.get_supported_filetypes():
            raise ValueError(f"path: expected a file that ends in .png, .svg or .pdf, got {str(path)!r}")
        figure.savefig(path, dpi=200)

    def frames(self, *, dark: bool = False, **values: Sequence[Any]) -> Iterator[Frame]:
        """Draw the picture for every combination of ``values``; without ``values``, for all :meth:`swept_states`."""
        drawing = Drawing(self, dark)
        for state in self._space.product(self._state, values) if values else self.swept_states():
            yield drawing.frame(state)

    def swept_states(self) -> list[S]:
        """Return the states that a page without a kernel contains.

        These are the states of the grids :attr:`.Instrument.swept` around the current state, and the states that show
        the answers of :attr:`.Instrument.questions`.
        """
        states = self._space.states(self._state, self.swept or ({next(iter(self.controls)): ...},))
        shown = [
            question.show for question in self.questions if question.show and set(question.show) <= {*self.controls}
        ]
        return list(dict.fromkeys([*states, *(self.at(**show) for show in shown)]))

    def html(self, notebook: str = NOTEBOOK) -> str:
        """Return the explorer as HTML for a page without a kernel, with all its :meth:`frames`.

        Args:
            notebook: Address of the notebook that contains the explorer; empty if there is none.
        """
        return explorer_html(self, Drawing(self).panels, self.frames(), notebook)

    def sweep(self) -> str:
        """Draw the picture at every corner of the state space, and raise an error if a drawing fails."""
        corners, present = list(self.corners()), self._state
        if in_a_page():
            return f"{type(self).__name__}: {len(corners)} pictures, which the notebook draws"
        self.live.refresh()  # include the widget, because some errors occur only there
        try:
            for state in corners:
                self.go(state)
        finally:
            self.go(present)
        return f"{type(self).__name__}: {len(corners)} pictures drawn"

    @cached_property
    def live(self) -> Live:
        """The widget, with controls next to a picture."""
        from .widget import Live

        live = Live(self)
        self._views.append(live)
        return live

    def __repr__(self) -> str:
        """Return the changed controls and the sentences of the current state. nbval compares this text."""
        default = self.values(self.default)
        changed = {name: value for name, value in self.values(self._state).items() if value != default[name]}
        result = self.compute(self._state)
        sentences = [self.title(result), self.describe(result)]
        return f"{self._space.write(type(self).__name__, changed)}: {' '.join(filter(None, sentences))}"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return HTML for a page without a kernel, or otherwise a still image. The widget is a separate output."""
        if in_a_page():
            return {"text/plain": repr(self), "text/html": self.html()}, {}
        from .output import explorer_still

        return {"text/plain": repr(self), **explorer_still(self, self.live.still, self.live.more)}, {}

    def _ipython_display_(self) -> None:
        from .output import show_twice

        show_twice(self, lambda: self.live)
