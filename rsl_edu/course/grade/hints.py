"""Advice for authors: what checks cannot do because answers run in a different process, and what to do instead."""

from __future__ import annotations

import re

_FILES = "pass the content of a file as an argument, and let the answer return what it would write"
_BY_MESSAGE = (
    (
        r"^your code raises .*(No such file or directory|Read-only file system)",
        f"an answer runs in a sandbox, which does not contain the files and folders of the check: {_FILES}",
    ),
    (r"No such file or directory", f"a check cannot read files that an answer writes in its sandbox: {_FILES}"),
    (
        r"\b(Generator|RandomState|Random) cannot be passed",
        "pass a seed, or first call torch.manual_seed, which also seeds torch where the answers run",
    ),
    (r"(IOWrapper|Reader|Writer|BytesIO|StringIO) cannot be passed", "pass the content of the file"),
    (
        r"cannot be passed",
        "pass plain data, such as list(…) of the object, tensors, arrays, functions or iterators; or let the answer "
        "create the object",
    ),
    (r"catching classes that do not inherit", "catch the built-in error from which the student's class derives"),
    (r"coroutine", "a check cannot await an answer: ask for a function that runs the coroutine"),
    (
        r"does not require grad",
        "gradients flow from results to arguments, but not into an object's own parameters: ask for a method that "
        "calls backward(), then check .grad of the parameters",
    ),
    (r"'_ask_'", "a check cannot derive a class from an answer"),
)
_BY_CODE = (
    (r"\bis (?!None|True|False|not\b)", "values are copied between check and answer: compare values, not identity"),
    (
        r"\bis(instance|subclass)\(|\btype\(.*\) *[!=]=",
        "a check can recognize only torch.nn.Module and types of plain data: test what the object does",
    ),
    (
        r"\brequires_grad\b|\.grad_fn\b|\.is_leaf\b",
        "in a check, the result of an answer requires a gradient only if it is a parameter, or if an argument requires "
        "one",
    ),
    (r"__doc__|\bsignature\(", "a check can see only a function's name and what the function does"),
    (r"\.args\b", "a check can see only the type and the text of an error"),
    (
        r"no_grad\(|\.(fill|copy|zero|add|mul)_\(|\.step\(\)",
        "a parameter that the check changes stays the same in the answer's process: load a state dict",
    ),
    (r"\brandom\.seed\(", "in the answer's process, only torch's random numbers are seeded"),
    (
        r"\bopen\(|\bos\.path\.|\.(exists|is_file|is_dir|(read|write)_(text|bytes)|mkdir)\(|\b(torch|np|numpy)\.(save|load)",
        f"the check and the answers share no files: {_FILES}",
    ),
)


def with_advice(message: str, code: str) -> str:
    """Return a message, with advice added if the check does something impossible.

    Args:
        message: Message to a student whose right answer fails the check.
        code: Source of the check, up to the statement that fails. The advice is about its last suspicious line.
    """
    says = re.sub(
        r"^the check cannot use the value that your code returns: (?=.*cannot be passed)", "the check raises ", message
    )
    for pattern, what in _BY_MESSAGE:
        if re.search(pattern, message):
            return f"{says}: {what}"
    for line in reversed(code.split("\n")):
        for pattern, what in _BY_CODE:
            if re.search(pattern, line):
                return f"{says} (perhaps: {what})"
    return says
