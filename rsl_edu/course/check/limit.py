"""A time limit for a learner's code, in any thread and on any system: it raises inside that code.

It imports nothing of rsl_edu: the grader's sandbox has this file too.
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

_LOOKS = 0.02  # seconds from one look at the calls to the next
_AGAIN = 0.1  # seconds until it is raised again in code that has caught it
_IDLE = 1.0  # seconds without a call after which the watching thread ends

_unlimited = ContextVar("unlimited", default=False)


class TooLongError(BaseException):
    """A learner's code ran for too long.

    Not an ``Exception``, so that an ``except Exception`` in that code does not catch it.
    """


class _TwiceError(TooLongError):
    """For code that has caught the first one, with a bare ``except:``: raises another as soon as that code runs on.

    Where nearly all time is spent in the ``try``, each one is raised in there; the second of two is not.
    """

    def __init__(self) -> None:
        if sys._getframe(1).f_code.co_filename != __file__:
            thread = ctypes.c_ulong(threading.get_ident())
            another = partial(ctypes.pythonapi.PyThreadState_SetAsyncExc, thread, ctypes.py_object(TooLongError))
            missing: defaultdict[int, object] = defaultdict(another)
            _ = missing[0]  # not a call in Python, after which it would be raised in here


def limited(seconds: float, call: Callable[[], T], asleep: float = 6.0) -> T:
    """Return what a call returns; if it takes too long, raise an error inside its code.

    CPU time of this process counts, so that a busy machine is no fault. The error comes between two lines of Python: no
    operation of torch is interrupted. Code that catches it, with a bare ``except:``, gets it again until it ends.

    Args:
        seconds: Of CPU time; at least as many also pass on the wall clock.
        call: What to do.
        asleep: Times as many seconds on the wall clock, after which the call ends even if it used no CPU time.

    Raises:
        TooLongError: If it took too long; the last line of its traceback in the learner's code is where it was.
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
        torch.set_grad_enabled(graded)  # it may have come while a no_grad() ended
        if watch.raised and not error.args:
            error.args = (watch.says,)
        raise
    finally:
        watch.end()  # again: the error can come in the first
    if watch.raised:  # its code has caught the error
        raise TooLongError(watch.says)
    return result


@contextlib.contextmanager
def unlimited() -> Iterator[None]:
    """Let :func:`limited` only call: the grader waits for another process, which has its own limits."""
    token = _unlimited.set(True)
    try:
        yield
    finally:
        _unlimited.reset(token)


class _Watch:
    """A call, seen from the thread that watches.

    Args:
        seconds: Of CPU time that it may use.
        asleep: Times as many on the wall clock.
        frame: Of :func:`limited`: while it is on its thread's stack, the call runs.
    """

    def __init__(self, seconds: float, asleep: float, frame: FrameType) -> None:
        self.says = f"ran for more than {seconds:g} s"
        self.seconds, self.asleep = seconds, asleep
        self.frame: FrameType | None = frame
        self.thread = threading.get_ident()
        self.wall, self.cpu = time.monotonic(), time.process_time()
        self.raised = 0.0  # when, on the wall clock

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
        """Watch it no more: from now on nothing is raised."""
        with _lock:
            watched = self in _watched
            if watched:
                _watched.remove(self)
            self.frame = None  # which holds this, and all that the call has returned
        if watched and self.raised:
            _catch_pending(self.thread)

    def look(self) -> None:
        """Raise the error in the call if its time is up; the lock is held."""
        now = time.monotonic()
        used = now - self.wall
        if used < self.seconds or now < self.raised + _AGAIN:
            return
        if time.process_time() - self.cpu < self.seconds and used < self.asleep * self.seconds:
            return
        top = frame = sys._current_frames().get(self.thread)
        while frame is not None and frame is not self.frame:
            frame = frame.f_back
        if frame is None or top is None:  # Ctrl+C came while it ended
            _watched.remove(self)
        elif top.f_code.co_filename != __file__:  # it is not about to end
            _raise(self.thread, _TwiceError if self.raised else TooLongError)
            self.raised = now


_lock = threading.Lock()
_watched: list[_Watch] = []
_watcher: list[threading.Thread] = []  # one, for as long as there is something to watch


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
    """Raise an error in a thread, as soon as it runs Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def _catch_pending(thread: int) -> None:
    """See to it that no error is pending in this thread.

    CPython can take one back, but 3.11 goes on looking for it at every step then, and hangs under a profile function.
    So it is raised here, or another one in its place, and caught.
    """
    with contextlib.suppress(TooLongError):
        _raise(thread, TooLongError)
        while True:
            pass
