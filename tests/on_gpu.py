"""Test and measure on a machine with a GPU, in one run: ``python tests/on_gpu.py FOLDER [ARGUMENTS OF PYTEST]``.

Runs the tests of the modules, of CUDA graphs and of the benchmark, then times every operation here and in rsl_rl. It
writes `tests.txt`, `slow.txt`, `bench_gpu.json` and `bench_gpu.md` into FOLDER; the last one contains the tables that
`make bench BENCH_ARGS=--book` writes. The machine needs torch, pytest, hypothesis and rsl-rl-lib with its requirements,
but not nbval or playwright. The exit status is 0 if all tests pass and no operation is slower than its limit.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ("tests/modules", "tests/test_cuda_graph.py", "tests/test_cuda_graph_on_gpu.py", "tests/test_bench.py")
# Without the settings and the conftest.py that need other packages.
BARE = (
    "-c",
    os.devnull,
    "--rootdir=.",
    "--confcutdir=tests/modules",
)


def command(arguments: list[str]) -> list[str]:
    """Return the command that runs the tests."""
    options = ["-q", "-rs", "--disable-warnings", "-p", "no:cacheprovider"]
    return [sys.executable, "-m", "pytest", *options, *BARE, *TESTS, *arguments]


def tests_pass(folder: Path, arguments: list[str]) -> bool:
    """Run the tests and show their output; return whether they pass."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command(arguments), cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    with process, (folder / "tests.txt").open("w", encoding="utf-8") as file:
        for line in process.stdout:
            print(line, end="", flush=True)
            file.write(line)
    return process.returncode == 0


def write(folder: Path, result: dict, section: str, slow: list[str]) -> None:
    """Write the results."""
    (folder / "bench_gpu.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    (folder / "bench_gpu.md").write_text(section + "\n", encoding="utf-8")
    (folder / "slow.txt").write_text("".join(f"{line}\n" for line in slow), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where the results go")
    options, arguments = parser.parse_known_args()
    folder = options.folder.resolve()
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    import torch

    if not torch.cuda.is_available():
        parser.error("torch finds no CUDA device here")
    folder.mkdir(parents=True, exist_ok=True)
    passed = tests_pass(folder, arguments)
    import bench_gpu

    result = bench_gpu.measured("cuda")
    slow = bench_gpu.shortfalls(result)
    write(folder, result, bench_gpu.section(result), slow)
    print(*slow or ["No operation is below its limit."], sep="\n")
    return 0 if passed and not slow else 1


if __name__ == "__main__":
    sys.exit(main())
