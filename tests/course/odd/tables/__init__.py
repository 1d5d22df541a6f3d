"""The odd notebooks, by kind."""

from . import ipython_lines, ipython_cells

ENTRIES = [*ipython_lines.ENTRIES, *ipython_cells.ENTRIES]
