"""The answers of the banks, judged in the sandbox: the right ones get their points, the wrong ones lose them."""

import ast
import inspect

import pytest
from course.banks import BANKS, RIGHT, WRONG, machinery, mistake_of

from rsl_edu.course import assignment, check
from rsl_edu.course.grade import marking
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.student import Student
from rsl_edu.course.grade.usage import Budget

TASKS = [
    pytest.param(source, task, ours, id=task.name)
    for source in map(assignment.find, ("1_mlp", "2_cnn", "3_rnn", "4_normalization", "5_distributions"))
    for task, ours in zip(source.tasks, source.answers, strict=True)
]
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
    """Each definition of a bank, and what the wrong answers of all exercises are made of, as cells of their own."""
    texts = (inspect.getsource(BANKS[name]), inspect.getsource(machinery))
    definitions = [ast.get_source_segment(text, part) for text in texts for part in ast.parse(text).body]
    solution = f"from __future__ import annotations\n{check.solution(name)}"
    return [*definitions, solution, EVERYTHING.format(reference=check.EXERCISES[name].reference.__name__)]


@pytest.mark.slow
@pytest.mark.parametrize(("source", "task", "ours"), TASKS)
def test_every_answer_of_the_bank_gets_what_it_deserves(bwrap, source, task, ours):
    student = Student(cells(task.name), bwrap, Budget(Limits(total=600)), source.forbidden)
    assert not student.failed
    expected = dict.fromkeys(RIGHT[task.name]) | {
        name: " + ".join(sorted(mistake_of(name).split(" + "))) for name in WRONG[task.name]
    }
    assert len(expected) == len(RIGHT[task.name]) + len(WRONG[task.name])  # no two of one name
    remote = student.names(f"answer {name}" for name in expected)
    names, seen = marking.setup(source.setup), {}
    for name in expected:
        known = names | {ours: remote[f"answer {name}"]}
        verdict = marking.judge(task.name, task.shown, known, source.answers)
        if verdict.passed:
            verdict = marking.veiled(marking.judge(task.name, task.hidden, known, source.answers), verdict)
        seen[name] = verdict.mistake and " + ".join(sorted(verdict.mistake.split(" + ")))
    student.close()
    refused = {name for name, mistake in seen.items() if mistake == "library-answer"}
    assert {name for name in seen if name not in refused and seen[name] != expected[name]} == set()
    assert {name for name in refused if expected[name] is None} == REFUSED.get(task.name, set())
