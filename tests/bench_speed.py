"""The part of ``make bench`` on speed: times each operation of the modules and the same operation of rsl_rl.

Both run in one process, in many short rounds, ours and rsl_rl's in turn. The fastest round of each counts, because
other programs on the machine can only make a round slower. `--book` writes the tables into the book. If there is a GPU,
`bench_gpu.py` measures the operations there as well.
"""

import argparse
import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bench_gpu
import rsl_rl.modules
import torch
from bench_operations import compare, gradients, microseconds, operations, versions

import rsl_edu.modules

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "book" / "measured.md"
RESULT = ROOT / "build" / "bench.json"
BATCHES = (64, 4096)
GROWTH = tuple(4**k for k in range(9))  # 1 … 65,536

LIMITS = {  # least allowed ratio peer/ours at batch 64 and 4096, if it is not 0.95
    "EmpiricalNormalization.update": (1.3, 4.0),
    "GaussianDistribution.update, log_prob": (0.95, 1.5),
    "GaussianDistribution.update, entropy": (0.95, 2.0),
}
MARKS = "<!-- bench: made by `make bench BENCH_ARGS=--book` -->", "<!-- /bench -->"


def rows() -> Iterator[dict[str, Any]]:
    """Yield a row for each operation and batch size, with its limit."""
    for make, learn in ((operations, False), (gradients, True)):
        for place, batch in enumerate(BATCHES):
            for row in compare(make, batch, learn):
                yield row | {"limit": LIMITS.get(row["operation"], (0.95, 0.95))[place]}


def growth() -> Iterator[dict[str, Any]]:
    """Yield the time of the cheap operations for growing batch sizes."""
    kept = ("EmpiricalNormalization.", "GaussianDistribution.", "EmpiricalDiscounted")
    with torch.no_grad():
        for batch in GROWTH:
            theirs, ours = operations(rsl_rl.modules, batch), operations(rsl_edu.modules, batch)
            for name in theirs:
                if name.startswith(kept):
                    peer, mine = microseconds([theirs[name], ours[name]], rounds=15)
                    yield {"operation": name, "batch": batch, "peer_us": round(peer, 2), "ours_us": round(mine, 2)}


def table(rows: list[dict[str, Any]], machine: str) -> str:
    """Return the table of ratios as Markdown."""
    ratios: dict[str, dict[int, str]] = {}
    for row in rows:
        ratios.setdefault(row["operation"], {})[row["batch"]] = f"{row['ratio']:.2f}"
    lines = ["| rsl_rl's time / ours | batch 64 | batch 4096 |", "|---|---|---|"]
    lines += [f"| `{name}` | {of[64]} | {of[4096]} |" for name, of in ratios.items()]
    return "\n".join([*lines, "", f"One thread, without gradients except in the last three rows; {machine}."])


def with_table(page: str, table: str) -> str:
    """Return the page with a new table between its marks."""
    before, rest = page.split(MARKS[0])
    _, after = rest.split(MARKS[1])
    return f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--book", action="store_true", help="write the tables into book/measured.md")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    machine = f"{platform.machine()}, {versions()}"

    print(f"\n{'operation (' + machine + ')':<84}{'batch':>7}{'peer µs':>11}{'ours µs':>11}{'ratio':>8}{'limit':>7}")
    measured = []
    for row in rows():
        measured.append(row)
        below = "  below its limit" if row["ratio"] < row["limit"] else ""
        print(
            f"{row['operation']:<84}{row['batch']:>7}{row['peer_us']:>11.1f}{row['ours_us']:>11.1f}"
            f"{row['ratio']:>8.2f}{row['limit']:>7.2f}{below}",
            flush=True,
        )

    print(f"\n{'growth, peer / ours in µs':<52}" + "".join(f"{batch:>15}" for batch in GROWTH))
    curves: dict[str, list[str]] = {}
    grown = list(growth())
    for row in grown:
        curves.setdefault(row["operation"], []).append(f"{row['peer_us']:.0f} / {row['ours_us']:.0f}")
    for name, cells in curves.items():
        print(f"{name:<52}" + "".join(f"{cell:>15}" for cell in cells))

    gpu = bench_gpu.measured("cuda") if torch.cuda.is_available() else None
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"machine": machine, "rows": measured, "growth": grown, "gpu": gpu}, indent=1))
    if arguments.book:
        text = with_table(PAGE.read_text(encoding="utf-8"), table(measured, machine))
        if gpu:  # without a GPU, keep the tables of the machine that had one
            text = bench_gpu.with_section(text, bench_gpu.section(gpu))
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
