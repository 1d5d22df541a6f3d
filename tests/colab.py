"""Run every lesson with the versions that Colab has, in a separate environment: ``make colab``.

The versions are in ``colab.txt``. The first cell of lesson 1 installs the course, as on Colab, but from this checkout;
this must not change a package that Colab has. Then an explorer is requested by messages, as Colab's page does. The
environment is in the folder for temporary files (6 GB, because pip installs a CUDA build of torch) and is removed at
the end. Colab's page and its widget manager are not part of this test.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
VERSIONS = ROOT / "tests" / "colab.txt"
LESSONS = sorted((ROOT / "notebooks").glob("[1-9]_*.ipynb"))
VIEW = "application/vnd.jupyter.widget-view+json"
MANAGER = "https://example.org/manager.js"
SHOW = f"""
import sys, types
colab = types.ModuleType("google.colab.output")
colab._widgets = types.SimpleNamespace(_installed_url=None)
colab.enable_custom_widget_manager = lambda: setattr(colab._widgets, "_installed_url", {MANAGER!r})
sys.modules["google.colab.output"] = colab
from rsl_edu import explorers
explorers.Divergence()
"""


def packages() -> dict[str, str]:
    """Return the version of each installed package, by name."""
    freeze = [sys.executable, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
    lines = subprocess.check_output(freeze, text=True).splitlines()
    return dict(line.split("==", 1) for line in lines)


def run_cells(notebook: Any, folder: str) -> list[str]:
    """Run a notebook and return its problems: errors, and everything that was written to stderr."""
    from nbclient import NotebookClient

    resources = {"metadata": {"path": folder}}
    NotebookClient(notebook, kernel_name="python3", timeout=1800, resources=resources, allow_errors=True).execute()
    wrong = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                wrong.append(f"{cell.id}: {output.ename}: {output.evalue}")
            elif output.output_type == "stream" and output.name == "stderr":
                wrong.append(f"{cell.id}: {output.text}")
    return wrong


def install_as_on_colab(folder: str) -> list[str]:
    """Let the first cell of lesson 1 install the course from this checkout; return the problems."""
    import nbformat

    before = packages()
    notebook = nbformat.read(LESSONS[0], as_version=4)
    (cell,) = (cell for cell in notebook.cells if cell.id == "install")
    cell.source, count = re.subn(r"git\+https://\S+", str(ROOT), cell.source)
    assert count == 1, cell.source
    notebook.cells = [cell]
    wrong = run_cells(notebook, folder)
    after = packages()
    new = ", ".join(f"{name} {after[name]}" for name in sorted(after.keys() - before.keys()))
    print(f"The first cell installed {new}.", flush=True)
    wrong += [f"{name} {before[name]} became {after.get(name)}" for name in before if after.get(name) != before[name]]
    return wrong if "rsl_edu" in after else [*wrong, "rsl_edu is not installed"]


def run_lesson(lesson: Path, folder: str) -> list[str]:
    """Run a lesson, print its row, and return its problems."""
    import nbformat

    started, notebook = time.monotonic(), nbformat.read(lesson, as_version=4)
    wrong = run_cells(notebook, folder)
    views = sum(VIEW in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ()))
    if not views:
        wrong.append("no explorer was shown")
    print(f"{lesson.stem:16} {time.monotonic() - started:5.0f} s {views:8} {len(wrong):6}", flush=True)
    return wrong


def messages(client: Any, request: str) -> Iterator[tuple[str, Any]]:
    """Yield type and content of all messages that the kernel sends for a request."""
    while True:
        message = client.get_iopub_msg(timeout=600)
        if message["parent_header"].get("msg_id") == request:
            yield message["msg_type"], message["content"]
            if message["content"].get("execution_state") == "idle":
                return


def ask_for_an_explorer(folder: str) -> list[str]:
    """Show an explorer and move a slider by messages; return what would be missing on Colab's page."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", cwd=folder)
    try:
        comms: dict[str, Any] = {}
        views, wrong = [], []
        for kind, content in messages(client, client.execute(SHOW)):
            if kind == "comm_open":
                comms[content["comm_id"]] = dict(content["data"]["state"])
            elif kind == "comm_msg" and content["data"]["method"] == "update":
                comms[content["comm_id"]].update(content["data"]["state"])
            elif kind == "display_data" and VIEW in content["data"]:
                views.append((content["data"][VIEW]["model_id"], content["metadata"]))
            elif kind == "error":
                return [f"explorer: {content['ename']}: {content['evalue']}"]
        ((name, metadata),) = views
        if metadata != {VIEW: {"colab": {"custom_widget_manager": {"url": MANAGER}}}}:
            wrong.append(f"explorer: its view does not name Colab's widget manager: {metadata}")
        state = comms[name]
        lacking = {"_esm", "_css", "spec", "place", "ground0", "moving0"} - state.keys()
        if state["_model_module"] != "anywidget" or lacking:
            wrong.append(f"explorer: its model lacks {lacking}")
        place = [state["place"][0] + 1, *state["place"][1:]]
        asked = {"method": "custom", "content": {"place": place, "serial": "1"}}
        message = client.session.msg("comm_msg", {"comm_id": name, "data": asked})
        client.shell_channel.send(message)
        answer: dict[str, Any] = {}
        for kind, content in messages(client, message["header"]["msg_id"]):
            if kind == "comm_msg" and content["comm_id"] == name and content["data"]["method"] == "update":
                answer.update(content["data"]["state"])
        if answer.get("place") != place or answer.get("served") != "1" or "moving0" not in answer:
            wrong.append(f"explorer: a slider that moved got no picture, but {sorted(answer)}")
        print(f"An explorer answered a slider with {', '.join(sorted(answer))}.", flush=True)
        return wrong
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def inside() -> int:
    """Install the course and run the lessons in this environment."""
    with tempfile.TemporaryDirectory() as folder:
        wrong = {"installing": install_as_on_colab(folder)}
        print(f"\n{'lesson':16} {'time':>7} {'explorers':>8} {'faults':>6}")
        for lesson in LESSONS:
            wrong[lesson.stem] = run_lesson(lesson, folder)
        wrong["messages"] = ask_for_an_explorer(folder)
    for where, faults in wrong.items():
        print(*(f"{where}: {fault}" for fault in faults), sep="\n", end="\n" * bool(faults), file=sys.stderr)
    return int(any(wrong.values()))


def main() -> int:
    """Create the environment, run the lessons in it, and remove it."""
    from other_torch import run

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # otherwise the folder would stay
    wanted = re.search(r"Python (\d+\.\d+)", VERSIONS.read_text())
    here = "{}.{}".format(*sys.version_info)
    if wanted and wanted[1] != here:
        print(f"Colab has Python {wanted[1]}, and this is {here}: make colab PYTHON=python{wanted[1]}", flush=True)
    os.environ |= {"OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1", "TQDM_DISABLE": "1"}
    with tempfile.TemporaryDirectory(prefix="colab-") as name:
        folder = Path(name)
        print(f"Installing the versions that Colab has in {folder}; this takes some minutes.", flush=True)
        python = folder / "bin" / "python"
        (folder / "tmp").mkdir()
        os.environ["TMPDIR"] = str(folder / "tmp")
        os.environ["RSL_EDU_CACHE"] = str(folder / "cache")
        if run(sys.executable, "-m", "venv", folder) or run(python, "-m", "pip", "install", "-qr", VERSIONS):
            sys.exit("The environment could not be made; the message is above.")
        return run(python, __file__, "--inside")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(inside() if "--inside" in sys.argv else main())
    sys.exit("Stopped; the environment is removed.")
