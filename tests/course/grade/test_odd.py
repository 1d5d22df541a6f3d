"""Unusual notebooks, as real students hand them in: answers that pass in a real kernel get their points."""

import functools

import pytest
from course.grade import forked
from course.odd import ENTRIES, recorded
from tiers import tiers

from rsl_edu.course import assignment, check
from rsl_edu.course.check.limit import unlimited
from rsl_edu.course.grade import sandbox, usage
from rsl_edu.course.grade.notebook import cells_of
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.student import Student
from rsl_edu.course.grade.submissions import ProblemError, code

KERNEL = recorded()
LIMITS = Limits(cell=4)  # a cell that never ends takes no longer than the slowest one that does
CASES = 4  # cases per exercise, enough to recognize a right answer
# Where a kernel says yes, and the grader cannot: the page for instructors has the list.
NOT_HERE = {
    "a_helper_that_was_deleted": ["merge_moments", "running_norm"],  # it ran, but is no longer in the notebook
    "numpy_imported_and_deleted": ["dead_fraction"],
}
find = functools.cache(assignment.find)


@pytest.fixture
def grade(monkeypatch):
    """Run the file of a notebook, and return the names of the exercises that are right."""
    monkeypatch.setattr(sandbox, "start", forked.start)
    monkeypatch.setattr(usage, "known", lambda _: True)

    def grade(entry):
        source = find(entry.assignment)
        cells = cells_of(source.handed, source.tasks, code(entry.content()))
        student = Student(cells, "unsafe", usage.Budget(LIMITS), source.answers, source.forbidden)
        try:
            return {task.name for task in source.tasks if is_right(student, source, task.name)}
        finally:
            student.close()

    return grade


def is_right(student, source, exercise):
    """Return whether an answer is right at its check, or at the end of the notebook."""
    asked = check.EXERCISES[exercise]
    cases, name = asked.cases[:CASES], asked.reference.__name__
    for place in (exercise, ""):
        student.at(place)
        answers = student.names(source.answers)
        with unlimited():
            if name in answers and asked.number_right(answers[name], cases) == len(cases):
                return True
    return False


@pytest.mark.parametrize("entry", tiers(ENTRIES, ENTRIES[4::8]), ids=lambda entry: entry.name)
def test_answers_that_pass_in_a_kernel_get_points(grade, entry):
    said = KERNEL[entry.name]
    right = {*said["right"], *said.get("seen", ())}
    try:
        assert right - grade(entry) == {*NOT_HERE.get(entry.name, ())}
    except ProblemError:
        assert not right
