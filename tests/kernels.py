"""Run the tests whose numbers come from torch, with each torch CPU kernel available on this machine.

Trained numbers differ between kernels after some hundred steps, but the course's statements about them must stay true.
"""

import argparse
import os
import shlex
import subprocess
import sys

import torch

LEVELS = ("default", "avx2", "avx512")
NUMBERS = ("tests/modules", "tests/explorers", "tests/course/test_check.py", "notebooks")


def main() -> int:
    """Run the tests once for each kernel, and return the first exit status that is not 0."""
    own = torch.backends.cpu.get_cpu_capability().lower()
    has = LEVELS[: LEVELS.index(own) + 1] if own in LEVELS else LEVELS[:1]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help=f"of {', '.join(has)}; default: all of them")
    parser.add_argument("--pytest", default="", metavar="ARGUMENTS", help="further arguments for pytest, in one string")
    options = parser.parse_args()
    if unknown := set(options.kernels) - {*has}:
        parser.error(f"KERNEL: this machine has {', '.join(has)}; got {', '.join(unknown)}")
    for kernel in options.kernels or has:
        print(f"Kernels of torch: {kernel}", flush=True)
        command = [sys.executable, "-m", "pytest", "-n", "3", "-m", "not second_run", *NUMBERS]
        command += shlex.split(options.pytest)
        status = subprocess.run(command, env=os.environ | {"ATEN_CPU_CAPABILITY": kernel}).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
