"""A Matplotlib figure that is drawn once, and a picture of it in the browser that is quick to change."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import anywidget
import numpy as np
import traitlets
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def new_figure(size: tuple[float, float]) -> Figure:
    """Make an empty figure of ``size`` in inches, at 100 pixels each, apart from pyplot and its list of figures."""
    figure = Figure(size, dpi=100)
    figure.set_layout_engine("constrained", w_pad=0.07, h_pad=0.07)  # inches
    return figure


class Canvas:
    """Pictures of a figure whose artists move while its frames, ticks and words stay.

    What stays is drawn once and kept, and again only when a limit or a word changes; what moves is drawn over it.
    """

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self._agg = FigureCanvasAgg(figure)
        self._words: list[Any] | None = None  # the limits and words that the kept background shows
        self._background: Any = None

    def png(self) -> bytes:
        """Draw the figure as it is now and return it as PNG."""
        axes = self.figure.axes
        words = [(a.viewLim.bounds, a.get_title(), a.get_xlabel(), a.get_ylabel()) for a in axes]
        moving = [artist for a in axes for artist in _moving(a)]
        if self._words is None:
            self._agg.draw()  # settles the layout, which then stays: a picture must not jump
            self.figure.set_layout_engine("none")
        if self._words != words:
            for artist in moving:
                artist.set_animated(True)
            self._agg.draw()
            self._background = self._agg.copy_from_bbox(self.figure.bbox)
            self._words = words
        self._agg.restore_region(self._background)
        for artist in moving:
            artist.axes.draw_artist(artist)  # type: ignore[union-attr]
        return _png(np.asarray(self._agg.buffer_rgba())[..., :3])


def _moving(axes: Any) -> list[Artist]:
    artists = [*axes.images, *axes.collections, *axes.patches, *axes.lines, *axes.texts, *axes.spines.values()]
    return sorted(artists, key=lambda artist: artist.zorder)


def _png(rgb: np.ndarray) -> bytes:
    """Encode an image ``[height, width, 3]`` without row filters and with the fastest deflate: 5 ms, not 60."""
    height, width, _ = rgb.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = rgb.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


class Picture(anywidget.AnyWidget):
    """An image with alternative text, a caption that is read out when it changes, and one line for an error."""

    _esm = """
    export default { render({ model, el }) {
      el.innerHTML = '<figure class="rsl-picture"><img><figcaption role="status"></figcaption>'
        + '<p role="alert"></p></figure>';
      const [image, caption, alert] = el.querySelectorAll("img, figcaption, p");
      const show = () => {
        const before = image.src;
        image.src = URL.createObjectURL(new Blob([model.get("data")], { type: "image/png" }));
        if (before) URL.revokeObjectURL(before);
      };
      const say = () => {
        image.alt = caption.textContent = model.get("caption");
        alert.textContent = model.get("error");
        image.style.opacity = model.get("error") ? 0.3 : 1;
      };
      const name = () => {  // ipywidgets leaves these without a name for screen readers
        const all = (what) => el.closest(".rsl-explorer")?.querySelectorAll(what) ?? [];
        all(".widget-slider").forEach((slider) => slider.querySelector("[role=slider]")
          ?.setAttribute("aria-label", slider.querySelector("label")?.textContent));
        all(".widget-play").forEach((play) => play.querySelectorAll("button").forEach((button, i) =>
          button.setAttribute("aria-label", ["play or pause", "stop"][i])));
      };
      model.on("change:data", show);
      model.on("change:caption change:error", say);
      show();
      say();
      setTimeout(name, 100);
      return () => URL.revokeObjectURL(image.src);
    } };
    """
    _css = """
    .rsl-picture { margin: .3em 0 0; }
    .rsl-picture img { max-width: 100%; height: auto; border-radius: 4px; background: #fff; }
    .rsl-picture figcaption, .rsl-picture p { max-width: 60em; margin: .3em 0; line-height: 1.4; }
    .rsl-picture figcaption { color: var(--jp-content-font-color1, inherit); min-height: 2.8em; }
    .rsl-picture p { min-height: 1.4em; font-weight: 600; color: var(--jp-error-color0, #b00020); }
    """
    data = traitlets.Bytes().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)
