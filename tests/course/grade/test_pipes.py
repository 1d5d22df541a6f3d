"""Pipes between grader and worker: closing them or writing to them ends the waiting and cannot forge a reply."""

import pytest
from tiers import tiers

from rsl_edu.course.grade import student as students
from rsl_edu.course.grade.notebook import Cell
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.student import StoppedError, Student
from rsl_edu.course.grade.usage import Budget

WRITE = """
import os, struct, sys, time
def write(data):
    for file in range(3, 99):
        try:
            os.write(file, data)
        except OSError:
            pass
"""
ENDS = {
    "closes its pipes": ("os.closerange(3, 99)", "ended its process"),
    "closes them, and a child would keep them open": (
        "if os.fork() == 0: time.sleep(9999)\nos.closerange(3, 99)",
        "ended its process",
    ),
    "sends a part of the lengths": ("write(b'123')", "stopped in the middle of a reply"),
    "sends a part of a reply": ("write(struct.pack('<II', 9, 0) + b'{')", "stopped in the middle of a reply"),
}


@pytest.fixture(params=tiers(["bwrap", "unsafe"], ["bwrap"]))
def box(request):
    return request.getfixturevalue("bwrap") if request.param == "bwrap" else request.param


@pytest.mark.slow
@pytest.mark.parametrize("what", ENDS)
def test_grader_does_not_wait_for_a_process_that_cannot_reply(box, monkeypatch, what):
    monkeypatch.setattr(students, "_ASLEEP", 20)
    code, why = ENDS[what]
    with pytest.raises(StoppedError, match=f"^{why}$") as stopped:
        Student([Cell(1, f"{WRITE}\n{code}\ntime.sleep(9999)")], box, Budget(Limits()))
    assert stopped.value.cell == 0


@pytest.mark.slow
def test_child_process_cannot_reply_and_notebook_has_no_arguments(box):
    child = "if os.fork() == 0:\n    write(b'x' * 99)\n    os._exit(0)\nos.wait()"
    student = Student([Cell(1, f"{WRITE}\n{child}\ndef f():\n    return sys.argv[1:]")], box, Budget(Limits()))
    assert student.notes == ()
    assert student.names(["f"])["f"]() == []
    student.close()
