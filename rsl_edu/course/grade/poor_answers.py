"""Wrong answers derived from right ones, to test checks: answers that return nothing, or that never raise an error."""

from __future__ import annotations

import ast

from rsl_edu.course import names

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def returning_nothing(code: str) -> str:
    """Return a right answer's code after making its functions and methods do nothing; unchanged if it has none."""
    return _changed(code, _DoNothing())


def never_raising(code: str) -> str:
    """Return a right answer's code after making functions return instead of raise; unchanged if none of them raises."""
    return _changed(code, _NeverRaise())


class _Change(ast.NodeTransformer):
    changes = 0


class _DoNothing(_Change):
    def visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, _FUNCTIONS):
            return self.generic_visit(node)
        self.changes += 1
        node.body = [ast.Return()]
        return node


class _NeverRaise(_Change):
    inside = False  # whether the visitor is inside a function

    def visit(self, node: ast.AST) -> ast.AST:
        if self.inside and isinstance(node, (ast.Raise, ast.Assert)):
            self.changes += 1
            return ast.Return() if isinstance(node, ast.Raise) else ast.Pass()
        outer, self.inside = self.inside, self.inside or isinstance(node, _FUNCTIONS)
        node = self.generic_visit(node)
        self.inside = outer
        return node


def _changed(code: str, change: _Change) -> str:
    tree = change.visit(ast.parse(names.python(code)))
    return ast.unparse(ast.fix_missing_locations(tree)) if change.changes else code
