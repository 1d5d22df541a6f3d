"""Film an explorer in JupyterLab for the README, as ``book/stream.webp``: ``python book/pictures/film.py``.

It needs Chromium and Playwright, and takes about a minute. Run it again when the explorer *stream* looks different.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, sync_playwright

ROOT = Path(__file__).parents[2]
FILE = ROOT / "book" / "stream.webp"
CODE = """from rsl_edu import data, explorers

robot = data.rollout("Humanoid-v5", steps=256, envs=32)
explorers.Stream(robot.observations, robot.names, feature=30, shift=1024, seen=128)"""
SIZE = {"width": 1000, "height": 900}
LEFT, TOP = 36, 32
"""Size of what the film leaves out: JupyterLab's left side bar and its menu, in CSS pixels."""
SHARP = 2
"""Pixels of the browser for each CSS pixel."""
WIDTH = 1400
"""Width of the film in pixels: about 1.7 times the width that GitHub gives a README."""
STEP, FIRST, LAST = 120, 1500, 3000
"""Duration of a picture in ms: while the slider moves, at the beginning, and at the end."""
READY = """() => {
    const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
    return context?.isReady && context.session?.kernel?.status === "idle";
}"""
RUN_ALL = """async () => {
    const {commands} = jupyterapp;
    await commands.execute("notebook:run-all-cells");
    if (!jupyterapp.shell.leftCollapsed) await commands.execute("application:toggle-left-area");
}"""
ARROW = [(0, 0), (0, 34), (8, 27), (14, 40), (20, 37), (14, 25), (25, 25)]
"""Outline of the pointer, which screenshots leave out."""


@contextmanager
def lab(folder: Path) -> Iterator[str]:
    """Start JupyterLab on a folder, as ``rsl-edu lab`` does, and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    open_lab = (
        "import pathlib, sys; from rsl_edu.cli import open_lab; open_lab(pathlib.Path(sys.argv[1]), sys.argv[2:])"
    )
    options = ["--allow-root", "--no-browser", f"--port={port}", "--IdentityProvider.token="]
    options.append("--LabApp.expose_app_in_browser=True")
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    own = {name: str(folder.parent / name.lower()) for name in names}
    server = subprocess.Popen(
        [sys.executable, "-c", open_lab, folder, *options], env=os.environ | own, stderr=subprocess.DEVNULL
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def answers(address: str) -> bool:
    """Return whether a server responds at the address."""
    try:
        urllib.request.urlopen(address).close()
    except OSError:
        return False
    return True


def opened(page: Page, address: str, name: str) -> Locator:
    """Open a notebook, run it, and return its explorer."""
    while not answers(f"{address}/api"):
        page.wait_for_timeout(200)
    page.goto(f"{address}/lab/tree/{name}?reset")
    page.wait_for_function(READY, polling=100)
    page.evaluate(RUN_ALL)
    explorer = page.get_by_role("group", name="Stream", exact=True)
    explorer.locator(".rsl-panels svg").first.wait_for()
    fold = "groups => groups.forEach(group => group.open = false)"
    explorer.locator("details").evaluate_all(fold)  # controls that the film does not need
    page.wait_for_timeout(2000)
    return explorer


def frames(page: Page, explorer: Locator) -> Iterator[tuple[Image.Image, int]]:
    """Drag the slider from left to right; yield each picture of the film and its duration in ms."""
    slider = explorer.get_by_role("slider", name="samples seen", exact=True)
    box, last = slider.bounding_box(), int(slider.get_attribute("max") or 0)
    assert box
    start = int(slider.input_value())
    thumb = 16
    y = box["y"] + box["height"] / 2
    whole = explorer.bounding_box()
    assert whole
    part = (LEFT, TOP, SIZE["width"] - LEFT, whole["y"] + whole["height"] + 36)
    for place in range(start, last + 1):
        x = box["x"] + thumb / 2 + (box["width"] - thumb) * place / last
        page.mouse.move(x, y)
        if place == start:
            page.mouse.down()
        page.wait_for_function("([slider, place]) => +slider.value === place", arg=[slider.element_handle(), place])
        page.wait_for_timeout(400)  # for the picture, which the kernel sends
        yield shot(page, part, x, y), FIRST if place == start else LAST if place == last else STEP
    page.mouse.up()


def shot(page: Page, part: tuple[float, ...], x: float, y: float) -> Image.Image:
    """Return a part of the page (left, top, right, bottom), with the pointer at x and y."""
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    pointer = [(SHARP * x + dx, SHARP * y + dy) for dx, dy in ARROW]
    ImageDraw.Draw(image).polygon(pointer, fill="black", outline="white", width=2)
    left, top, right, bottom = (SHARP * edge for edge in part)
    return image.crop((left, top, right, bottom))


def main() -> None:
    """Make the film and write it to ``FILE``."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as there, sync_playwright() as playwright:
        folder = Path(there, "film")
        folder.mkdir()
        nbformat.write(notebook, folder / "my_robot.ipynb")
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = chromium.new_page(viewport=SIZE, device_scale_factor=SHARP)
        with lab(folder) as address:
            pictures, times = zip(*frames(page, opened(page, address, "my_robot.ipynb")), strict=True)
        chromium.close()
    height = round(WIDTH * pictures[0].height / pictures[0].width)
    first, *rest = (picture.resize((WIDTH, height), Image.Resampling.LANCZOS) for picture in pictures)
    first.save(FILE, save_all=True, append_images=rest, duration=times, loop=0, quality=80, method=6)
    print(f"{FILE.name}: {len(times)} pictures, {sum(times) / 1000:.1f} s, {FILE.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
