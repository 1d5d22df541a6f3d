"""Record how a real kernel judges the odd notebooks: ``python -m course.odd.record [--missing] [NAME …]``.

A notebook runs from top to bottom in a fresh kernel and a fresh folder, including the cells that the student ran and
then deleted. A cell that raises does not stop it. Files with the same code run only once. Then each exercise's check is
called once more in the same kernel, and the exercises that pass are recorded as ``right``. If the checks in the
notebook itself gave other results, ``seen`` lists the exercises that passed the last time their check ran. ``raised``
lists the names of the errors that cells raised.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nbformat
from jupyter_client.manager import start_new_kernel

from rsl_edu.course import assignment

from . import ENTRIES, RECORDED, recorded
from .cells import Entry, Ran, Stopped

STAND_IN = """
from unittest.mock import MagicMock


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return MagicMock()
"""
BACKEND = "from matplotlib_inline.backend_inline import *\n"
TYPED = "3"
"""What the student types at ``input()``."""


def main() -> None:
    """Record the notebooks that are named, all of them if no name is given, or only those without a record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--missing", action="store_true", help="only notebooks that have no record yet")
    asked = parser.parse_args()
    said = recorded() if RECORDED.exists() else {}
    names = [entry.name for entry in ENTRIES]
    if len(set(names)) < len(names) or set(asked.names) - set(names):
        parser.error(
            f"twice {[name for name in names if names.count(name) > 1]}, unknown {set(asked.names) - set(names)}"
        )
    for entry in ENTRIES:
        if (asked.names and entry.name not in asked.names) or (asked.missing and entry.name in said):
            continue
        start = time.monotonic()
        said[entry.name] = record(entry)
        print(f"{entry.name}: {said[entry.name]} ({time.monotonic() - start:.0f} s)", flush=True)
        _write({name: said[name] for name in sorted(said) if name in names})


def record(entry: Entry) -> dict[str, list[str]]:
    """Run a notebook in a real kernel, and return which checks pass, which do not, and what was raised."""
    tasks = [task.name for task in assignment.find(entry.assignment).tasks]
    answers = dict(zip(tasks, assignment.find(entry.assignment).answers, strict=True))
    try:
        sources = tuple(_run_by_the_learner(entry))
    except Exception as error:  # the error that Jupyter shows when it opens the file
        return {"right": [], "wrong": tasks, "unreadable": [f"{type(error).__name__}"]}
    return _in_a_kernel(sources, tuple(answers.items()), entry.installed)


def _run_by_the_learner(entry: Entry) -> Iterator[str]:
    cells = entry.cells()
    if any(isinstance(cell.source, (Ran, Stopped)) for cell in cells):
        return (cell.source for cell in cells if cell.type == "code")
    notebook = nbformat.reads(entry.content().decode("utf-8"), as_version=4)
    return (cell.source or "" for cell in notebook.cells if cell.cell_type == "code")


def _install(packages: tuple[str, ...], site: Path) -> None:
    for package in packages:
        names = package.split(".")
        for depth in range(1, len(names) + 1):
            module = site.joinpath(*names[:depth], "__init__.py")
            module.parent.mkdir(parents=True, exist_ok=True)
            module.write_text(BACKEND if package.startswith("ipympl") else STAND_IN)
    if "ipympl" in packages:  # Matplotlib finds the backend by its entry point
        about = site / "ipympl-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: ipympl\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text("[matplotlib.backend]\nwidget = ipympl\n")


@cache
def _in_a_kernel(sources: tuple[str, ...], asked: tuple[tuple[str, str], ...], installed: tuple[str, ...]):
    with tempfile.TemporaryDirectory() as folder:
        _install(installed, Path(folder, "site"))
        return _in_a_folder(sources, dict(asked), folder)


def _in_a_folder(sources: tuple[str, ...], answers: dict[str, str], folder: str) -> dict[str, list[str]]:
    home = {
        "IPYTHONDIR": f"{folder}/.ipython",
        "PYTHONPATH": os.pathsep.join([f"{folder}/site", os.environ.get("PYTHONPATH", "")]),
        "PIP_NO_INDEX": "1",
    }
    work = Path(folder, "work")
    work.mkdir()
    manager, client = start_new_kernel(startup_timeout=300, cwd=str(work), env=os.environ | home)
    raised, seen = [], {}
    try:
        for source in sources:
            if not manager.is_alive():
                raised.append("DeadKernel")
                break
            if name := _run(manager, client, source, seen):
                raised.append(name)
            time.sleep(0.05)
        right = (
            [task for task, answer in answers.items() if _passes(client, task, answer)] if manager.is_alive() else []
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    result = {"right": right, "wrong": [task for task in answers if task not in right]}
    shown = [task for task in answers if seen.get(task) == "✓"]
    return result | ({"seen": shown} if shown != right else {}) | ({"raised": raised} if raised else {})


def _run(manager, client, source: str, seen: dict[str, str]) -> str:
    """Run a cell, store the signs of the verdicts that it shows in ``seen``, and return the name of its error."""

    def shown(message) -> None:
        text = message["content"].get("data", {}).get("text/plain", "")
        if verdict := re.match(r"([✓✗○]) (\w+):", text):
            seen[verdict[2]] = verdict[1]

    def typed(message) -> None:
        client.input("quit" if "db>" in message["content"]["prompt"] else TYPED)

    patience = 6 if isinstance(source, Stopped) else 300
    try:
        reply = client.execute_interactive(
            source, allow_stdin=True, stop_on_error=False, stdin_hook=typed, output_hook=shown, timeout=patience
        )
    except TimeoutError:
        manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=60)
    return reply["content"].get("ename", "") if reply["content"]["status"] == "error" else ""


def _passes(client, task: str, answer: str) -> bool:
    check = f"__import__('rsl_edu.course.check', fromlist=['check']).EXERCISES[{task!r}]({answer}).passed"
    asked = client.execute("", user_expressions={"passed": check}, store_history=False, stop_on_error=False)
    while (reply := client.get_shell_msg(timeout=300))["parent_header"]["msg_id"] != asked:
        pass
    said = reply["content"]["user_expressions"]["passed"]
    return said["status"] == "ok" and said["data"]["text/plain"] == "True"


def _write(said: dict[str, dict[str, list[str]]]) -> None:
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(what)}" for name, what in said.items())
    RECORDED.write_text(f"{{\n{lines}\n}}\n", "utf-8")


if __name__ == "__main__":
    try:
        main()
    except queue.Empty:
        sys.exit("a kernel did not answer")
