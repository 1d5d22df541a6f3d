"""What stops a student's process and what does not: CPU time counts, the wall clock only ends what waits for ever.

Most processes here only speak like the worker: they start in no time, and say what no worker would.
"""

import signal
import sys
import textwrap

import psutil
import pytest
from tiers import tiers

from rsl_edu.course.check.failure import Failure
from rsl_edu.course.grade import sandbox, usage, wire
from rsl_edu.course.grade import student as students
from rsl_edu.course.grade.notebook import Cell
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.student import StalledError, StoppedError, Student
from rsl_edu.course.grade.usage import Budget

READY = """
ready()
receive()
reply(1, {"dict": [["f", "function"]]})
receive()
"""


@pytest.fixture
def asked(process):
    """Return a function that runs code in a call of f and returns the result."""

    def ask(code, budget=None):
        student = process(READY + textwrap.dedent(code), budget)
        try:
            return student.names(["f"])["f"]()
        finally:
            student.close()

    return ask


# What it says ---------------------------------------------------------------------------------------------------------


def test_reply_is_returned(asked):
    assert asked("reply(2, 3)") == 3


REPLIES = {
    "text": ("send(b'passed')", "sent a reply that cannot be read"),
    "a verdict": ("send({'dict': [['number', 1], ['passed', True]]})", "sent a reply to a different question"),
    "another number": ("reply(1)", "sent a reply to a different question"),
    "a list": ("send({'list': []})", "sent a malformed reply"),
    "a huge reply": ("send(b'', length=2**32 - 1)", "sent a reply of 4,294,967,295 bytes"),
    "a deep reply": ("send(b'[' * 200_000)", "sent a reply that cannot be read"),
    "a nested reply": (
        "reply(2, json.loads('{\"list\":[' * 50 + ']}' * 50))",
        "sent a reply that is nested too deeply",
    ),
    "many replies": ("while True: send({'dict': []})", "sent a reply to a different question"),
    "a huge tensor": ("reply(2, {'tensor': ['float32', [1 << 27]]})", "sent a tensor of an impossible shape"),
    "a huge shape": ("reply(2, {'tensor': ['float32', [10**9, 0]]})", "sent a tensor of an impossible shape"),
    "too many bytes": ("send({'dict': []}, bytes(1 << 27))", "sent a reply of 134,217,740 bytes"),
    "an odd change": ("send({'dict': [['number', 2], ['changed', 3]]})", "sent a malformed reply"),
    "a parameter of whole numbers": (
        "send({'dict': [['number', 2], ['value', {'parameter': ['int64', [1], True, False]}]]}, bytes(8))",
        "sent a reply that cannot be read",
    ),
    "an odd error": ("send({'dict': [['number', 2], ['error', 3]]})", "sent a malformed reply"),
    "nothing": ("os._exit(0)", "ended its process"),
    "a signal": ("os.kill(os.getpid(), 9)", "ended its process"),
    "closed pipes": ("os.closerange(0, 9)\ntime.sleep(9999)", "ended its process"),
}


@pytest.mark.parametrize("name", REPLIES)
def test_malformed_replies_stop_the_process(asked, name):
    code, why = REPLIES[name]
    with pytest.raises(StoppedError, match=why):
        asked(code)


OBJECT = "{'object': [0, 'o', False, False]}"


def test_text_of_an_object_is_short_and_printable(process):
    code = f"reply(2, {OBJECT})\nreceive()\nreply(3, 'a\\x1b[2J\\n' + 'b' * 9000)\nreceive()\nreply(4, {OBJECT})"
    student = process(READY + code)
    made = student.names(["f"])["f"]()
    assert str(made) == "a\ufffd[2J\n" + "b" * (wire.TEXT - 6)
    assert repr(made).startswith("<rsl_edu.course.grade.remote.o object at ")
    student.close()


@pytest.mark.parametrize("code", ["os._exit(0)", "send(b'passed')", "send({'dict': [['cell', 'x']]})"])
def test_failed_start_is_not_the_student_s_fault(process, monkeypatch, code):
    probed = []
    monkeypatch.setattr(sandbox, "probe", lambda *_: probed.append(1))
    with pytest.raises(RuntimeError, match=r"the sandbox (ended its process|sent a )"):
        process(code)
    assert probed


def test_start_has_a_wall_clock_limit(process, monkeypatch):
    monkeypatch.setattr(sandbox, "probe", lambda *_: None)
    with pytest.raises(RuntimeError, match="the sandbox took too long to start"):
        process("time.sleep(9999)", Budget(Limits(start=0)))


# What it uses ---------------------------------------------------------------------------------------------------------

IN_CHILDREN = """
while True:
    if os.fork() == 0:
        burn(0.01)
        os._exit(0)
    os.wait()
"""


@pytest.mark.parametrize(
    "code",
    ["burn(9999)", "os.fork()\nburn(9999)", "if os.fork() == 0: burn(9999)\ntime.sleep(9999)", IN_CHILDREN],
    ids=["itself", "two processes", "a child", "many children"],
)
def test_cpu_time_is_limited(process, asked, code):
    with pytest.raises(StoppedError, match=r"^used more than 0\.2 s of CPU time for one call$"):
        asked(code, Budget(Limits(call=0.2)))
    with pytest.raises(StoppedError, match=r"^used more than 0\.2 s of CPU time for all cells$") as stopped:
        process(f"send({{'dict': [['cell', 7]]}})\n{code}", Budget(Limits(load=0.2)))
    assert stopped.value.cell == 7


def test_cpu_time_of_restarted_processes_is_limited_together(process, asked):
    budget = Budget(Limits(total=0.5, call=0.3))
    with pytest.raises(StoppedError, match=r"0\.3 s of CPU time for one call"):
        asked("burn(9999)", budget)
    assert budget.cpu >= 0.3
    with pytest.raises(StoppedError, match=r"0\.5 s of CPU time in total"):
        asked("burn(9999)", budget)
    with pytest.raises(StoppedError, match=r"0\.5 s of CPU time in total"):
        process("no such process is started", budget)


def test_start_does_not_count_as_cpu_time(process):
    budget = Budget(Limits(load=0.2, call=0.2, total=0.4))
    process("burn(0.5)\n" + READY, budget).close()
    assert budget.cpu < 0.2


def test_memory_of_all_processes_is_limited(asked):
    code = (
        "x = b'x' * (1 << 26)\nfor _ in range(4):\n    if os.fork() == 0:\n        x += x\n        time.sleep(9999)\n"
    )
    with pytest.raises(StoppedError, match=r"^used more than 256 MB of memory$"):
        asked(f"{code}\ntime.sleep(9999)", Budget(Limits(memory=1 << 28)))


@pytest.mark.parametrize("busy", [0, 4])
def test_right_answer_may_take_longer_than_its_cpu_limit_on_the_wall_clock(asked, busy):
    loops = [psutil.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(busy)]
    code = """
        begin = time.monotonic()
        burn(0.2)
        while time.monotonic() < begin + 1.5:  # minimum duration on any machine
            time.sleep(0.01)
        reply(2, time.monotonic() - begin)
    """
    try:
        assert asked(code, Budget(Limits(load=0.5, call=0.5, total=1))) >= 1.5
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


# What it waits for ----------------------------------------------------------------------------------------------------

WAITS = {
    "sleeps": "time.sleep(9999)",
    "stops itself": "os.kill(os.getpid(), 19)",
    "waits for a lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "reads": "read(1)",
}


@pytest.mark.parametrize("what", WAITS)
def test_endless_waiting_ends_and_is_not_the_student_s_fault(process, asked, what):
    says = r"^after 0 s it was still in {}, with 0\.\d s of CPU time used$"
    with pytest.raises(StalledError, match=says.format("code cell 3")):
        process(f"send({{'dict': [['cell', 2]]}})\n{WAITS[what]}", Budget(Limits(wall=0)))
    budget = Budget(Limits(wall=1200))
    student = process(READY + WAITS[what], budget)
    function = student.names(["f"])["f"]
    budget.end = 0  # the time is up when the grader checks the clock
    with pytest.raises(StalledError, match=says.format("a call of f").replace("after 0", "after 1,200")):
        function()
    assert student._process.returncode == -signal.SIGKILL


HALF = "import struct\nos.write(1, struct.pack('<II', 2, 0)"
ON_ITS_WAY = """
import signal
reply, whole = json.dumps({"dict": [["number", 2], ["value", 3]]}).encode(), os.getpid()
data = len(reply).to_bytes(4, "little") + bytes(4) + reply
os.write(1, data[:12])
"""
AWAKE = {
    "uses CPU time": "burn(2)",
    "has a child that uses CPU time": "if os.fork() == 0: burn(3), os._exit(0)\ntime.sleep(2)",
    "is kept from running": (
        "if os.fork() == 0:\n    time.sleep(2)\n    os.kill(whole, signal.SIGCONT), os._exit(0)\n"
        "os.kill(whole, signal.SIGSTOP)"
    ),
}


@pytest.mark.parametrize("sent", ["[:3]", "", " + b'{'"])
def test_process_asleep_within_a_reply_is_stopped(process, asked, monkeypatch, sent):
    monkeypatch.setattr(students, "_ASLEEP", 5)
    code = f"{HALF}{sent})\ntime.sleep(9999)"
    with pytest.raises(StoppedError, match=r"^stopped in the middle of a reply$"):
        asked(code)
    with pytest.raises(StoppedError, match=r"^stopped in the middle of a reply$") as stopped:
        process(f"send({{'dict': [['cell', 7]]}})\n{code}")
    assert stopped.value.cell == 7


@pytest.mark.parametrize("what", tiers(AWAKE, ["uses CPU time", "is kept from running"]))
def test_slow_reply_is_accepted_while_the_process_runs_or_waits_for_a_core(asked, monkeypatch, what):
    monkeypatch.setattr(students, "_ASLEEP", 5)
    assert asked(f"{ON_ITS_WAY}\n{AWAKE[what]}\nos.write(1, data[12:])") == 3


def test_cpu_limit_takes_precedence_over_the_wall_clock(process, monkeypatch):
    budget, looks = Budget(Limits(call=5)), []
    function = process(f"{READY}\ntime.sleep(9999)", budget).names(["f"])["f"]

    def look(*_):
        looks.append(10.0 * len(looks))
        budget.end = 0 if len(looks) > 1 else budget.end
        return looks[-1], 0

    monkeypatch.setattr(usage.Tree, "look", look)
    with pytest.raises(StoppedError, match="for one call"):
        function()


# With the real worker -------------------------------------------------------------------------------------------------

CELL = """
import itertools, os, resource, signal, time
def f():
    return [*resource.getrlimit(resource.RLIMIT_CPU), time.process_time()]
def loop():
    while True: pass
def hostile():
    signal.signal(signal.SIGPROF, signal.SIG_IGN)
    sum(itertools.repeat(0))  # executes no Python line in which it could be interrupted
"""
SLEEPS = """
import time
begin = time.monotonic()
while time.process_time() < 0: pass
while time.monotonic() < begin + 1.5: time.sleep(0.01)
"""
LOOP = "while True: pass"


@pytest.mark.slow
def test_hanging_sandbox_is_not_the_student_s_fault(bwrap, monkeypatch, until):
    budget, tree = Budget(Limits()), []

    def hang(self, most, look=usage.Tree.look):
        if not tree:
            process = psutil.Process(self._process)
            tree.extend([*process.children(recursive=True), process])
            for each in tree:
                each.suspend()
        else:
            budget.end = 0
        return look(self, most)

    monkeypatch.setattr(usage.Tree, "look", hang)
    with pytest.raises(StalledError, match=r"after 1,200 s it was still in code cell 1, with 0\.0 s of CPU time used"):
        Student([Cell(1, LOOP)], bwrap, budget)
    assert len(tree) > 1
    until(lambda: not any(each.is_running() for each in tree))


@pytest.mark.slow
def test_endless_loop_gets_its_line_and_the_process_continues():
    student = Student([Cell(1, CELL)], "unsafe", Budget(Limits(call=1)))
    names = student.names(["f", "loop"])
    with pytest.raises(Failure, match=r"^ran for more than 0\.9 s$") as error:
        names["loop"]()
    assert (error.value.kind, error.value.line, error.value.number) == ("stopped", "while True: pass", 6)
    assert len(names["f"]()) == 3
    student.close()


@pytest.mark.slow
def test_worker_limits_itself_if_the_grader_cannot_see_it(monkeypatch):
    monkeypatch.setattr(usage, "known", lambda _: False)
    cells = [Cell(number, source) for number, source in enumerate((SLEEPS, LOOP, CELL), 1)]
    student = Student(cells, "unsafe", Budget(Limits(cell=0.3, load=5, call=0.3, total=100)))
    assert [str(note) for note in student.notes] == [
        "code cell 2 was stopped: it used more than 0.3 s of CPU time: while True:"
    ]
    names = student.names(["f", "loop", "hostile"])
    soft, hard, used = names["f"]()
    assert used + 0.3 < soft < used + 3 < hard
    assert 100 < hard < used + 103
    with pytest.raises(StoppedError, match=r"^ended its process$"):
        names["hostile"]()
    assert student._process.returncode == -signal.SIGXCPU
