"""Starts the worker as a fork of the test process, which has imported torch: fast, but without a sandbox."""

import gc
import os
import signal
import sys
import tempfile
from pathlib import Path

from rsl_edu.course.check import failure, limit
from rsl_edu.course.grade import wire

INSIDE = Path(wire.__file__).parent / "inside"


class Forked:
    """Replacement for :class:`subprocess.Popen` in the grader."""

    def __init__(self):
        (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
        gc.collect()
        gc.freeze()  # otherwise each child, and each collection here, traverses all of torch
        self.pid = os.fork()
        if not self.pid:
            try:
                os.setsid()
                os.closerange(3, min(theirs_in, theirs_out, ours_in, ours_out))
                os.dup2(theirs_in, 0)
                os.dup2(theirs_out, 1)
                os.closerange(3, 256)
                work()
            finally:
                os._exit(1)
        os.close(theirs_in)
        os.close(theirs_out)
        self.stdin, self.stdout = os.fdopen(ours_out, "wb", 0), os.fdopen(ours_in, "rb", 0)
        self.returncode = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stdin.close()
        self.stdout.close()
        self.returncode = os.waitpid(self.pid, 0)[1]


def work():
    """Run the worker's file as in a new process."""
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("rsl_edu", "rsl_rl", "matplotlib", "mpl_toolkits", "gymnasium", "mujoco"):
            del sys.modules[name]
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.modules |= {"wire": wire, "failure": failure, "limit": limit}
    sys.path.insert(0, str(INSIDE))
    os.environ["TORCHDYNAMO_DISABLE"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sys.argv = ["worker.py"]  # pytest's arguments are not the worker's
        import worker

        worker.main()


def start(sandbox, limits, errors=None):
    """Replacement for the grader's function with the same name."""
    return Forked()
