"""A pytest plugin that runs rsl_rl's own tests with our modules and writes a report.

`test_rsl_rl_suite.py` passes it to a separate pytest.
"""

import collections
import contextlib
import json
from pathlib import Path

import rsl_rl.modules  # the installed one: later, pytest puts the checkout, which also has an rsl_rl, first in the path
from torch import nn

from rsl_edu.swap import swapped_into_rsl_rl

outcomes, built, stack = {}, collections.Counter(), contextlib.ExitStack()


def pytest_addoption(parser):
    parser.addoption("--our-modules", action="store_true", help="replace rsl_rl's modules with ours")
    parser.addoption("--report", type=Path, help="the JSON file to write")


def pytest_configure(config):
    """Count the modules that are built, and install ours before any test file imports a module."""
    init = nn.Module.__init__

    def counted(self, *arguments, **options):
        package, name = type(self).__module__, type(self).__name__
        if package.startswith(("rsl_edu.modules.", "rsl_rl.modules.")) and not name.startswith("_"):
            built[f"{package.split('.')[0]}.{name}"] += 1
        init(self, *arguments, **options)

    nn.Module.__init__ = counted
    stack.callback(setattr, nn.Module, "__init__", init)
    if config.getoption("--our-modules"):
        stack.enter_context(swapped_into_rsl_rl())


def pytest_collectreport(report):
    if report.failed:
        outcomes[report.nodeid] = report.longreprtext


def pytest_runtest_logreport(report):
    """Store one outcome for each test: "passed", or the error in any of its phases."""
    if report.failed or report.skipped:
        outcomes[report.nodeid] = report.longreprtext or str(report.longrepr)
    elif report.when == "call":
        outcomes.setdefault(report.nodeid, report.outcome)


def pytest_unconfigure(config):
    stack.close()
    text = json.dumps({"outcomes": outcomes, "built": built, "rsl_rl": rsl_rl.modules.__file__})
    config.getoption("--report").write_text(text, encoding="utf-8")
