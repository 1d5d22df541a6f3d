"""Imports are light, and point one way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "rsl_edu"
ALLOWED = {
    "modules": set(),
    "data": {"modules", "folders"},
    "diagnosis": {"modules", "data", "checkpoint", "run_folder", "number_format"},
    "explorers": {"modules", "data", "checkpoint", "diagnosis", "number_format"},
    "course": {"modules", "folders", "atomic_write"},
}
PROBE = """
import sys
import torch
before = set(sys.modules)
import {module}
print(*{{name.partition(".")[0] for name in set(sys.modules) - before}})
"""


@pytest.mark.parametrize("module", ["rsl_edu", "rsl_edu.modules"])
def test_import_brings_nothing_beyond_torch(module):
    brought = subprocess.check_output([sys.executable, "-c", PROBE.format(module=module)], text=True).split()
    assert set(brought) - sys.stdlib_module_names == {"rsl_edu"}


@pytest.mark.parametrize("part", ALLOWED)
def test_part_imports_only_the_parts_below_it(part):
    for file in (PACKAGE / part).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                depth = len(file.relative_to(PACKAGE / part).parts)
                assert node.level <= depth, f"{file.name}: a relative import reaches out of {part}"
                names = [node.module or ""] if node.level == 0 else []
            parts = {name.split(".")[1] for name in names if name.startswith("rsl_edu.")}
            assert parts <= ALLOWED[part] | {part}, f"{file.name} imports {parts}"
            assert "rsl_edu" not in names, f"{file.name}: name the part"
