"""Shared fixtures of the module tests: rsl_rl's modules for comparison, and a fixed seed."""

import importlib
import os

import pytest
import torch


@pytest.fixture(scope="session")
def peer():
    """The modules of rsl_rl; without rsl_rl, a test is skipped, except in CI."""
    if os.environ.get("CI") == "true":
        return importlib.import_module("rsl_rl.modules")
    return pytest.importorskip("rsl_rl.modules")


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)
