"""Make rsl_rl build our modules instead of its own."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator

from rsl_edu import modules


@contextlib.contextmanager
def swapped_into_rsl_rl() -> Iterator[None]:
    """Make rsl_rl use :mod:`rsl_edu.modules` for everything that it builds within this context.

    Runners, policies and checkpoints are still rsl_rl's own, and continue to work after the context. Your own
    subclasses of rsl_rl's modules are not replaced. Neither are classes that a configuration gives as objects instead
    of names::

        with swapped_into_rsl_rl():
            runner = OnPolicyRunner(env, train_cfg)
        runner.learn(100)

    Raises:
        ModuleNotFoundError: If rsl_rl is not installed (``pip install rsl-rl-lib``).
    """
    importlib.import_module("rsl_rl.runners")  # it imports every part that uses modules
    theirs = importlib.import_module("rsl_rl.modules")
    ours = {getattr(theirs, name): getattr(modules, name) for name in theirs.__all__ if name != "HiddenState"}
    places = [
        (module, name, value)
        for key, module in list(sys.modules.items())
        if key.split(".")[0] == "rsl_rl"
        for name, value in vars(module).items()
        if isinstance(value, type) and value in ours
    ]
    try:
        for module, name, value in places:
            setattr(module, name, ours[value])
        yield
    finally:
        for module, name, value in places:
            setattr(module, name, value)
