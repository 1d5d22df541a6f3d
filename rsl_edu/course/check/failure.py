"""What a check says of an answer that raised; the same for an answer that runs in another process.

It imports nothing of rsl_edu: the grader's sandbox has this file, and few others of this folder.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable


class PassThroughError(BaseException):
    """No error of the answer: whoever runs it elsewhere has something to say, and a check lets it pass."""


class Failure(Exception):  # noqa: N818  it is the account of an error
    """An answer has raised.

    Args:
        kind: ``exception``, ``not-answered``, ``stopped`` if it reached its time limit, or ``library-answer`` if it
            called what the exercise asks to write.
        says: The error in a line: ``ValueError: 3 is not a size``; for ``library-answer`` the name of what was called,
            for ``stopped`` what it did: ``ran for more than 10 s``.
        line: The line of the learner's code, if any.
        number: The number of the line in its cell.
        function: The learner's function.
    """

    def __init__(self, kind: str, says: str, line: str = "", number: int = 0, function: str = "") -> None:
        Exception.__init__(self, says)  # a kind that is an OSError too, say, has a constructor that takes other things
        self.kind, self.says, self.line, self.number, self.function = kind, says, line, number, function


def failure(error: BaseException, is_learners: Callable[[str], bool]) -> Failure:
    """Give an account of an error.

    Args:
        error: What an answer has raised.
        is_learners: Whether code of a file, by its name, is the learner's.
    """
    if isinstance(error, Failure):
        return error
    too_long = "TooLongError" in [kind.__name__ for kind in type(error).__mro__]  # the sandbox has another limit.py
    before = error.__context__ if too_long else None  # it was raised once more while the learner's code ended
    traces = [traceback.extract_tb(each.__traceback__) for each in (before, error) if each is not None]
    frames = [frame for trace in traces for frame in trace if is_learners(frame.filename)]
    line, number, function = (frames[-1].line or "", frames[-1].lineno or 0, frames[-1].name) if frames else ("", 0, "")
    if too_long:
        return Failure("stopped", str(error), line, number, function)
    stub = frames and isinstance(error, NotImplementedError) and (not error.args or "NotImplementedError" in line)
    told = traceback.TracebackException(type(error), error, None)
    vars(told)["__notes__"] = None  # they would come last
    says = [*told.format_exception_only()][-1].partition("\n")[0]  # ValueError: its first line
    says = says.removesuffix(", but expected one of:")  # what torch says in the lines that follow
    if len(says) > 130:
        says = re.split(r"(?<=\.)\s+(?=[A-Z])", says)[0]  # its first sentence
    return Failure("not-answered" if stub else "exception", says[:200], line, number, function)


def advice(says: str) -> str:
    """What a common error means, in words; empty for all others.

    Args:
        says: The error in a line.
    """
    return next((meaning for pattern, meaning in _MEANINGS if re.search(pattern, says)), "")


_MEANINGS = (  # what torch and Python say, and what they mean
    (
        r"leaf Variable that requires grad",
        "A layer's weight tracks gradients, and filling it is not to be differentiated: write into it inside "
        "`with torch.no_grad():`.",
    ),
    (
        r"support the deepcopy protocol",
        "copy.deepcopy cannot copy a tensor in the middle of a graph. `.clone()` can, and keeps its gradient.",
    ),
    (
        r"Can't call numpy\(\) on Tensor that requires grad",
        "numpy knows no gradients. Stay with torch: it has the same functions, under much the same names.",
    ),
    (
        r"does not require grad|does not have a grad_fn",
        "No gradient comes back from this: it was cut off by `.detach()`, `.item()`, numpy or torch.no_grad().",
    ),
    (
        r"same device|on cpu, but|is on cuda",
        "A tensor that you make is on the CPU unless you say where: torch.zeros(..., device=x.device).",
    ),
    (
        r"shapes cannot be multiplied|size mismatch, got|both arguments to matmul|inconsistent tensor size",
        "In a product, the columns of the first must be as many as the rows of the second. Is one to be transposed?",
    ),
    (
        r"same dtype|expected scalar type|dtypes? (mis)?match",
        "Two tensors of different types meet. Make yours like the input: torch.zeros(..., dtype=x.dtype).",
    ),
    (
        r"must match the size of tensor|shape mismatch|must match the existing size|output with shape",
        "The two shapes do not fit, counted from the last dimension. Print both, and see which dimension is which.",
    ),
    (
        r"Sizes of tensors must match except in dimension",
        "The pieces differ in a dimension along which they are not joined.",
    ),
    (
        r"is invalid for input of size",
        "A reshape keeps all numbers: the sizes must multiply to as many as there are.",
    ),
    (
        r"Dimension out of range|too many indices",
        "Fewer dimensions are there than you think. Print the shape first.",
    ),
    (
        r"backward through the graph a second time",
        "Return the loss as it is: whoever trains with it calls backward().",
    ),
    (
        r"shape of the mask",
        "A mask stands for the first dimensions: x[mask]. For the second, write x[:, mask].",
    ),
    (
        r"split_sizes to sum exactly",
        "The pieces together must be as long as the whole: is the last piece missing?",
    ),
    (
        r"values to unpack \(expected",
        "There are not as many pieces as names. chunk, split and unbind cut along the first dimension unless you name "
        "another: .chunk(3, dim=-1).",
    ),
    (
        r"stack expects each tensor to be equal size",
        "Only tensors of one shape can be stacked: pad the short ones first.",
    ),
    (
        r"index -?\d+ is out of bounds|list index out of range",
        "Count from 0: of n entries the last one has the index n - 1.",
    ),
    (
        r"could not infer output dtype|Got: (Bool|Long)|only support floating",
        "Integers and booleans have no mean: `.float()` first.",
    ),
    (
        r"Boolean value of Tensor",
        "`if`, `and` and `or` want one truth value. For one of each entry, use torch.where, `&`, `|` and brackets.",
    ),
    (
        r"must be Tensor, not (float|int)|'(float|int)' object has no attribute",
        "A plain number is no tensor: use the functions of `math` for it, or make a tensor of it first.",
    ),
    (r"RecursionError", "Does the function call itself, under the same name, where you mean another one?"),
    (r"NameError|UnboundLocalError", "Is the name spelled as where it got its value, and does it get one before?"),
    (
        r"missing \d+ required|takes (from )?\d+ (to \d+ )?positional|unexpected keyword",
        "The arguments must be those of the cell that came with the exercise.",
    ),
    (
        r"'NoneType'",
        "Something is None: what a function without `return` gave, or a method such as append, which returns nothing.",
    ),
    (r"takes no arguments", "Is it spelled `__init__`, with two underscores on each side?"),
    (r"multiple values for argument", "Is `self` the first argument of each method?"),
    (r"_backward_hooks|before Module.__init__", "`super().__init__()` comes first in the __init__ of a torch module."),
    (r"division by zero", "What is it that you divide by, and when is it 0?"),
    (r"tensors used as indices must be", "As an index, use integers, or a mask: x.bool()."),
    (r"'list' object|not list|not tuple", "A list is no tensor: torch.stack makes one of a list of tensors."),
)
