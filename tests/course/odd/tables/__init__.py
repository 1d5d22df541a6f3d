"""The odd notebooks, by kind."""

from . import beside, files, forms, ipython_cells, ipython_lines, moved

KINDS = (ipython_lines, ipython_cells, beside, forms, moved, files)
ENTRIES = [entry for kind in KINDS for entry in kind.ENTRIES]
