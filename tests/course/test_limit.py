"""A learner's code that runs for too long is stopped, with its current line; nothing else is stopped."""

import _thread
import contextlib
import gc
import math
import queue
import subprocess
import sys
import threading
import time
import weakref

import nbformat
import pytest
import torch
from nbclient import NotebookClient

from rsl_edu.course.check import limit
from rsl_edu.course.check.failure import failure
from rsl_edu.course.check.limit import TooLongError, limited, unlimited

SOON = 0.05


def loop():
    while True:
        pass


def bare_except():
    while True:
        try:
            sum(range(10))
        except:  # noqa: E722
            continue


def bare_except_in_another():
    while True:
        try:
            bare_except()
        except ValueError:
            continue


def long_body():
    def body():
        for _ in range(1000):
            math.sqrt(2)

    while True:
        try:
            body()
        except:  # noqa: E722
            continue


def except_exception():
    while True:
        try:
            raise ValueError
        except Exception:
            continue


def tensors():
    x = torch.ones(10)
    while True:
        with torch.no_grad():
            x = torch.softmax(x, 0)


def sleeps():
    while True:
        time.sleep(0.001)


def caught():
    try:
        loop()
    except BaseException:
        return 3


def nested():
    limited(1000, loop)


LOOPS = [loop, bare_except, bare_except_in_another, long_body, except_exception, tensors, sleeps, caught, nested]


@pytest.mark.parametrize("call", LOOPS)
def test_code_that_never_ends_is_stopped(call):
    with pytest.raises(TooLongError, match=r"^ran for more than 0\.05 s$"):
        limited(SOON, call)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("call", [loop, long_body])
def test_the_failure_names_the_line(call):
    with pytest.raises(TooLongError) as error:
        limited(SOON, call)
    account = failure(error.value, lambda file: file == __file__)
    assert (account.kind, account.says) == ("stopped", "ran for more than 0.05 s")
    assert account.function in (call.__name__, "body")
    assert call is not loop or account.line in ("while True:", "pass")


@pytest.mark.parametrize("call", [lambda: 3, lambda: limited(1000, lambda: 3)])
def test_result_of_a_call_that_ends_is_returned(call):
    assert limited(1000, call) == 3


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt()])
def test_errors_are_passed_on(error):
    def call():
        raise error

    with pytest.raises(type(error)) as seen:
        limited(1000, call)
    assert seen.value is error


def test_ctrl_c_stops_a_call_immediately():
    def call():
        _thread.interrupt_main()
        loop()

    with pytest.raises(KeyboardInterrupt):
        limited(1000, call)


def test_nothing_runs_if_no_time_is_left():
    with pytest.raises(TooLongError):
        limited(0, lambda: pytest.fail("it ran"))


def test_another_thread_has_its_own_limit():
    seen = queue.Queue()

    def run():
        try:
            limited(SOON, loop)
        except TooLongError as error:
            seen.put(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert str(seen.get()) == "ran for more than 0.05 s"
    thread.join()


def test_nothing_is_raised_after_the_end(monkeypatch):
    """A call that ends just when its time is up returns or is stopped, and the code after it runs."""
    monkeypatch.setattr(limit, "_LOOKS", 1e-4)
    monkeypatch.setattr(limit, "_AGAIN", 0)
    for _ in range(200):
        end = time.process_time() + 1.1e-3
        with contextlib.suppress(TooLongError):
            limited(1e-3, lambda end=end: [None for _ in iter(lambda: time.process_time() < end, False)])
        for _ in range(1000):
            math.sqrt(2)


def test_time_on_a_busy_machine_does_not_count():
    """Much wall-clock time passes, but little CPU time of the process."""

    def call():
        begin = time.monotonic()
        while time.monotonic() < begin + 4 * SOON:
            time.sleep(0.001)
        return 3

    assert limited(SOON, call, asleep=math.inf) == 3


def test_no_reference_to_the_result_is_kept():
    result = limited(1000, lambda: torch.ones(3))
    alive = weakref.ref(result)
    gc.disable()
    try:
        del result
        assert alive() is None
    finally:
        gc.enable()


def test_the_watching_thread_ends(until, monkeypatch):
    monkeypatch.setattr(limit, "_IDLE", 0)
    limited(1000, lambda: None)
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "time limit"])
    with pytest.raises(TooLongError):  # and starts again
        limited(SOON, loop)


def test_there_is_no_limit_inside_unlimited():
    with unlimited():
        assert limited(0, lambda: 3) == 3
    with pytest.raises(TooLongError):
        limited(0, lambda: 3)


def test_a_call_is_cheap():
    """A check makes hundreds of calls, and starting a thread for each would take longer."""
    calls = 1000
    begin = time.thread_time()
    for _ in range(calls):
        limited(1000, int)
    assert (time.thread_time() - begin) / calls < 100e-6


def test_a_profile_function_works_after_a_stop():
    """After a cancelled asynchronous error, Python 3.11 hung in the next call under a profile function."""
    code = """
import sys
from rsl_edu.course.check.limit import TooLongError, limited
def loop():
    while True: pass
try:
    limited(0.05, loop)
except TooLongError:
    pass
sys.setprofile(lambda *_: None)
def step(): return int()
print([step() for _ in range(100)] == 100 * [0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout == "True\n"


@pytest.mark.slow
def test_a_notebook_continues_after_a_check_that_hung():
    cells = [
        "from rsl_edu.course.check.limit import TooLongError, limited\ndef f():\n    while True: pass",
        f"try:\n    limited({SOON}, f)\nexcept TooLongError as error:\n    print(error)",
        "print(1 + 1)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, startup_timeout=600, timeout=None).execute()
    seen = [cell.outputs[0].text for cell in notebook.cells[1:]]
    assert seen == ["ran for more than 0.05 s\n", "2\n"]
