"""The kernels that execute the lessons for the book print nothing on the terminal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[2] / "book"
START = """
import conf
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel()
client.stop_channels()
manager.shutdown_kernel(now=True)
"""


def test_kernels_of_the_book_print_no_warnings():
    pytest.importorskip("myst_nb")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(BOOK), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([sys.executable, "-c", START], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
