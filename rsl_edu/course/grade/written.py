"""A student's texts for the tasks that are marked by hand."""

from __future__ import annotations

from collections.abc import Sequence

from rsl_edu.course.assignment import Assignment

from .submissions import Cell


def written(assignment: Assignment, cells: Sequence[Cell]) -> dict[str, str | None]:
    """Return the student's text for each task that is marked by hand.

    A cell of the assignment is found by nbgrader's ``grade_id``, or else by its source if that is unique. A changed
    cell that has lost its metadata, as in Colab, is found by its position between identified cells. Cells that the
    student added after the cell belong to it.

    Args:
        assignment: The source.
        cells: All cells of the notebook.

    Returns:
        The text for each task, by name; empty if the student wrote nothing, None if the cell is not found.
    """
    tasks = {task.name for task in assignment.tasks if task.manual}
    if not tasks:
        return {}
    handed = [
        Cell(known.code, cell.source, known.id)
        for known, cell in zip(assignment.cells, assignment.student().cells, strict=True)
    ]
    places = [_found(cell, handed, cells) for cell in handed]
    return {cell.id: _text(place, handed, cells, places) for place, cell in enumerate(handed) if cell.id in tasks}


def _found(cell: Cell, handed: Sequence[Cell], cells: Sequence[Cell]) -> list[int]:
    """Return the indices of all copies of a cell that was handed out, if they can be identified."""
    if by_id := [place for place, other in enumerate(cells) if cell.id and other.id == cell.id]:
        return by_id
    ids = {other.id for other in handed}
    same = [place for place, other in enumerate(cells) if other.same(cell) and other.id not in ids - {""}]
    return same if len(same) == sum(other.same(cell) for other in handed) == 1 else []


def _text(this: int, handed: Sequence[Cell], cells: Sequence[Cell], places: Sequence[list[int]]) -> str | None:
    """Return the text in a cell that was handed out, and in cells added after it."""
    start = this + 1 if places[this] else this
    first, begin = next(((i + 1, places[i][-1] + 1) for i in reversed(range(start)) if places[i]), (0, 0))
    last, end = next(((i, places[i][0]) for i in range(this + 1, len(handed)) if places[i]), (len(handed), len(cells)))
    taken = {place for found in places for place in found}
    free = [cells[place] for place in range(begin, end) if place not in taken]  # any of these may be a lost cell
    if places[this]:
        own = [*(cells[place] for place in places[this]), *_added(free, handed, handed[first:last])]
    else:
        own = _by_place(this - first, free, handed[first:last])
    if not own:
        return None
    return "\n\n".join(cell.source for cell in own if cell.source.strip() and not cell.same(handed[this]))


def _added(free: Sequence[Cell], handed: Sequence[Cell], lost: Sequence[Cell]) -> list[Cell]:
    """Return the cells that the student added; empty if all new cells may be changed cells of the assignment."""
    new = [cell for cell in free if not any(cell.same(other) for other in handed)]
    changed = [cell for cell in lost if not any(cell.same(other) for other in free)]
    return new if len(new) > len(changed) else []


def _by_place(place: int, free: Sequence[Cell], lost: Sequence[Cell]) -> list[Cell]:
    """Return the cells that must be the lost cell with this index among the lost cells; empty if this is uncertain."""
    this = lost[place]
    if len(lost) > 1:
        place = sum(cell.code == this.code for cell in lost[:place])
        lost, free = ([cell for cell in some if cell.code == this.code] for some in (lost, free))
    if len(lost) == 1:
        return [*free]
    return [free[place]] if len(free) == len(lost) else []
