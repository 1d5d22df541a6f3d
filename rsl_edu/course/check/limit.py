"""A time limit for a learner's code, in any thread and on any system, which raises an error inside that code.

This file imports nothing from rsl_edu, because the grader's sandbox contains it too.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from types import FrameType
from typing import TypeVar

import torch

T = TypeVar("T")

_LOOKS = 0.02  # seconds between two checks of the calls
_AGAIN = 0.1  # seconds until the error is raised again in code that has caught it
_IDLE = 1.0  # seconds without a call after which the watching thread ends

_unlimited = ContextVar("unlimited", default=False)


class TooLongError(BaseException):
    """A learner's code ran for too long.

    The error is not an ``Exception``, so that ``except Exception`` in the learner's code does not catch it.
    """


class _TwiceError(TooLongError):
    """The first of two errors in a row, raised in code that has caught a TooLongError with a bare ``except:``.

    If the code spends nearly all of its time inside ``try``, a single error is raised and caught there every time. Of
    two errors in a row, the second is raised outside of the ``try``.
    """

    def __init__(self) -> None:
        if sys._getframe(1).f_code.co_filename != __file__:
            thread = ctypes.c_ulong(threading.get_ident())
            another = partial(ctypes.pythonapi.PyThreadState_SetAsyncExc, thread, ctypes.py_object(TooLongError))
            missing: defaultdict[int, object] = defaultdict(another)
            _ = missing[0]  # not a Python call, because the error would be raised here, after the call


def limited(seconds: float, call: Callable[[], T], asleep: float = 6.0) -> T:
    """Return what a call returns; if the call takes too long, raise an error inside the code that it runs.

    The limit applies to the CPU time of this process, so a busy machine does not matter. The error is raised between
    two lines of Python, so it interrupts no torch operation. It is raised again in code that catches it with a bare
    ``except:``, until that code ends.

    Args:
        seconds: The limit in seconds of CPU time; at least as many seconds pass on the wall clock.
        call: The function to call.
        asleep: The wall-clock limit, as a multiple of ``seconds``, which applies even if no CPU time is used.

    Raises:
        TooLongError: If the call took too long; its traceback ends at the line that the learner's code had reached.
    """
    if _unlimited.get():
        return call()
    graded = torch.is_grad_enabled()
    watch = _Watch(seconds, asleep, sys._getframe())
    try:
        try:
            watch.begin()
            result = call()
        finally:
            watch.end()
    except TooLongError as error:
        torch.set_grad_enabled(graded)  # the error may have been raised while a no_grad() was ending
        if watch.raised and not error.args:
            error.args = (watch.says,)
        raise
    finally:
        watch.end()  # again, because the error can be raised inside the first call of end()
    if watch.raised:  # the code has caught the error
        raise TooLongError(watch.says)
    return result


@contextlib.contextmanager
def unlimited() -> Iterator[None]:
    """Make :func:`limited` apply no limit: the grader waits for another process, which has its own limits."""
    token = _unlimited.set(True)
    try:
        yield
    finally:
        _unlimited.reset(token)


class _Watch:
    """A call that the watching thread watches.

    Args:
        seconds: The limit in seconds of CPU time.
        asleep: The wall-clock limit, as a multiple of ``seconds``.
        frame: The frame of :func:`limited`; the call is running while this frame is on its thread's stack.
    """

    def __init__(self, seconds: float, asleep: float, frame: FrameType) -> None:
        self.says = f"ran for more than {seconds:g} s"
        self.seconds, self.asleep = seconds, asleep
        self.frame: FrameType | None = frame
        self.thread = threading.get_ident()
        self.wall, self.cpu = time.monotonic(), time.process_time()
        self.raised = 0.0  # wall-clock time of the last error that was raised, or 0

    def begin(self) -> None:
        """Watch the call from now on."""
        if self.seconds <= 0:
            raise TooLongError(self.says)
        with _lock:
            _watched.append(self)
            if not _watcher:
                _watcher.append(threading.Thread(target=_watch, name="time limit", daemon=True))
                try:
                    _watcher[0].start()
                except RuntimeError:  # too many threads
                    _watcher.clear()
                    raise

    def end(self) -> None:
        """Stop watching the call: from now on no error is raised."""
        with _lock:
            watched = self in _watched
            if watched:
                _watched.remove(self)
            self.frame = None  # the frame refers to this object, and to everything that the call returned
        if watched and self.raised:
            _catch_pending(self.thread)

    def look(self) -> None:
        """Raise the error in the call if its time is up; the caller holds the lock."""
        now = time.monotonic()
        used = now - self.wall
        if used < self.seconds or now < self.raised + _AGAIN:
            return
        if time.process_time() - self.cpu < self.seconds and used < self.asleep * self.seconds:
            return
        top = frame = sys._current_frames().get(self.thread)
        while frame is not None and frame is not self.frame:
            frame = frame.f_back
        if frame is None or top is None:  # Ctrl+C was pressed while the call was ending
            _watched.remove(self)
        elif top.f_code.co_filename != __file__:  # the call is not about to end
            _raise(self.thread, _TwiceError if self.raised else TooLongError)
            self.raised = now


_lock = threading.Lock()
_watched: list[_Watch] = []
_watcher: list[threading.Thread] = []  # one thread, as long as there are calls to watch


def _watch() -> None:
    busy = time.monotonic()
    while True:
        time.sleep(_LOOKS)
        with _lock:
            if _watched:
                busy = time.monotonic()
            elif time.monotonic() > busy + _IDLE:
                _watcher.clear()
                return
            for watch in [*_watched]:
                watch.look()


def _raise(thread: int, error: type[TooLongError]) -> None:
    """Raise an error in a thread, as soon as that thread runs Python code."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def _catch_pending(thread: int) -> None:
    """Make sure that no error is pending in this thread.

    CPython can cancel a pending error, but CPython 3.11 then keeps checking for it at every step, and hangs under a
    profile function. So the pending error, or another one that replaces it, is raised and caught here.
    """
    with contextlib.suppress(TooLongError):
        _raise(thread, TooLongError)
        while True:
            pass
