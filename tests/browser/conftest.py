"""Fixtures that open JupyterLab and Notebook 7 in real Chromium."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import patience
import pytest
from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
READY = """() => {
    const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
    return context?.isReady && context.session?.kernel?.status === "idle";
}"""
"""Whether the kernel is ready and idle; the page shows a kernel earlier."""
OPEN_LAB = "import pathlib, sys; from rsl_edu.cli import open_lab; open_lab(pathlib.Path(sys.argv[1]), sys.argv[2:])"
"""Open JupyterLab as `rsl-edu lab` does, without copying the lessons into the folder."""
RUN_ALL = """async () => {
    await jupyterapp.commands.execute("notebook:run-all-cells");
    const cells = jupyterapp.shell.currentWidget.content.widgets.filter(cell => cell.model.type === "code");
    return cells.filter(cell => cell.model.executionCount === null).length;
}"""
"""Run all cells, and return how many did not run."""


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """Return the folder that the server serves, a copy of the notebooks."""
    folder = tmp_path_factory.mktemp("home") / "notebooks"
    shutil.copytree(ROOT / "notebooks", folder)
    return folder


@pytest.fixture(scope="session")
def server(home, no_sweeps, tmp_path_factory):
    """Return the address of the Jupyter server that `rsl-edu lab` starts, with separate configuration folders."""
    own = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "run",
        "IPYTHONDIR": "ipython",
    }
    startup = own / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "no_sweeps.py").write_text(no_sweeps)
    environment = os.environ | {name: str(own / folder) for name, folder in folders.items()}
    options = [
        "--allow-root",
        "--no-browser",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
    ]
    with (own / "log").open("w") as log:
        command = [sys.executable, "-c", OPEN_LAB, home, *options]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    while not _answers(url):
        assert process.poll() is None, (own / "log").read_text()
        time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(patience.SECONDS)


def _answers(url):
    try:
        urllib.request.urlopen(f"{url}/api").close()
    except OSError:
        return False
    return True


def _is_error(message):
    return (
        message.type == "error" and "/static/" not in message.location["url"]
    )  # the server refuses a font of Notebook 7


@pytest.fixture(scope="session")
def context(browser):
    """Return the context that pages share, so that JupyterLab's scripts, which load slowly, are cached."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(patience.MILLISECONDS)
    yield context
    context.close()


@pytest.fixture(scope="module")
def open_notebook(server, context, home):
    """Return a function that opens a notebook, runs all its cells and returns the page.

    If cells are given, it writes a new notebook with them. ``host`` is JupyterLab or Notebook 7. Later errors in the
    browser's console fail the tests.
    """
    pages: list[Page] = []
    errors: list[str] = []

    def close() -> None:
        while pages:
            pages.pop().close()
        for session in _sessions(server):
            address = f"{server}/api/sessions/{session['id']}"
            urllib.request.urlopen(urllib.request.Request(address, method="DELETE")).close()

    def run(name: str, *cells: str, host: str = "lab") -> Page:
        close()  # keep only one kernel, because each takes half a gigabyte
        if cells:
            kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
            code = [nbformat.v4.new_code_cell(cell) for cell in cells]
            nbformat.write(nbformat.v4.new_notebook(cells=code, metadata={"kernelspec": kernel}), home / name)
        page: Page = context.new_page()
        pages.append(page)
        page.goto(f"{server}/lab/tree/{name}?reset" if host == "lab" else f"{server}/notebooks/{name}")
        page.wait_for_function(READY, polling=100)  # polling at each frame would slow down a loading page
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: _is_error(message) and errors.append(message.text))
        assert page.evaluate(RUN_ALL) == 0
        return page

    yield run
    close()
    assert not errors, errors


def _sessions(server):
    with urllib.request.urlopen(f"{server}/api/sessions") as response:
        return json.load(response)
