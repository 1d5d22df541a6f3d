"""What all tests share, the notebooks' kernels included."""

from __future__ import annotations

import os
import signal

import pytest
import torch
from nbval.plugin import IPyNbCell

from rsl_edu.folders import ensure_home

ensure_home()
os.environ["TQDM_DISABLE"] = "1"  # a progress bar that shows on a slow day is no output to compare
torch.set_num_threads(1)  # the tests run side by side
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a script started them in the background; some test Ctrl+C
    signal.signal(signal.SIGINT, signal.default_int_handler)

NO_SWEEPS = """
from rsl_edu.explorers import Explorer
Explorer.sweep = lambda self: f"{type(self).__name__}: {len(list(self.corners()))} pictures drawn"
"""


@pytest.fixture(scope="session")
def no_sweeps() -> str:
    """Code for a kernel, in which sweeps then draw nothing and say the same: nbval runs them."""
    return NO_SWEEPS


class SecondRun(IPyNbCell):
    """A cell of a lesson that runs again, in the kernel in which the whole lesson has run: it must say the same."""

    def runtest(self) -> None:
        """Run the cell; whatever its tag, nothing may be written to stderr."""
        if self.cell_num == 0:
            kernel = self.parent.kernel
            kernel.await_reply(kernel.execute_cell_input(NO_SWEEPS))
        super().runtest()
        assert not [output for output in self.test_outputs if output.get("name") == "stderr"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each lesson run twice; a kernel on a busy machine may take its time to show what it has done."""
    for lesson in {item.parent: None for item in items if isinstance(item, IPyNbCell)}:
        for cell in (item for item in items if item.parent is lesson):
            cell.output_timeout = 600  # seconds
        if lesson.path.parent.name == "notebooks":  # the assignments run once
            first = [item for item in items if item.parent is lesson]
            after = items.index(first[-1]) + 1
            items[after:after] = [_again(cell) for cell in first]


def _again(cell: IPyNbCell) -> SecondRun:
    given = {"cell_num": cell.cell_num, "cell": cell.cell, "options": cell.options}
    again = SecondRun.from_parent(cell.parent, name=f"{cell.name} again", **given)
    again.add_marker("second_run")
    return again
