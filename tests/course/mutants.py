"""Mutants of a right answer: its source with one small change each, like a slip while typing.

They are independent of the mistakes that the checks name: a check must reject every mutant that is not equivalent to
the reference, whether it has a name for it or not.
"""

import ast
import contextlib
import copy
import difflib
import warnings

ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv)  # no power: with large integers, it may never end
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
BITWISE = (ast.BitAnd, ast.BitOr, ast.BitXor)
IN_PLACE = {ast.Add: "add_", ast.Sub: "sub_", ast.Mult: "mul_", ast.Div: "div_", ast.Pow: "pow_"}
OTHER_NAMES = (
    ("sum", "mean", "prod"),
    ("min", "max"),
    ("minimum", "maximum"),
    ("any", "all"),
    ("std", "var"),
    ("exp", "log"),
    ("sqrt", "square"),
    ("sigmoid", "tanh"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("randn", "rand"),
)
SYMMETRIC = ("min", "max", "minimum", "maximum", "transpose")  # in their arguments
SHAPE_ONLY = (
    "shape",
    "dtype",
    "new_tensor",
    "zeros_like",
    "ones_like",
    "len",
    "isinstance",
)  # do not depend on the values
NEVER_NEGATIVE = {  # parameters for which abs changes nothing
    *("std", "old_std", "var_a", "var_b", "count_a", "count_b", "activations", "dones", "time_outs", "eps", "gamma"),
    *("lam", "clip", "rate", "desired_kl", "size", "kernel", "stride", "padding", "dilation", "features", "time"),
    *("input_dim", "output_dim"),
}
WHOLE = {"dones", "time_outs", "mask"}  # floor changes nothing
MEASURED = {  # recorded by a rollout, or a statistic of it: has no gradient
    *("rewards", "values", "last_value", "dones", "time_outs", "mask", "activations", "old_log_prob", "advantage"),
    *("action", "old_mean", "old_std", "mean_a", "mean_b", "var_a", "var_b"),
}
REDUCTIONS = ("sum", "mean", "prod", "min", "max", "any", "all", "std", "var", "var_mean")


def mutants_of(text):
    """Return the complete sources of the mutants of a function or class, by their changed lines.

    Docstrings and annotations are removed first. Changes that arithmetic makes equal for all numbers, such as
    b + a for a + b, are not made.
    """
    tree = plain(ast.parse(text))
    right = ast.unparse(tree)
    mutants = {}
    for wrong in sources(tree):
        with contextlib.suppress(SyntaxError), warnings.catch_warnings():
            warnings.simplefilter("error", SyntaxWarning)  # such as 0[mask], which is not sensible Python either
            compile(wrong, "<mutant>", "exec")
            if wrong != right and wrong not in mutants.values():
                mutants[_unused(changed(right, wrong), mutants)] = wrong
    return mutants


def changed(right, wrong):
    """Return the lines that only the mutant has; if there are none, the lines that it lacks, after a minus."""
    lines = [line for line in difflib.ndiff(right.splitlines(), wrong.splitlines()) if line[0] in "+-"]
    new = [line[1:].strip() for line in lines if line[0] == "+"]
    return "; ".join(new or ["- " + line[1:].strip() for line in lines])


def _unused(key, mutants):
    """Return a key for the same change at another position."""
    while key in mutants:
        key += " (again)"
    return key


def plain(tree):
    """Remove docstrings and annotations from a tree."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    return tree


def sources(tree):
    """Yield all mutants; some may occur several times."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        names = _names(function)
        for parent in ast.walk(function):
            for field, value in ast.iter_fields(parent):
                if isinstance(value, ast.expr) and not _fixed(parent, field):
                    for new in expressions(value, parent, names):
                        yield _with(tree, parent, field, new)
                elif field == "body" and isinstance(value, list):  # of statements
                    for new in blocks(value, parent):
                        yield _with(tree, parent, field, new)
                elif isinstance(value, list):
                    for place, item in enumerate(value):
                        if isinstance(item, ast.expr):
                            for new in expressions(item, parent, names):
                                yield _with(tree, parent, field, [*value[:place], new, *value[place + 1 :]])
            if isinstance(parent, ast.AugAssign):
                for op in ARITHMETIC:
                    yield _with(tree, parent, "op", op())


def _fixed(parent, field):
    """Return whether this is a function name or the ``strict=True`` of a zip, which only guards."""
    named = isinstance(parent, ast.Call) and field == "func" and isinstance(parent.func, ast.Name)
    return named or (isinstance(parent, ast.keyword) and parent.arg == "strict")


def _with(tree, parent, field, new):
    old = getattr(parent, field)
    setattr(parent, field, new)
    try:
        return ast.unparse(ast.fix_missing_locations(tree))
    finally:
        setattr(parent, field, old)


def _names(function):
    """Return the names of the function's parameters and variables, and of the attributes of ``self``."""
    own = [argument.arg for argument in function.args.args]
    stored = [node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    attributes = [node.attr for node in ast.walk(function) if _of_self(node)]
    return own, sorted({*own, *stored} - {"self"}), sorted(set(attributes) - {"update"})


def _of_self(node):
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


# Expressions ----------------------------------------------------------------------------------------------------------


def expressions(node, parent, names):
    """Yield what may replace an expression."""
    if isinstance(getattr(node, "ctx", None), ast.Store):
        return
    if not isinstance(parent, ast.UnaryOp):
        yield from constants(node)
    yield from operators(node)
    yield from other_order(node)
    yield from calls(node)
    yield from slices(node)
    yield from other_names(node, *names)
    if isinstance(node, (ast.Name, ast.Call, ast.Subscript, ast.BinOp, ast.Compare)) and _valued(node, parent):
        yield from signs(node, parent)
    if isinstance(node, ast.Name) and node.id in names[0] and _valued(node, parent):
        if node.id not in NEVER_NEGATIVE:
            yield ast.Call(ast.Name("abs"), [node], [])
        if node.id not in WHOLE:
            yield ast.Call(ast.Attribute(node, "floor"), [], [])
        if node.id not in MEASURED:
            yield ast.Call(ast.Attribute(node, "detach"), [], [])


def _valued(node, parent):
    """Return whether the values of an expression matter, and not only its shape and type."""
    names = [getattr(parent, "attr", None), getattr(getattr(parent, "func", None), "id", None)]
    names.append(getattr(getattr(parent, "func", None), "attr", None))
    return not _module(node) and not set(names) & set(SHAPE_ONLY)


def signs(node, parent):
    """Yield the negative and the complement."""
    squared = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Pow) and parent.left is node
    if not squared and not _truth(node, parent):
        yield ast.UnaryOp(ast.USub(), node)
    yield ast.UnaryOp(ast.Not() if _truth(node, parent) else ast.Invert(), node)


def _truth(node, parent):
    """Return whether only the truth value of an expression matters."""
    return getattr(parent, "test", None) is node or isinstance(parent, ast.BoolOp)


def _module(node):
    return isinstance(node, ast.Name) and node.id in ("torch", "math", "itertools", "self")


def _number(node):
    """Return the literal number in an expression with its sign, or None."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return -node.operand.value
    return node.value if isinstance(node, ast.Constant) and type(node.value) in (int, float) else None


def constants(node):
    """Yield another number, truth value, or order of letters."""
    value = _number(node)
    if isinstance(value, int):
        yield from map(ast.Constant, (value + 1, value - 1, -value, 0))
    elif value is not None:
        yield from map(ast.Constant, (value * 2, value / 2, -value, value + 1))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
        for place in range(len(text) - 1):  # "yx" for "xy": a transposed operand
            yield ast.Constant(text[:place] + text[place + 1] + text[place] + text[place + 2 :])


def operators(node):
    """Yield another operator, or only one of the operands."""
    if isinstance(node, ast.BinOp):
        family = BITWISE if isinstance(node.op, BITWISE) else ARITHMETIC
        yield from (ast.BinOp(node.left, op(), node.right) for op in family)
        if not isinstance(node.op, (ast.Add, ast.Mult)):
            yield ast.BinOp(node.right, node.op, node.left)
        yield from (node.left, node.right)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield from node.values
    elif isinstance(node, ast.UnaryOp) and _number(node) is None:
        yield node.operand
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse, ast.IfExp(node.test, node.orelse, node.body))
    elif isinstance(node, ast.Compare):
        for place in range(len(node.ops)):
            for op in COMPARISONS:
                yield ast.Compare(node.left, [*node.ops[:place], op(), *node.ops[place + 1 :]], node.comparators)
        if len(node.ops) > 1:  # a < b < c: drop one end
            yield ast.Compare(node.left, node.ops[:-1], node.comparators[:-1])
            yield ast.Compare(node.comparators[0], node.ops[1:], node.comparators[1:])


def other_order(node):
    """Yield expressions with brackets removed or moved: a * b + c for a * (b + c), a / b.log() for (a / b).log()."""
    if isinstance(node, ast.BinOp):
        left, op, right = node.left, node.op, node.right
        if isinstance(right, ast.BinOp) and not _associative(op, right.op):
            yield ast.BinOp(ast.BinOp(left, op, right.left), right.op, right.right)
        if isinstance(left, ast.BinOp) and not _associative(left.op, op):
            yield ast.BinOp(left.left, left.op, ast.BinOp(left.right, op, right))
        if isinstance(right, ast.IfExp):
            yield ast.IfExp(right.test, ast.BinOp(left, op, right.body), right.orelse)
        if isinstance(left, ast.UnaryOp) and not _of_a_product(op):
            yield ast.UnaryOp(left.op, ast.BinOp(left.operand, op, right))
        if (base := _base(right)) is not None:
            yield _on(right, ast.BinOp(left, op, base))
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.BinOp) and not _of_a_product(node.operand.op):
        inner = node.operand
        yield ast.BinOp(ast.UnaryOp(node.op, inner.left), inner.op, inner.right)
    if isinstance(base := _base(node), ast.BinOp):
        yield ast.BinOp(base.left, base.op, _on(node, base.right))


def _associative(first, second):
    """Return whether (a first b) second c equals a first (b second c)."""
    sums = isinstance(first, ast.Add) and isinstance(second, (ast.Add, ast.Sub))
    return sums or (isinstance(first, ast.Mult) and isinstance(second, (ast.Mult, ast.Div)))


def _of_a_product(op):
    return isinstance(op, (ast.Mult, ast.Div))


def _base(node):
    """Return the object that a method is called on or an attribute is read from."""
    if isinstance(node, ast.Call):
        node = node.func
    return node.value if isinstance(node, ast.Attribute) and not _module(node.value) else None


def _on(node, base):
    """Return the same method or attribute of another object."""
    new = copy.deepcopy(node)
    (new.func if isinstance(new, ast.Call) else new).value = base
    return new


def calls(node):
    """Yield another function, no function, one argument fewer, or two arguments exchanged."""
    if isinstance(node, ast.Attribute) and not _module(node.value):
        yield node.value
    if not isinstance(node, ast.Call):
        return
    function, arguments, keywords = node.func, node.args, node.keywords
    name = function.attr if isinstance(function, ast.Attribute) else function.id
    if _base(node) is not None:
        yield function.value
    yield from arguments
    for place in range(len(arguments)):
        yield ast.Call(function, [*arguments[:place], *arguments[place + 1 :]], keywords)
        if place and name not in SYMMETRIC:
            pair = arguments[place], arguments[place - 1]
            yield ast.Call(function, [*arguments[: place - 1], *pair, *arguments[place + 1 :]], keywords)
    for keyword in keywords:
        if keyword.arg != "strict":
            yield ast.Call(function, arguments, [other for other in keywords if other is not keyword])
    for family in OTHER_NAMES:
        for other in family if name in family else ():
            new = ast.Attribute(function.value, other) if isinstance(function, ast.Attribute) else ast.Name(other)
            yield ast.Call(new, arguments, keywords)
    if name in REDUCTIONS:
        yield ast.Call(function, arguments, [*keywords, ast.keyword("keepdim", ast.Constant(True))])


def slices(node):
    """Yield a slice or an index shifted by one."""
    if not isinstance(node, ast.Subscript):
        return
    inner = node.slice
    if isinstance(inner, ast.Name):
        for op in (ast.Add, ast.Sub):
            yield ast.Subscript(node.value, ast.BinOp(inner, op(), ast.Constant(1)))
    if isinstance(inner, ast.Slice):
        ends = [None if end is None else _number(end) for end in (inner.lower, inner.upper)]
        for lower, upper in (((ends[0] or 0) + 1, ends[1]), (ends[0], (ends[1] or 0) - 1), (ends[0], None)):
            new = (None if end is None else ast.Constant(end) for end in (lower, upper))
            yield ast.Subscript(node.value, ast.Slice(*new))
        if ends[1] is not None:
            yield ast.Subscript(node.value, ast.Slice(ast.Constant(1), None))


def other_names(node, parameters, variables, attributes):
    """Yield another variable, or the same variable changed in place."""
    if isinstance(node, ast.Name) and node.id in variables:
        yield from (ast.Name(other) for other in variables if other != node.id)
    if _of_self(node) and node.attr in attributes:
        yield from (ast.Attribute(node.value, other) for other in attributes)
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Name):
        method = IN_PLACE.get(type(node.op))
        if method and node.left.id in parameters:
            yield ast.Call(ast.Attribute(node.left, method), [node.right], [])


# Statements -----------------------------------------------------------------------------------------------------------


def blocks(body, parent):
    """Yield what may replace the statements of a function, branch or loop."""
    for place, statement in enumerate(body):
        before, after = body[:place], body[place + 1 :]
        yield [*before, *after] or [ast.Pass()]
        if after:
            yield [*before, after[0], statement, *after[1:]]  # the other order
        for new in statements(statement):
            yield [*before, *new, *after]
        if isinstance(statement, ast.For) and after:  # a line indented too far, or not far enough
            longer = ast.For(statement.target, statement.iter, [*statement.body, after[0]], [])
            yield [*before, longer, *after[1:]]
        if isinstance(statement, ast.For) and len(statement.body) > 1:
            shorter = ast.For(statement.target, statement.iter, statement.body[:-1], [])
            yield [*before, shorter, statement.body[-1], *after]
    if isinstance(parent, ast.For):
        yield [*body, ast.Break()]


def statements(statement):
    """Yield what may replace a statement."""
    if isinstance(statement, (ast.If, ast.With)):
        yield statement.body  # without the statement that contains the body
    if isinstance(statement, ast.If):
        yield [ast.If(ast.UnaryOp(ast.Not(), statement.test), statement.body, statement.orelse)]
    if isinstance(statement, ast.For):  # the first or the last step is lost
        steps = ast.Call(ast.Name("list"), [statement.iter], [])
        for part in (ast.Slice(ast.Constant(1), None), ast.Slice(None, ast.Constant(-1))):
            yield [ast.For(statement.target, ast.Subscript(steps, part), statement.body, [])]
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.BinOp):
        target, value = statement.targets[0], statement.value
        if isinstance(target, ast.Name) and isinstance(value.left, ast.Name) and value.left.id == target.id:
            yield [ast.AugAssign(target, value.op, value.right)]  # changes a tensor that others may share
