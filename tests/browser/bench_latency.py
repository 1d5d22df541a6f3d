"""Measure for ``make bench`` the time from a slider event to the new picture, compared with ``interact``.

The figure has 2×3 panels (four heat maps, a line and a histogram) with 900×500 pixels, and shows a network of four
layers. Both versions run in the same real JupyterLab, one after the other, in headless Chromium.
"""

from __future__ import annotations

import contextlib
import dataclasses
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rsl_edu import explorers
from rsl_edu.explorers import Explorer, control

HERE = Path(__file__).parent
EVENTS = 60
PAUSE = 150
"""Milliseconds between a picture and the next key press."""
SLIDERS = {
    "Signal": ("input scale", "hidden layers"),
    "Memory": ("time step",),
    "Divergence": ("new mean",),
    "StdTraining": ("learning rate",),
    "HeteroscedasticFit": ("learning rate",),
    "AdaptiveRate": ("factor",),
    "Rewards": ("reward shift",),
}
"""Sliders to measure: some only move data, some change words or limits, some rerun a training."""
NAMES = list(explorers.EXPLORERS)


@dataclasses.dataclass(frozen=True)
class LayersState:
    gain: int = control(100, "gain", "Gain of the weights.", unit="%", range=(10, 300, 1))


class Layers(Explorer[LayersState, list]):
    """An explorer with the representative figure."""

    State = LayersState
    size = (9.0, 5.0)

    def compute(self, state):
        draw = torch.Generator().manual_seed(0)
        x, layers = torch.randn(64, 32, generator=draw), []
        with torch.inference_mode():
            for _ in range(4):
                weight = torch.randn(x.shape[1], 64, generator=draw) * (state.gain / 100 / x.shape[1] ** 0.5)
                layers.append(x := (x @ weight).tanh())
        return [layer.numpy() for layer in layers]

    def stage(self, figure):
        axes = figure.subplots(2, 3).flat
        look = {"vmin": -1, "vmax": 1, "cmap": "RdBu_r", "aspect": "auto", "interpolation": "nearest"}
        maps = [axes[i].imshow(np.zeros((64, 64)), **look) for i in range(4)]
        for i in range(4):
            axes[i].set(title=f"layer {i + 1}", xlabel="unit", ylabel="sample")
        (line,) = axes[4].plot([1, 2, 3, 4], np.zeros(4), "o-")
        axes[4].set(title="std", xlabel="layer", ylim=(0, 1.2), xticks=[1, 2, 3, 4])
        bars = axes[5].stairs(np.zeros(60), np.linspace(-1, 1, 61), fill=True)
        axes[5].set(title="last layer", xlabel="activation", xlim=(-1, 1), ylim=(0, 6))
        return {"maps": maps, "line": line, "bars": bars}

    def draw(self, artists, result):
        for image, layer in zip(artists["maps"], result, strict=True):
            image.set_data(layer)
        artists["line"].set_ydata([layer.std() for layer in result])
        artists["bars"].set_data(np.histogram(result[-1], 60, (-1, 1), density=True)[0])

    def describe(self, result):
        return "std of the layers: " + ", ".join(f"{layer.std():.2f}" for layer in result)


def ours(times: str) -> Layers:
    """Show the figure as an explorer, and append the milliseconds of each event in the kernel to a file."""
    from rsl_edu.explorers.bench.widget import Live

    receive = Live._receive
    Live._receive = lambda *arguments: _timed(times, receive, *arguments)
    return Layers()


def with_interact(times: str) -> None:
    """Show the same figure through ipywidgets' ``interact``."""
    import ipywidgets
    import matplotlib.pyplot as plt

    layers = Layers()

    def show(gain: int) -> None:
        figure = plt.figure(figsize=layers.size, dpi=100, layout="constrained")
        layers.draw(layers.stage(figure), layers.compute(LayersState(gain)))
        plt.show()

    slider = ipywidgets.IntSlider(100, 10, 300, description="gain (%)")
    ipywidgets.interact(lambda gain: _timed(times, show, gain), gain=slider)


def _timed(times: str, function: Any, *arguments: Any) -> None:
    start = time.perf_counter()
    function(*arguments)
    with Path(times).open("a") as file:
        file.write(f"{1e3 * (time.perf_counter() - start)}\n")


FOLLOW = """() => {  // record when a key is pressed and when a new picture is displayed
    window.pressed = 0;
    window.shown = [];
    const note = () => requestAnimationFrame(() => window.shown.push(performance.now()));
    document.addEventListener("keydown", () => { window.pressed = performance.now(); }, true);
    document.addEventListener("load", event => event.target.tagName === "IMG" && note(), true);
    const panels = document.querySelector(".rsl-panels");
    if (panels) new MutationObserver(note).observe(panels, { subtree: true, childList: true });
}"""
TURN = """(handle, key) => {  // turn round at an end
    const [value, first, last] = handle.value === undefined
        ? [handle.ariaValueNow, handle.ariaValueMin, handle.ariaValueMax] : [handle.value, handle.min, handle.max];
    return Number(value) >= Number(last) ? "ArrowLeft" : Number(value) <= Number(first) ? "ArrowRight" : key;
}"""
AWAITED = "count => window.shown.length > count"


def presses(page: Any, handle: Any, events: int) -> list[float]:
    """Press a key, wait for the picture and pause like a learner; return the milliseconds of each press."""
    taken, key = [], "ArrowRight"
    handle.focus()
    for _ in range(events):
        before = page.evaluate("window.shown.length")
        key = handle.evaluate(TURN, key)
        page.keyboard.press(key)
        page.wait_for_function(AWAITED, arg=before)
        page.wait_for_timeout(PAUSE)
        taken.append(page.evaluate(f"window.shown[{before}] - window.pressed"))
    return taken


def latency(open_notebook: Any, home: Path, way: str) -> dict[str, list[float]]:
    """Return the milliseconds of each event in the kernel and in the page, and the lag after a drag."""
    times = home / f"{way}.txt"
    cell = f"import sys; sys.path.insert(0, {str(HERE)!r}); import bench_latency\nbench_latency.{way}({str(times)!r})"
    page = open_notebook(f"{way}.ipynb", cell)
    handle = page.get_by_role("slider").first
    page.locator(".jp-OutputArea-output :is(img, .rsl-panels)").last.wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    page.evaluate(FOLLOW)
    presses(page, handle, 5)
    times.write_text("")
    pages = presses(page, handle, EVENTS)
    kernel = [float(line) for line in times.read_text().split()]
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    start = time.monotonic()
    while (passed := time.monotonic() - start) < 2:
        page.mouse.move(x + 20 * passed, y)
        page.wait_for_timeout(8)
    released = page.evaluate("performance.now()")
    page.mouse.up()
    page.wait_for_timeout(2000)
    return {"kernel": kernel, "page": pages, "lag": [max(0.0, page.evaluate("window.shown.at(-1)") - released)]}


def of_explorers(open_notebook: Any, when: str) -> dict[tuple[str, str], list[float]]:
    """Return the milliseconds from key to picture of some explorers' sliders, by name and label, with new kernels."""
    found = {}
    for name, labels in SLIDERS.items():
        cell = f"from rsl_edu import explorers\nexplorers.{name}()"
        page = open_notebook(f"{when}_{name.lower()}.ipynb", cell)
        page.locator(".rsl-panels").wait_for(timeout=60_000)
        page.wait_for_timeout(1000)
        page.evaluate(FOLLOW)
        for label in labels:
            handle = page.get_by_role("slider", name=label, exact=True).first
            presses(page, handle, 2)
            found[name, label] = presses(page, handle, EVENTS // 2)
    return found


def spread(values: list[float]) -> str:
    """Return median and 95th percentile."""
    return f"{statistics.median(values):.0f} / {np.percentile(values, 95):.0f} ms"


def kernel_table() -> list[tuple[str, str, str]]:
    """Return the times from value to picture for the fastest and slowest control of each explorer."""
    rows = []
    for name in NAMES:
        explorer = getattr(explorers, name)()
        explorer.live.refresh()
        taken = {}
        for field, one in explorer.controls.items():
            walk = [value for value in one.positions(9) if value != getattr(explorer.start, field)]
            taken[field] = []
            for value in walk:
                start = time.perf_counter()
                explorer.set(**{field: value})
                taken[field].append(1e3 * (time.perf_counter() - start))
            explorer.reset()
        medians = {field: statistics.median(times) for field, times in taken.items()}
        best, worst = (choose(medians, key=medians.get) for choose in (min, max))
        rows.append((name, f"{medians[best]:.0f} ms ({best})", f"{medians[worst]:.0f} ms ({worst})"))
    return rows


def test_latency(open_notebook, home, capfd):
    """Print the times from a slider event to the picture for an explorer, for ``interact``, and for each explorer."""
    found = {way: latency(open_notebook, home, way) for way in ("with_interact", "ours")}
    sliders = of_explorers(open_notebook, "quiet")
    with busy(4):
        crowded = of_explorers(open_notebook, "busy")
    medians = {way: statistics.median(times["page"]) for way, times in found.items()}
    with capfd.disabled():
        print("\n{:<44}{:>16}{:>16}{:>16}".format("key to picture, median / 95th", "kernel", "JupyterLab", "drag, lag"))
        for way, times in found.items():
            label = "explorer" if way == "ours" else "the same figure in interact"
            print(f"{label:<44}{spread(times['kernel']):>16}{spread(times['page']):>16}{times['lag'][0]:>13.0f} ms")
        print(f"interact takes {medians['with_interact'] / medians['ours']:.1f} times as long (limit: at least 4)")
        print(f"\n{'key to picture in JupyterLab, median / 95th':<44}{'quiet':>16}{'4 busy kernels':>16}")
        for (name, label), taken in sliders.items():
            print(f"{f'{name}: {label}':<44}{spread(taken):>16}{spread(crowded[name, label]):>16}")
        print(f"\n{'value to picture in the kernel, median':<32}{'fastest control':>32}{'slowest control':>32}")
        for name, best, worst in kernel_table():
            print(f"{name:<32}{best:>32}{worst:>32}")


@contextlib.contextmanager
def busy(kernels: int) -> Iterator[None]:
    """Run processes that compute without a pause, as kernels of other notebooks may."""
    work = "import torch; torch.set_num_threads(1)\nwhile True: torch.randn(300, 300) @ torch.randn(300, 300)"
    processes = [subprocess.Popen([sys.executable, "-c", work]) for _ in range(kernels)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
