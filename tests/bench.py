"""The part of ``make bench`` on imports, the x-ray, and the time and memory that a lesson takes."""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
RUNS = 5

IMPORT = "import time, torch; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
OWN = {"2": "370 MB", "4": "430 MB", "6": "450 MB"}
"""Lessons that train with torch.optim, which imports 72 MB of torch._dynamo; 4 also has many inputs. 3 stays below."""
MEMORY = "print(open('/proc/self/status').read())"


def import_ms(module: str) -> float:
    """Return the milliseconds for an import after ``import torch``, as the median over fresh processes."""
    command = [sys.executable, "-c", IMPORT.format(module)]
    return 1e3 * statistics.median(float(subprocess.check_output(command)) for _ in range(RUNS))


def run(lesson: Path) -> tuple[int, float, float, list[float]]:
    """Run a lesson in a fresh kernel.

    Returns:
        Its cells, the seconds to its first picture and to its end, and MB (Linux only): the private memory of the
        kernel at the end, and its peak memory including what all kernels on a machine share, such as torch's code.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(lesson, as_version=4)
    cells, pictures = len(notebook.cells), []
    notebook.cells.append(nbformat.v4.new_code_cell(MEMORY))

    def executed(cell: nbformat.NotebookNode, **_: object) -> None:
        if any("image/png" in output.get("data", ()) for output in cell.outputs):
            pictures.append(time.perf_counter() - start)

    client = NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": str(lesson.parent)}}, on_cell_executed=executed
    )
    start = time.perf_counter()
    client.execute()
    seconds = time.perf_counter() - start
    used = dict(re.findall(r"(\w+):\s*(\d+) kB", notebook.cells[-1].outputs[0].text))
    return cells, pictures[0], seconds, [int(used[name]) * 1024 / 1e6 for name in ("RssAnon", "VmHWM")]


def isaac_lab(folder: Path, checkpoints: int = 31) -> None:
    """Write a run as Isaac Lab does: 48 observations, 512-256-128, 12 actions; each file has 4.6 MB."""
    import torch

    from rsl_edu.checkpoint import Policy
    from rsl_edu.modules import MLP, EmpiricalNormalization, GaussianDistribution

    for i in range(checkpoints):
        torch.manual_seed(i)
        actor, critic = (
            Policy(MLP(48, outputs, [512, 256, 128]), GaussianDistribution(outputs), EmpiricalNormalization(48))
            for outputs in (12, 1)
        )
        optimizer = torch.optim.Adam([*actor.parameters(), *critic.parameters()])
        (actor(torch.randn(8, 48)).sum() + critic(torch.randn(8, 48)).sum()).backward()
        optimizer.step()
        models = {"actor_state_dict": actor, "critic_state_dict": critic, "optimizer_state_dict": optimizer}
        stored = {name: model.state_dict() for name, model in models.items()}
        torch.save({**stored, "iter": 50 * i, "infos": None}, folder / f"model_{50 * i}.pt")


def xray(folder: Path) -> tuple[float, float]:
    """Open a run with 4,096 observations; return the seconds to its first picture and the ms per slider move."""
    import torch

    from rsl_edu.explorers import XRay

    observations = torch.randn(4096, 48)
    start = time.perf_counter()
    explorer = XRay(folder, observations)
    explorer.live.refresh()
    opened = time.perf_counter() - start
    seconds = []
    for iteration in explorer.controls["iteration"].positions():
        start = time.perf_counter()
        explorer.set(iteration=iteration)
        seconds.append(time.perf_counter() - start)
    return opened, 1e3 * max(seconds)


def table() -> Iterator[tuple[str, str, str]]:
    """Yield the name, the figure and the limit of each measurement."""
    for module, limit in (("rsl_edu", "50 ms"), ("rsl_edu.modules", "50 ms"), ("rsl_rl.modules", "-")):
        yield f"import {module} after torch", f"{import_ms(module):.1f} ms", limit
    with tempfile.TemporaryDirectory() as folder:
        isaac_lab(Path(folder))
        opened, slider = xray(Path(folder))
    yield "x-ray of 31 checkpoints of Isaac Lab's size", f"{opened:.1f} s", "3 s"
    yield "  its slider, worst", f"{slider:.0f} ms", "100 ms"
    for lesson in sorted(NOTEBOOKS.glob("[1-9]*.ipynb")):
        cells, first, seconds, (own, peak) = run(lesson)
        yield f"{lesson.name}, {cells} cells", f"{seconds:.0f} s", "-"
        yield "  its first picture, from no kernel on", f"{first:.1f} s", "6 s"
        yield "  memory that only its kernel holds", f"{own:.0f} MB", OWN.get(lesson.stem[0], "330 MB")
        yield "  peak, with what kernels share", f"{peak:.0f} MB", "-"


if __name__ == "__main__":
    for row in (("what", "is", "limit"), *table()):
        print("{:<44}{:>12}{:>12}".format(*row), flush=True)
