"""Put our modules where rsl_rl looks for its own."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator

from rsl_edu import modules


@contextlib.contextmanager
def swapped_into_rsl_rl() -> Iterator[None]:
    """Let everything that rsl_rl builds within this context be built from :mod:`rsl_edu.modules`.

    Runners, policies and checkpoints stay rsl_rl's own, and go on working after the context. Your own subclasses of
    rsl_rl's modules, and a class that a configuration gives as an object instead of a name, are not replaced::

        with swapped_into_rsl_rl():
            runner = OnPolicyRunner(env, train_cfg)
        runner.learn(100)

    Raises:
        ModuleNotFoundError: rsl_rl is not installed (``pip install rsl-rl-lib``).
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
