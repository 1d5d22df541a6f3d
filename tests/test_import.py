"""Imports are fast and point one way: the map in CONTRIBUTING.md lists which parts import which."""

import ast
import graphlib
import subprocess
import sys

import house
import house_picture
import pytest

PROBE = """
import sys
import torch
before = set(sys.modules)
import {module}
print(*{{name.partition(".")[0] for name in set(sys.modules) - before}})
"""


@pytest.mark.parametrize("module", ["rsl_edu", "rsl_edu.modules"])
def test_import_loads_nothing_besides_torch(module):
    loaded = subprocess.check_output([sys.executable, "-c", PROBE.format(module=module)], text=True).split()
    assert set(loaded) - sys.stdlib_module_names == {"rsl_edu"}


def test_every_module_has_a_part_in_the_map_and_every_part_a_module():
    assert {house.part_of(file) for file in house.files()} == set(house.stated())


@pytest.mark.parametrize("part", house.stated())
def test_part_imports_what_the_map_lists(part):
    assert house.arrows()[part] == house.stated()[part].imports


def test_every_import_in_the_map_is_further_down():
    below = set(house.stated())
    for name, part in house.stated().items():
        below.remove(name)
        assert part.imports <= below, name


def test_folders_import_in_one_direction():
    graphlib.TopologicalSorter(house_picture.rooms()).prepare()  # a CycleError names the cycle


@pytest.mark.parametrize("part", house.stated())
def test_modules_of_a_part_import_in_one_direction(part):
    files = {file for file in house.files() if house.part_of(file) == part}
    graphlib.TopologicalSorter({file: house.imports(file) & files for file in files}).prepare()


def test_relative_imports_stay_in_their_folder():
    for file in house.files():
        depth = len(file.relative_to(house.PACKAGE).parts) - 1
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and depth:
                assert node.level <= depth, f"{file}: {ast.unparse(node)}"


# Reading the imports ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import rsl_edu.data.robots", ["data/robots.py"]),
        ("from rsl_edu import data, explorers", ["data/__init__.py", "explorers/__init__.py"]),
        ("from rsl_edu import __version__", ["__init__.py"]),
        ("from .bench.theme import BLUE", ["explorers/bench/theme.py"]),
        ("from . import stream, signal", ["explorers/signal/__init__.py", "explorers/stream/__init__.py"]),
        ("from ..modules import MLP", ["modules/__init__.py"]),
        ("def draw():\n    from rsl_edu.number_format import short", ["number_format.py"]),
        (
            "if TYPE_CHECKING:\n    from .stream import Stream\nelse:\n    from .signal import Signal",
            ["explorers/signal/__init__.py", "explorers/stream/__init__.py"],
        ),
        ("import torch, numpy.linalg\nfrom pathlib import Path", []),
    ],
)
def test_every_form_of_import_is_recognized(code, found, monkeypatch):
    monkeypatch.setattr("pathlib.Path.read_text", lambda *_: code)
    imports = house.imports.__wrapped__(house.PACKAGE / "explorers" / "new.py")
    assert sorted(file.relative_to(house.PACKAGE).as_posix() for file in imports) == found


def test_module_that_is_missing_from_the_map_is_an_error():
    with pytest.raises(LookupError, match="no part for rsl_edu/helper"):
        house.part_of(house.PACKAGE / "helper.py")
