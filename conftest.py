"""What all tests share, the notebooks' kernels included."""

from __future__ import annotations

import copy
import gc
import os
import signal
from pathlib import Path
from typing import Any

import nbformat
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
BROWSER = "tests/browser/"
VIEW_STORED = {"text/plain": ""}
"""What is stored of a widget's view."""
BOOK = ("3_rnn",)
"""The lesson of the book that `make test` builds; the others run again, and are in the book, in `make test-all`."""
IN_A_PAGE = "import os; os.environ['RSL_EDU_BOOK'] = '1'"


@pytest.fixture(scope="session")
def no_sweeps() -> str:
    """Code for a kernel, in which sweeps then draw nothing and say the same: nbval runs them."""
    return NO_SWEEPS


def _executed(config: pytest.Config) -> Path:
    """Return the folder of the lessons that have run twice, one for all of xdist's workers."""
    base: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    return (base.parent if hasattr(config, "workerinput") else base) / "executed"


@pytest.fixture(scope="session")
def executed(pytestconfig: pytest.Config) -> Path:
    """The lessons as they ran for the second time: what the book shows. Those that have not run are not there."""
    return _executed(pytestconfig)


@pytest.fixture(scope="session")
def lessons_of_book() -> tuple[str, ...]:
    """The lesson in the book that `make test` builds."""
    return BOOK


class SecondRun(IPyNbCell):
    """A cell of a lesson that runs again, in the kernel in which the whole lesson has run: it must say the same.

    Explorers are now shown as in a page of the book, which then need not execute the lesson once more.
    """

    def runtest(self) -> None:
        """Run the cell; whatever its tag, nothing may be written to stderr."""
        lesson = self.parent
        if self.cell_num == 0:
            lesson.kernel.await_reply(lesson.kernel.execute_cell_input(IN_A_PAGE))
            lesson.page, lesson.kept, lesson.displays, lesson.messages = copy.deepcopy(lesson.nb), [], {}, []
            receive = lesson.get_kernel_message
            lesson.get_kernel_message = lambda **how: lesson.messages.append(receive(**how)) or lesson.messages[-1]
        super().runtest()
        assert not [output for output in self.test_outputs if output.get("name") == "stderr"]
        if hasattr(lesson, "page"):  # the first cell was among those chosen
            self._keep()

    def compare_outputs(self, test: list[Any], ref: list[Any], skip_compare: tuple[str, ...] | None = None) -> bool:
        """Compare all but the elements of a page, which stand instead of stills and widgets."""
        shown, stored = copy.deepcopy(test), [each for each in copy.deepcopy(ref) if each.get("data") != VIEW_STORED]
        for output in (*shown, *stored):
            html = output.get("data", {}).get("text/html", "")
            if html.startswith("<rsl-") or 'class="rsl-still"' in html:
                del output["data"]["text/html"]
        return bool(super().compare_outputs(shown, stored, skip_compare))

    def sanitize(self, text: Any) -> Any:
        """Sweeps draw nothing in a page, and say so."""
        known = text.replace("pictures, which the notebook draws", "pictures drawn") if isinstance(text, str) else text
        return super().sanitize(known)

    def _keep(self) -> None:
        """Put what the kernel sent into the page; nbval leaves out what changes a picture that is there."""
        lesson = self.parent
        place = next(i for i, cell in enumerate(lesson.nb.cells) if cell is self.cell)
        outputs: list[Any] = []
        for message in lesson.messages:
            kind, content = message["msg_type"], message["content"]
            display = content.get("transient", {}).get("display_id")
            if kind == "update_display_data":
                for output in lesson.displays.get(display, []):
                    output.data = nbformat.from_dict(content["data"])
            elif kind in ("stream", "display_data", "execute_result"):
                outputs.append(nbformat.v4.output_from_msg(message))
                lesson.displays.setdefault(display, []).append(outputs[-1])
        lesson.page.cells[place].outputs = outputs
        lesson.messages.clear()
        lesson.kept.append(place)
        if lesson.kept == [i for i, cell in enumerate(lesson.nb.cells) if cell.cell_type == "code"]:
            folder = _executed(self.config)
            folder.mkdir(exist_ok=True)
            nbformat.write(lesson.page, folder / f"{lesson.path.name}.part")
            (folder / f"{lesson.path.name}.part").replace(folder / lesson.path.name)  # whole or not at all


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each file to one worker, and all files of `tests/browser` to the same: they share a server and a browser."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return BROWSER if nodeid.startswith(BROWSER) else super()._split_scope(nodeid)

    return ByFile(config, log)


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
    items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """Spare the garbage collector the million objects that stay until the end: it would go through them each time."""
    gc.collect()
    gc.freeze()


def _turn(item: pytest.Item) -> tuple[int, int]:
    """Lessons come first, since the book shows them: the last one, which takes longest, leads; then the browser."""
    if isinstance(item, IPyNbCell) and item.path.parent.name == "notebooks":
        return 0, -int(item.path.name[0])
    return 1 + (item.path.parent.name != "browser"), 0


def _again(cell: IPyNbCell) -> SecondRun:
    given = {"cell_num": cell.cell_num, "cell": cell.cell, "options": cell.options}
    again = SecondRun.from_parent(cell.parent, name=f"{cell.name} again", **given)
    again.add_marker("second_run")
    if cell.parent.path.stem not in BOOK:
        again.add_marker("exhaustive")
    return again
