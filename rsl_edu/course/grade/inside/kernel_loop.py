"""Replacement for the asyncio loop of a kernel; this loop runs only while a cell awaits something."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any

_BETWEEN = 0.1  # seconds for tasks that a cell has started; in a kernel they continue between cells


class KernelLoop:
    """An event loop that counts as running in cells, so that ``asyncio.create_task`` and ``asyncio.run`` work."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        running, cells = asyncio.get_running_loop, threading.get_ident()

        def found() -> asyncio.AbstractEventLoop:
            try:
                return running()
            except RuntimeError:
                if threading.get_ident() != cells:
                    raise
                return self._loop

        asyncio.get_running_loop = asyncio.events.get_running_loop = found

    def begin(self) -> None:
        """Become the event loop of the next cell, because ``asyncio.run`` leaves no loop behind."""
        asyncio.set_event_loop(self._loop)

    def wait_for(self, value: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine and return its result."""
        return self._loop.run_until_complete(value)

    def go_on(self) -> None:
        """Let tasks run for a moment."""
        if tasks := asyncio.all_tasks(self._loop):
            with contextlib.suppress(Exception, SystemExit, KeyboardInterrupt):
                self._loop.run_until_complete(asyncio.wait(tasks, timeout=_BETWEEN))
