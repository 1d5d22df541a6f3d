"""Processes started by a failed cell are ended; processes of other cells continue."""

import subprocess
import sys
from pathlib import Path

import pytest

from rsl_edu.course.check import failure, limit
from rsl_edu.course.grade import wire
from rsl_edu.course.grade.notebook import Cell
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.student import Student
from rsl_edu.course.grade.usage import Budget

PLACES = [Path(wire.__file__).parent / "inside", *(Path(module.__file__).parent for module in (wire, failure, limit))]
RUN = """
import signal, sys
sys.path[:0] = PLACES
from cells import Notebook
from children import adopt, children
adopt()
for sources in SOURCES:
    notebook = Notebook(["f"], {"cell": 0.3, "load": 9}, after=lambda: None)
    notebook.run([[n, source, False, False, ""] for n, source in enumerate(sources, 1)], {})
    print(len(children()))
    while left := children():
        import os
        for process in left:
            os.kill(process, 9)
            os.waitpid(process, 0)
"""
SLEEP = "import os, subprocess, time\nprocess = subprocess.Popen(['sleep', '9999'])"
ORPHAN = "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: os.execlp('sleep', 'sleep', '9999')\n"
BOMB = "import os\nfor _ in range(20):\n    if os.fork() == 0:\n        while True: pass\nwhile True: pass"
CELLS = {
    "of a cell that works": ([SLEEP], 1),
    "of a cell that raises": ([f"{SLEEP}\n1 / 0"], 0),
    "of a cell before one that raises": ([SLEEP, f"{SLEEP}\n1 / 0"], 1),
    "of a cell that is stopped": ([f"{SLEEP}\nwhile True: pass"], 0),
    "without a parent": ([f"{ORPHAN}    os._exit(0)\nos.wait()\n1 / 0"], 0),
    "many that are busy": ([BOMB], 0),
}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system has no /proc")
def test_processes():
    """Test everything in one process, because its start takes the longest."""
    code = RUN.replace("PLACES", str([*map(str, PLACES)]))
    code = code.replace("SOURCES", str([sources for sources, _ in CELLS.values()]))
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    left = dict(zip(CELLS, map(int, out.stdout.split()), strict=True))
    assert left == {which: number for which, (_, number) in CELLS.items()}, out.stderr


CALLS = """
import os, threading, time
def bomb():
    while True:
        os.fork()
def leave():
    if os.fork() == 0:
        time.sleep(9999)
def threads():
    time.sleep(3)  # wait until the timer is off, so that the next call has to start it again
    started = [threading.Thread(target=time.sleep, args=[0.1]) for _ in range(9)]
    for each in started:
        each.start()
    return len(open(f"/proc/self/task/{os.getpid()}/children").read().split())
"""


@pytest.mark.slow
def test_processes_of_a_failed_call_do_not_use_the_time_of_later_calls(bwrap):
    student = Student([Cell(1, CALLS)], bwrap, Budget(Limits()))
    names = student.names(["bomb", "leave", "threads"])
    names["leave"]()
    with pytest.raises(BlockingIOError):
        names["bomb"]()
    assert names["threads"]() == 1
    student.close()
