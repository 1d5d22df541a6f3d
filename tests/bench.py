"""What ``make bench`` prints: what an import costs, and what a lesson's kernel holds."""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
RUNS = 5

IMPORT = "import time, torch; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
PEAK = "print(*[line for line in open('/proc/self/status') if line.startswith('VmHWM')])"


def import_ms(module: str) -> float:
    """Return the milliseconds that an import takes after ``import torch``: the median of fresh processes."""
    command = [sys.executable, "-c", IMPORT.format(module)]
    return 1e3 * statistics.median(float(subprocess.check_output(command)) for _ in range(RUNS))


def kernel_mb(lesson: Path) -> float:
    """Return the peak memory of a lesson's kernel in MB; Linux only."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(PEAK))
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(lesson.parent)}}).execute()
    return int(notebook.cells[-1].outputs[0].text.split()[1]) * 1024 / 1e6


def table() -> Iterator[tuple[str, str, str]]:
    """Yield what is measured, its figure and its limit."""
    for module, limit in (("rsl_edu", "50 ms"), ("rsl_edu.modules", "50 ms"), ("rsl_rl.modules", "-")):
        yield f"import {module} after torch", f"{import_ms(module):.1f} ms", limit
    for lesson in sorted(NOTEBOOKS.glob("[1-9]*.ipynb")):
        yield f"peak memory of {lesson.name}", f"{kernel_mb(lesson):.0f} MB", "450 MB"


if __name__ == "__main__":
    for row in (("what", "is", "limit"), *table()):
        print("{:<44}{:>12}{:>12}".format(*row), flush=True)
