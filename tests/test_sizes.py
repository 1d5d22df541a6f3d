"""Files and functions are short."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "rsl_edu"
FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_file_has_at_most_400_lines_and_its_functions_60_each(file):
    text = file.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    assert not [node.name for node in functions if node.end_lineno - node.lineno >= 60]
