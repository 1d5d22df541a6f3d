"""Run some of the tests with another release of torch, in a separate environment: ``make torch TORCH=2.9.1``.

The environment is in the folder for temporary files and is removed at the end. A CUDA build of torch, which pip
installs on Linux by default, needs 8 GB; ``TMPDIR=/elsewhere make torch ...`` selects another folder. All packages
except torch have the versions in ``constraints.txt``, if this release of torch allows it.
"""

import argparse
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TESTS = ["tests/modules", "tests/explorers", "tests/test_swap.py", "notebooks/4_normalization.ipynb"]
RELEASE = r"\d+\.\d+(\.\d+)?((a|b|rc)\d+)?(\.dev\d+)?(\+\w+)?"
SHOW_VERSIONS = """
import importlib.metadata, platform, torch
versions = ["Python " + platform.python_version(), "kernels " + torch.backends.cpu.get_cpu_capability()]
for name in ("torch", "numpy", "rsl-rl-lib", "tensordict"):
    try:
        versions.append(name + " " + importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        versions.append("no " + name)
print("Tested with: " + ", ".join(versions))
"""


def run(*command: Any) -> int:
    """Run a command in the checkout and return its exit status. If this process is stopped, stop its processes too."""
    process = subprocess.Popen([str(part) for part in command], cwd=ROOT, start_new_session=True)
    try:
        return process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)  # nothing may write into the folder while it is removed
        process.wait()
        raise


def release(name: str) -> str:
    """Check and return the name of a release of torch, before the environment takes minutes to create."""
    if re.fullmatch(RELEASE, name):
        return name
    raise argparse.ArgumentTypeError(f"expected a release such as 2.9.1, got {name!r}")


def name_of(requirement: str) -> str:
    """Return the package in a line of `pip freeze` or of a constraints file; "" for a comment."""
    return re.split("[ =@;#]", requirement)[0].lower().replace("_", "-")


def constraints_beside(installed: list[str]) -> list[str]:
    """Return the installed packages, and constraints.txt without these and without tensordict.

    Each release of tensordict works only with some releases of torch, so pip chooses one.
    """
    settled = {name_of(line) for line in installed} | {"tensordict"}
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    return installed + [line for line in pins if name_of(line) not in settled]


def install(python: Path, torch: str, folder: Path) -> None:
    """Install torch, then the course and its tests, and rsl_rl if there is a release for this torch."""
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    if run(*pip, "install", f"torch=={torch}"):
        sys.exit(f"pip could not install torch {torch} for Python {sys.version.split()[0]}; its message is above.")
    installed = subprocess.check_output([*pip, "freeze", "--all"], text=True).splitlines()
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(constraints_beside([line for line in installed if name_of(line) != "pip"])))
    if run(*pip, "install", "-c", constraints, "-e", ".[test,dev,peer]") == 0:
        return
    print(f"There is no rsl_rl for torch {torch}: tests that compare with it will be skipped.", flush=True)
    if run(*pip, "install", "-c", constraints, "-e", ".[test,dev]"):
        sys.exit(f"pip could not install rsl_edu with torch {torch}; its message is above.")


def main() -> int:
    """Create the environment, run the tests in it, and remove it."""
    parser = argparse.ArgumentParser(description="Run some of the tests with another release of torch.")
    parser.add_argument("torch", type=release, help="a release such as 2.9.1")
    parser.add_argument("pytest", nargs=argparse.REMAINDER, help=f"arguments for pytest instead of {' '.join(TESTS)}")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # otherwise the folder would stay
    os.environ["OMP_NUM_THREADS"] = "1"  # as in `make test`: sums have the same order on every machine
    with tempfile.TemporaryDirectory(prefix=f"torch-{arguments.torch}-") as name:
        folder = Path(name)
        print(f"Setting up torch {arguments.torch} in {folder}; this takes some minutes.", flush=True)
        if run(sys.executable, "-m", "venv", folder):
            sys.exit(f"{sys.executable} could not make an environment in {folder}; its message is above.")
        python = folder / "bin" / "python"
        (folder / "tmp").mkdir()
        os.environ["TMPDIR"] = str(
            folder / "tmp"
        )  # files that pip, torch.compile and pytest leave there are removed too
        install(python, arguments.torch, folder)
        run(python, "-c", SHOW_VERSIONS)
        status = run(python, "-m", "pytest", *(arguments.pytest or TESTS))
        run(python, "-c", SHOW_VERSIONS)  # again, because the report may be long
    return status


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit("Stopped; the environment is removed.")
