"""The layout of the x-ray's panels. Panels that show findings are in the first row, and all other panels are below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from . import panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rsl_edu.diagnosis.sample import Sample

COLUMNS = 3
"""Number of cells per row. At first, only the first row is shown."""
CELLS = (("std",), ("observations",), ("values",), ("layer std", "dead"), ("weights",), ("actions",), ("memory",))
HISTORIES = (("kl",), ("entropy",), ("critic",))


def cells(run: panels.Run, found: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the names of the panels in each cell, row by row.

    Args:
        run: The measurements of each checkpoint.
        found: The panels that show findings, with the most important panel first.
    """
    missing = {"memory" if run[0].memory is None else "actions"}
    if not panels.learning(run):
        missing.add("critic")
    there = [cell for cell in (*CELLS, *HISTORIES) if not missing & {*cell}]
    first = [next(cell for cell in there if panel in cell) for panel in found]
    return list(dict.fromkeys([there[0], *first, *there]))


def stage(figure: Figure, run: panels.Run, sample: Sample, order: list[tuple[str, ...]]) -> dict[str, Any]:
    """Lay out all panels in their cells.

    Args:
        figure: An empty figure.
        run: The measurements of each checkpoint.
        sample: The observations given to the policies.
        order: The result of :func:`cells`.
    """
    grid = figure.add_gridspec(-(-len(order) // COLUMNS), COLUMNS)
    axes: dict[str, Any] = {}
    for place, cell in enumerate(order):
        inner = grid[place // COLUMNS, place % COLUMNS].subgridspec(1, len(cell))
        axes |= {name: figure.add_subplot(inner[i], label=name) for i, name in enumerate(cell)}
    artists: dict[str, Any] = {}
    panels.stage_layers(artists, run, axes["values"], axes["layer std"], axes["dead"])
    panels.stage_weights(artists, run, axes["weights"])
    panels.stage_observations(artists, run, axes["observations"], sample.names, sample.real)
    panels.stage_histories(artists, run, axes["std"], axes["entropy"], axes["kl"], axes.get("critic"))
    if "memory" in axes:
        panels.stage_memory(artists, run, axes["memory"])
    else:
        panels.stage_actions(artists, run, axes["actions"])
    return artists
