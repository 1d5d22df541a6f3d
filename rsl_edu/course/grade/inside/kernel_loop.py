"""The loop of asyncio that runs in a kernel, as far as cells can see it: here it runs only where a cell awaits."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any

_BETWEEN = 0.1  # seconds for the tasks that a cell has begun: in a kernel they go on while nothing runs


class KernelLoop:
    """A loop that cells find as the running one, so ``asyncio.create_task`` works; ``asyncio.run`` works too."""

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
        """Be the loop of the next cell; ``asyncio.run`` leaves none."""
        asyncio.set_event_loop(self._loop)

    def wait_for(self, value: Coroutine[Any, Any, Any]) -> Any:
        """Return what something awaits."""
        return self._loop.run_until_complete(value)

    def go_on(self) -> None:
        """Let tasks run for a moment."""
        if tasks := asyncio.all_tasks(self._loop):
            with contextlib.suppress(Exception, SystemExit, KeyboardInterrupt):
                self._loop.run_until_complete(asyncio.wait(tasks, timeout=_BETWEEN))
