"""The odd notebooks, by kind."""

from . import characters, failing, files, forms, ipython_cells, ipython_lines, moved, returns, settings

KINDS = (ipython_lines, ipython_cells, failing, settings, forms, returns, characters, moved, files)
ENTRIES = [entry for kind in KINDS for entry in kind.ENTRIES]
