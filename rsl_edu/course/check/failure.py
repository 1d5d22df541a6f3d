"""How a check describes an answer that raised an error, in this process or in a different process.

This file imports nothing from rsl_edu, because the grader's sandbox contains it but little else from this folder.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable


class PassThroughError(BaseException):
    """A message from code that runs answers in another process; a check does not catch it."""


class Failure(Exception):  # noqa: N818  it describes an error that another exception signals
    """The description of an error that an answer raised.

    Args:
        kind: ``exception``, ``not-answered``, ``stopped`` if the answer reached its time limit, or ``library-answer``
            if it called the function that the exercise asks learners to write.
        says: The error in one line, such as ``ValueError: 3 is not a size``; for ``library-answer`` the name of the
            function that was called, for ``stopped`` what happened, such as ``ran for more than 10 s``.
        line: The line of the learner's code, if there is one.
        number: The number of this line in its cell.
        function: Name of the learner's function that contains this line.
    """

    def __init__(self, kind: str, says: str, line: str = "", number: int = 0, function: str = "") -> None:
        Exception.__init__(self, says)  # a subclass of OSError, for example, has a constructor with different arguments
        self.kind, self.says, self.line, self.number, self.function = kind, says, line, number, function


def failure(error: BaseException, is_learners: Callable[[str], bool]) -> Failure:
    """Describe an error.

    Args:
        error: The error that an answer raised.
        is_learners: Whether the file with a given name contains the learner's code.
    """
    if isinstance(error, Failure):
        return error
    too_long = "TooLongError" in [
        kind.__name__ for kind in type(error).__mro__
    ]  # by name, because the sandbox has its own limit.py
    before = error.__context__ if too_long else None  # raised again while the learner's code was ending
    traces = [traceback.extract_tb(each.__traceback__) for each in (before, error) if each is not None]
    frames = [frame for trace in traces for frame in trace if is_learners(frame.filename)]
    line, number, function = (frames[-1].line or "", frames[-1].lineno or 0, frames[-1].name) if frames else ("", 0, "")
    if too_long:
        return Failure("stopped", str(error), line, number, function)
    stub = frames and isinstance(error, NotImplementedError) and (not error.args or "NotImplementedError" in line)
    told = traceback.TracebackException(type(error), error, None)
    vars(told)["__notes__"] = None  # notes would come after the message, in the last line
    says = [*told.format_exception_only()][-1].partition("\n")[0]  # the type and the first line of the message
    says = says.removesuffix(", but expected one of:")  # torch continues on the next lines
    if len(says) > 130:
        says = re.split(r"(?<=\.)\s+(?=[A-Z])", says)[0]  # keep only the first sentence
    return Failure("not-answered" if stub else "exception", says[:200], line, number, function)


def advice(says: str) -> str:
    """Explain a common error in plain words; the text is empty for all other errors.

    Args:
        says: The error in one line.
    """
    return next((meaning for pattern, meaning in _MEANINGS if re.search(pattern, says)), "")


_MEANINGS = (  # patterns in the messages of torch and Python, and what they mean
    (
        r"leaf Variable that requires grad",
        "A layer's weight tracks gradients, but autograd must not record how you initialize it: write into the weight "
        "inside `with torch.no_grad():`.",
    ),
    (
        r"support the deepcopy protocol",
        "`copy.deepcopy` cannot copy a tensor in the middle of a graph. Use `.clone()`, which also keeps the gradient.",
    ),
    (
        r"Can't call numpy\(\) on Tensor that requires grad",
        "numpy does not support gradients. Use torch, which has the same functions under similar names.",
    ),
    (
        r"does not require grad|does not have a grad_fn",
        "This tensor has no gradient, because of `.detach()`, `.item()`, numpy or `torch.no_grad()`.",
    ),
    (
        r"same device|on cpu, but|is on cuda",
        "A tensor that you create is on the CPU unless you choose a device: `torch.zeros(..., device=x.device)`.",
    ),
    (
        r"shapes cannot be multiplied|size mismatch, got|both arguments to matmul|inconsistent tensor size",
        "In a matrix product, the first matrix needs as many columns as the second has rows. Is a transpose missing?",
    ),
    (
        r"same dtype|expected scalar type|dtypes? (mis)?match",
        "Two tensors have different types. Give yours the type of the input: `torch.zeros(..., dtype=x.dtype)`.",
    ),
    (
        r"must match the size of tensor|shape mismatch|must match the existing size|output with shape",
        "The two shapes do not match, counting from the last dimension. Print both, and compare the dimensions.",
    ),
    (
        r"Sizes of tensors must match except in dimension",
        "The tensors to be joined may differ in size only along the dimension in which they are joined.",
    ),
    (
        r"is invalid for input of size",
        "A reshape keeps all numbers, so the product of the new sizes must equal the number of entries.",
    ),
    (
        r"Dimension out of range|too many indices",
        "The tensor has fewer dimensions than your code assumes. Print its shape first.",
    ),
    (
        r"backward through the graph a second time",
        "Only return the loss: the training loop calls `backward()`.",
    ),
    (
        r"shape of the mask",
        "A mask applies to the first dimensions: `x[mask]`. For the second dimension, write `x[:, mask]`.",
    ),
    (
        r"split_sizes to sum exactly",
        "The lengths of the pieces must add up to the length of the tensor: is the last piece missing?",
    ),
    (
        r"values to unpack \(expected",
        "The number of pieces differs from the number of names. `chunk`, `split` and `unbind` split the first "
        "dimension unless you pass a different one: `.chunk(3, dim=-1)`.",
    ),
    (
        r"stack expects each tensor to be equal size",
        "Only tensors of the same shape can be stacked: pad the shorter ones first.",
    ),
    (
        r"index -?\d+ is out of bounds|list index out of range",
        "Indices start at 0, so the last of n entries has the index n - 1.",
    ),
    (
        r"could not infer output dtype|Got: (Bool|Long)|only support floating",
        "torch cannot compute the mean of integers or booleans: call `.float()` first.",
    ),
    (
        r"Boolean value of Tensor",
        "`if`, `and` and `or` need a single truth value. To work on entries, use `torch.where`, `&`, `|` and brackets.",
    ),
    (
        r"must be Tensor, not (float|int)|'(float|int)' object has no attribute",
        "A plain number is not a tensor: use the functions of `math` for it, or convert it to a tensor first.",
    ),
    (r"RecursionError", "Does the function call itself, although you mean another function with the same name?"),
    (
        r"NameError|UnboundLocalError",
        "Is the name spelled as in the line that defines it, and does that line run first?",
    ),
    (
        r"missing \d+ required|takes (from )?\d+ (to \d+ )?positional|unexpected keyword",
        "The arguments must be the same as in the exercise's original cell.",
    ),
    (
        r"'NoneType'",
        "A value is None. Functions without `return` return None, and so do methods such as `append`.",
    ),
    (r"takes no arguments", "Is it spelled `__init__`, with two underscores on each side?"),
    (r"multiple values for argument", "Is `self` the first argument of each method?"),
    (r"_backward_hooks|before Module.__init__", "Call `super().__init__()` first in the `__init__` of a torch module."),
    (r"division by zero", "What do you divide by, and when is it 0?"),
    (r"tensors used as indices must be", "Use integers or a boolean mask as an index: `x.bool()`."),
    (r"'list' object|not list|not tuple", "A list is not a tensor: `torch.stack` converts a list of tensors to one."),
)
