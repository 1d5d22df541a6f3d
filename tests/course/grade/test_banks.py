"""Answers of the banks in the sandbox: right answers get points, wrong answers do not."""

import ast
import collections
import inspect

import pytest
from course.banks import BANKS, RIGHT, WRONG, machinery, mistake_of
from tiers import exhaustive

from rsl_edu.course import assignment, check
from rsl_edu.course.grade import marking
from rsl_edu.course.grade.judging import Names, Verdicts, judge
from rsl_edu.course.grade.notebook import Cell
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.student import Student
from rsl_edu.course.grade.usage import Budget

FIRST = "unpad"  # the only exercise in `make test`, where tests of the checks cover every answer
TASKS = [
    pytest.param(source, task, ours, id=task.name, marks=[] if task.name == FIRST else [exhaustive])
    for source in map(assignment.find, ("1_mlp", "2_cnn", "3_rnn", "4_normalization", "5_distributions"))
    for task, ours in zip(source.tasks, source.answers, strict=True)
]
EACH = 2  # number of wrong answers per mistake; tests of the checks cover all of them
# Right answers that call what the exercise asks to write: a lesson takes them, an assignment does not.
REFUSED = {
    "orthogonal_": {"of_torch"},
    "count_parameters": {"of_library"},
    "conv2d": {"of_torch", "by_three_dimensions"},
    "gru_step": {"by_torch"},
    "split_and_pad": {"by_library"},
    "running_norm": {"from_library"},
    "gaussian_log_prob": {"by_torch", "by_covariance", "by_loss"},
    "gaussian_entropy": {"by_torch", "of_joint"},
    "gaussian_kl": {"by_torch", "of_covariances", "by_cross_entropy"},
}
# A notebook has plain names; these cannot be names of anything else.
EVERYTHING = """
answers = {{**vars(Right), **vars(Wrong), **wrong_like({reference})}}
globals().update({{f"answer {{name}}": answer for name, answer in answers.items()}})
"""


def cells(name):
    """Return each definition of a bank, and code shared by wrong answers of all exercises, as separate cells."""
    texts = (inspect.getsource(BANKS[name]), inspect.getsource(machinery))
    definitions = [ast.get_source_segment(text, part) for text in texts for part in ast.parse(text).body]
    solution = f"from __future__ import annotations\n{check.solution(name)}"
    return [*definitions, solution, EVERYTHING.format(reference=check.EXERCISES[name].reference.__name__)]


def wrong(name):
    """Return some wrong answers of a bank for each mistake."""
    said = {answer: " + ".join(sorted(mistake_of(answer).split(" + "))) for answer in WRONG[name]}
    kept = collections.Counter()
    for answer, mistake in said.items():
        kept[mistake] += 1
        if kept[mistake] <= EACH:
            yield answer, mistake


@pytest.mark.slow
@pytest.mark.parametrize(("source", "task", "ours"), TASKS)
def test_answers_of_the_bank_are_judged_correctly(bwrap, source, task, ours):
    code = [Cell(number, source) for number, source in enumerate(cells(task.name), 1)]
    student = Student(code, bwrap, Budget(Limits(total=600)), forbidden=source.forbidden)
    assert not student.notes
    assert not {*RIGHT[task.name]} & {*WRONG[task.name]}  # names are unique
    expected = dict.fromkeys(RIGHT[task.name]) | dict(wrong(task.name))
    remote = student.names(f"answer {name}" for name in expected)
    said, seen = Verdicts(task.name, source.answers), {}
    for name in expected:
        known = Names(source.setup, {ours: remote[f"answer {name}"]})
        verdict = judge(said, task.shown, known)[1]
        if verdict.passed:
            verdict = marking.veiled(judge(said, task.hidden, known)[1], verdict)
        seen[name] = verdict.mistake and " + ".join(sorted(verdict.mistake.split(" + ")))
    student.close()
    refused = {name for name, mistake in seen.items() if mistake == "library-answer"}
    assert {name for name in seen if name not in refused and seen[name] != expected[name]} == set()
    assert {name for name in refused if expected[name] is None} == REFUSED.get(task.name, set())
