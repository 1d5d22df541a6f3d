"""What the tests of the modules share: the peer they are compared with, and a fixed seed."""

import importlib
import os

import pytest
import torch


@pytest.fixture(scope="session")
def peer():
    """The modules of rsl_rl; without them a test is skipped, but never in CI."""
    if os.environ.get("CI") == "true":
        return importlib.import_module("rsl_rl.modules")
    return pytest.importorskip("rsl_rl.modules")


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)
