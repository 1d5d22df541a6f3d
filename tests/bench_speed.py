"""What ``make bench`` prints about speed: every operation of the modules beside rsl_rl's, in turn, in one process.

Each pair is timed in many short rounds, ours and the peer's in turn, and the fastest round of each counts: what other
programs do to a machine can only make a round slower. `--readme` puts the table into the README.
"""

import argparse
import importlib.metadata
import json
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import rsl_rl.modules
import torch

import rsl_edu.modules

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "build" / "bench.json"
FEATURES, ACTIONS, HIDDEN = 48, 12, 64
BATCHES = (64, 4096)
GROWTH = tuple(4**k for k in range(9))  # 1 … 65,536
ROUNDS, ROUND_SECONDS = 60, 3e-3

LIMITS = {  # least ratio peer/ours at batch 64 and 4096, where it is not 0.95
    "EmpiricalNormalization.update": (1.3, 4.0),
    "GaussianDistribution.log_prob": (0.95, 1.5),
    "GaussianDistribution.entropy": (0.95, 2.0),
}
MARKS = "<!-- bench: made by `make bench BENCH_ARGS=--readme` -->", "<!-- /bench -->"

def compare(make: Callable[[Any, int], Operations], batch: int, learn: bool) -> Iterator[dict[str, Any]]:
    """Yield a row for each operation on a batch."""
    with torch.set_grad_enabled(learn):
        theirs, ours = make(rsl_rl.modules, batch), make(rsl_edu.modules, batch)
        for name, function in theirs.items():
            peer, mine = microseconds([function, ours[name]])
            limit = LIMITS.get(name, (0.95, 0.95))[BATCHES.index(batch)]
            yield {
                "operation": name,
                "batch": batch,
                "peer_us": round(peer, 2),
                "ours_us": round(mine, 2),
                "ratio": round(peer / mine, 2),
                "limit": limit,
            }


def growth() -> Iterator[dict[str, Any]]:
    """Yield the time of the cheap operations over the batch size."""
    kept = ("EmpiricalNormalization.", "GaussianDistribution.", "EmpiricalDiscounted")
    with torch.no_grad():
        for batch in GROWTH:
            theirs, ours = operations(rsl_rl.modules, batch), operations(rsl_edu.modules, batch)
            for name in theirs:
                if name.startswith(kept):
                    peer, mine = microseconds([theirs[name], ours[name]], rounds=15)
                    yield {"operation": name, "batch": batch, "peer_us": round(peer, 2), "ours_us": round(mine, 2)}


def readme_table(rows: list[dict[str, Any]], machine: str) -> str:
    """Return the table of ratios as Markdown."""
    ratios: dict[str, dict[int, str]] = {}
    for row in rows:
        ratios.setdefault(row["operation"], {})[row["batch"]] = f"{row['ratio']:.2f}"
    lines = ["| rsl_rl's time / ours | batch 64 | batch 4096 |", "|---|---|---|"]
    lines += [f"| `{name}` | {of[64]} | {of[4096]} |" for name, of in ratios.items()]
    return "\n".join([*lines, "", f"One thread; {machine}."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readme", action="store_true", help="put the table into the README")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    versions = f"torch {torch.__version__}, rsl-rl-lib {importlib.metadata.version('rsl-rl-lib')}"
    machine = f"{platform.machine()}, {versions}, {FEATURES} features, {ACTIONS} actions"

    print(f"\n{'operation (' + machine + ')':<84}{'batch':>7}{'peer µs':>11}{'ours µs':>11}{'ratio':>8}{'limit':>7}")
    rows = []
    for make, learn in ((operations, False), (gradients, True)):
        for batch in BATCHES:
            for row in compare(make, batch, learn):
                rows.append(row)
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

    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"machine": machine, "rows": rows, "growth": grown}, indent=1))
    if arguments.readme:
        readme = ROOT / "README.md"
        before, rest = readme.read_text(encoding="utf-8").split(MARKS[0])
        _, after = rest.split(MARKS[1])
        text = f"{before}{MARKS[0]}\n{readme_table(rows, machine)}\n{MARKS[1]}{after}"
        readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
