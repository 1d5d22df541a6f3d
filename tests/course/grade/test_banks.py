"""The answers of the banks, judged in the sandbox: the right ones get their points, the wrong ones lose them."""

import ast
import sys
from pathlib import Path

import pytest

from rsl_edu.course import assignment
from rsl_edu.course.grade import marking
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.student import Student
from rsl_edu.course.grade.usage import Budget

sys.path.insert(0, str(Path(__file__).parents[1]))
from banks import cnn, distributions, mlp, normalization, rnn

BANKS = {"1_mlp": mlp, "2_cnn": cnn, "3_rnn": rnn, "4_normalization": normalization, "5_distributions": distributions}
# Right answers that call what the exercise asks to write: a lesson takes them, an assignment does not.
REFUSED = {
    "1_mlp": {"orthogonal_of_torch", "count_of_library"},
    "2_cnn": {"conv_of_torch"},
    "3_rnn": {"gru_by_torch", "split_by_library"},
    "4_normalization": {"NormFromLibrary"},
    "5_distributions": {
        *("log_prob_by_torch", "log_prob_by_covariance", "entropy_by_torch", "entropy_of_joint"),
        *("kl_by_torch", "kl_of_covariances", "kl_by_cross_entropy"),
    },
}
EVERYTHING = """
for entry in (entry for bank in (RIGHT, WRONG) for entries in bank.values() for entry in entries):
    answer = entry[0] if isinstance(entry, tuple) else entry
    globals()[answer.__name__] = answer
"""


def cells(bank):
    """Each definition of a bank, as a cell of its own."""
    text = Path(bank.__file__).read_text("utf-8")
    return [*(ast.get_source_segment(text, part) for part in ast.parse(text).body), EVERYTHING]


@pytest.mark.slow
@pytest.mark.parametrize("name", BANKS)
def test_every_answer_of_the_bank_gets_what_it_deserves(bwrap, name):
    bank, source = BANKS[name], assignment.find(name)
    names, seen, expected = marking.setup(source.setup), {}, {}
    student = Student(cells(bank), bwrap, Budget(Limits(total=600)), source.forbidden)
    assert not student.failed
    for task, ours in zip(source.tasks, source.answers, strict=True):
        answers = [(answer, None) for answer in bank.RIGHT[task.name]] + bank.WRONG[task.name]
        remote = student.names(answer.__name__ for answer, _ in answers)
        for answer, mistake in answers:
            known = names | {ours: remote[answer.__name__]}
            verdict = marking.judge(task.name, task.shown, known, source.answers)
            if verdict.passed:
                verdict = marking.veiled(marking.judge(task.name, task.hidden, known, source.answers), verdict)
            seen[answer.__name__], expected[answer.__name__] = verdict.mistake, mistake
    student.close()
    refused = {name for name, mistake in seen.items() if mistake == "library-answer"}
    assert {name for name in seen if name not in refused and seen[name] != expected[name]} == set()
    assert {name for name in refused if expected[name] is None} == REFUSED[name]
