"""Every public name has a docstring, which the reference in the book shows."""

import functools
import importlib
import inspect
import re

import pytest

from rsl_edu import explorers

PACKAGES = [
    "rsl_edu.modules",
    "rsl_edu.data",
    "rsl_edu.explorers",
    "rsl_edu.checkpoint",
    "rsl_edu.diagnosis",
    "rsl_edu.cuda_graph",
]
PACKAGES += ["rsl_edu.compare", "rsl_edu.exported"]
PACKAGES += ["rsl_edu.course.check", "rsl_edu.course.execute", "rsl_edu.course.assignment"]


ELSEWHERE = {  # data, which Sphinx lists under the module that defines it
    "rsl_edu.data.ROBOTS": "rsl_edu.data.robots.ROBOTS",
    "rsl_edu.modules.HiddenState": "rsl_edu.modules.rnn.HiddenState",
}


def names(module):
    """Return the public names of a module: its ``__all__``, or otherwise the names that it defines."""
    defined = (name for name, it in vars(module).items() if getattr(it, "__module__", "") == module.__name__)
    return getattr(module, "__all__", None) or [name for name in defined if not name.startswith("_")]


def public(package):
    """Yield the name and the object of everything public in a package, methods and properties included."""
    module = importlib.import_module(package)
    for name in names(module):
        thing = getattr(module, name)
        yield f"{package}.{name}", thing
        # An explorer's own compute, stage and draw are internal; the base class documents them.
        if inspect.isclass(thing) and thing not in explorers.EXPLORERS.values():
            fields = getattr(thing, "__dataclass_fields__", ())  # the description of the class lists them
            for member, value in vars(thing).items():
                routine = isinstance(value, (property, functools.cached_property)) or inspect.isroutine(value)
                if routine and not member.startswith("_") and member not in fields:
                    yield f"{package}.{name}.{member}", value


EVERYTHING = dict(pair for package in PACKAGES for pair in public(package))


@pytest.mark.parametrize("name", [name for name in EVERYTHING if name not in ELSEWHERE])
def test_public_name_has_a_docstring(name):
    thing = EVERYTHING[name]
    if not isinstance(thing, (dict, tuple)):
        text = inspect.getdoc(thing)
        assert text
        assert len(text.split()) > 2, text
        if isinstance(thing, (property, functools.cached_property)):
            assert not re.match(r"[^`\n]+:\s", text), "Sphinx treats the words before the colon as the property's type"
