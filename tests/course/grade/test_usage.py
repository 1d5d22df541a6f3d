"""CPU time and memory of a process include all processes that it has started, even ended ones."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from rsl_edu.course.grade import usage
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.sandbox import bubblewrap

BURN = """
import os, subprocess, sys, threading, time
def burn(seconds):
    begin = time.process_time()
    while time.process_time() - begin < seconds:
        pass
"""
CPU = {
    "itself": "burn(0.3)",
    "a child that runs": "if os.fork() == 0:\n    burn(0.3)\n    time.sleep(9999)",
    "a child that has ended": "if os.fork() == 0:\n    burn(0.3)\n    os._exit(0)\nos.wait()",
    "many children": "for _ in range(30):\n    if os.fork() == 0: burn(0.01), os._exit(0)\n    os.wait()",
    "a child of a thread": "threading.Thread(target=lambda: os.fork() or (burn(0.3), time.sleep(9999))).start()",
    "a child of a child": "if os.fork() == 0:\n    if os.fork() == 0:\n        burn(0.3)\n    time.sleep(9999)",
    "threads": "for _ in range(3): threading.Thread(target=burn, args=[0.3]).start()",
}


@pytest.fixture
def start():
    """Return a function that starts Python code which then sleeps; it is ended afterwards, with its children."""
    started = []

    def start(code):
        words = [sys.executable, "-S", "-c", f"{BURN}\n{code}\ntime.sleep(9999)"]
        started.append(subprocess.Popen(words, start_new_session=True))
        return started[-1].pid

    yield start
    for process in started:
        os.killpg(process.pid, 9)
        process.wait()


@pytest.mark.parametrize("what", CPU)
def test_cpu_time_counts(start, until, what):
    process = start(CPU[what])
    until(lambda: usage.Tree(process).look()[0] >= 0.25)  # measured in hundredths of a second, rounded down


def test_sleeping_costs_no_cpu_time(start, until):
    process, begin = start(""), time.monotonic()
    until(lambda: psutil.Process(process).status() == psutil.STATUS_SLEEPING)
    used = usage.Tree(process).look()[0]
    until(lambda: time.monotonic() > begin + 1)
    assert usage.Tree(process).look()[0] <= used + 0.1


def test_memory_of_all_processes_counts(start, until):
    process = start("x = bytes(1) * (1 << 26)\nif os.fork() == 0:\n    y = b'y' * (1 << 26)\n    time.sleep(9999)")
    until(lambda: usage.Tree(process).look()[1] > 1 << 27)


def test_ended_process_uses_nothing():
    process = subprocess.Popen(["true"])
    process.wait()
    assert usage.Tree(process.pid).look() == (0, 0)


def test_processes_in_a_container_are_not_visible():
    assert usage.known("bwrap") == usage.known("unsafe") == Path("/proc/self/stat").exists()
    assert not usage.known("docker run")


def test_budget_starts_when_it_is_created():
    before = time.monotonic()
    budget = usage.Budget(Limits(wall=100))
    assert before <= budget.end - 100 <= time.monotonic()
    assert budget.cpu == 0


@pytest.fixture
def start_in_sandbox(bwrap):
    """Return a function that starts code in the sandbox with a deleted but open file of 32 MB and then sleeps."""
    started = []

    def start(code):
        file = "import os, time; x = open('/tmp/x', 'wb', 0); x.write(bytes(1 << 25)); os.unlink('/tmp/x')"
        with bubblewrap({}, 1 << 30, 32, 64 << 20) as (begin, passed):
            words = [*begin, sys.executable, "-I", "-S", "-c", f"{file}\n{code}\ntime.sleep(9999)"]
            started.append(subprocess.Popen(words, pass_fds=passed, start_new_session=True))
        return started[-1].pid

    yield start
    for process in started:
        os.killpg(process.pid, 9)
        process.wait()


def test_files_in_the_sandbox_count_as_memory(start_in_sandbox, until):
    process = start_in_sandbox("")
    until(lambda: usage.Tree(process).look()[1] > 1 << 25)


def test_shared_pages_count_once_even_if_only_files_exceed_the_limit(start_in_sandbox, until):
    shared = "y = b'y' * (1 << 26)\nfor _ in range(3):\n    if os.fork() == 0: time.sleep(9999)"
    process = start_in_sandbox(shared)
    until(lambda: usage.Tree(process).look()[1] > (4 << 26) + (1 << 25))
    all_of_them = usage.Tree(process).look()[1]
    assert usage.Tree(process).look(all_of_them - (1 << 24))[1] < 2 << 26


def test_pages_that_processes_share_count_once_above_a_limit(start, until):
    process = start("x = b'x' * (1 << 26)\nfor _ in range(3):\n    if os.fork() == 0: time.sleep(9999)")
    until(lambda: usage.Tree(process).look()[1] > 4 << 26)
    assert 1 << 26 < usage.Tree(process).look(2 << 26)[1] < 2 << 26
    assert usage.Tree(process).look(8 << 26)[1] > 4 << 26


def test_cpu_time_of_unawaited_children_counts_as_last_seen(start, until):
    child = "if os.fork() == 0: burn(0.2), os._exit(0)\n    time.sleep(0.3)"
    process = start(f"import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nfor _ in range(20):\n    {child}")
    tree = usage.Tree(process)
    until(lambda: tree.look()[0] >= 0.5)
