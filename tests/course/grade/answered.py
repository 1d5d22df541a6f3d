"""Notebooks of the course's assignments with answers filled in."""

import functools

from rsl_edu.course import assignment, check

find = functools.cache(assignment.find)


def handed_in(source, answers):
    """Return the cells of an assignment with stubs replaced by answers, given by name."""
    cells = []
    for cell in source.handed:
        text = cell.source
        if cell.kind == "answer":
            text = next(
                (answer for name, answer in answers.items() if f" {name}(" in text or f" {name}:" in text), text
            )
        cells.append(text)
    return cells


def right_of(source):
    return {check.EXERCISES[task.name].reference.__name__: str(check.solution(task.name)) for task in source.tasks}
