"""Panel titles with a coloured legend. They need not be redrawn with every picture."""

from __future__ import annotations

from typing import Any


def entitle(axes: Any, title: str, first: tuple[str, str], second: tuple[str, str], x: float = 0.45) -> None:
    """Set the title of axes and, below the title, two coloured names; the second name starts at ``x``."""
    axes.set_title(title, y=1.1)
    for (name, color), slot, left in ((first, "center", 0.0), (second, "right", x)):
        axes.set_title(name, loc=slot, x=left, y=1.01, ha="left", color=color, fontsize=9)
