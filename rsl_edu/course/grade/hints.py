"""What a check cannot do with answers that run in a process of their own, and what to write instead."""

from __future__ import annotations

import re

_FILES = "hand over what is in a file, and let the answer return what it would write"
_BY_MESSAGE = (
    (
        r"^your code raises .*(No such file or directory|Read-only file system)",
        f"an answer runs in a sandbox, where the files and folders of the check are not: {_FILES}",
    ),
    (r"No such file or directory", f"what an answer writes stays in its sandbox, where no check can read it: {_FILES}"),
    (
        r"\b(Generator|RandomState|Random) cannot be handed",
        "hand over a seed, or call torch.manual_seed before, which also seeds torch where the answers run",
    ),
    (r"(IOWrapper|Reader|Writer|BytesIO|StringIO) cannot be handed", "hand over what the file holds"),
    (
        r"cannot be handed",
        "hand over plain data, such as list(…) of it, tensors, arrays, functions or iterators; or let the answer make "
        "it",
    ),
    (r"catching classes that do not inherit", "catch the built-in error that the learner's own class derives from"),
    (r"coroutine", "a check cannot await an answer: ask for a function that runs it"),
    (
        r"does not require grad",
        "gradients pass from results to arguments, and not into an object's own parameters: ask for a method that "
        "calls backward(), then look at .grad of the parameters",
    ),
    (r"'_ask_'", "a check cannot derive a class from an answer"),
)
_BY_CODE = (
    (r"\bis (?!None|True|False|not\b)", "what crosses to the answers is copied: compare values, not identity"),
    (
        r"\bis(instance|subclass)\(|\btype\(.*\) *[!=]=",
        "only torch.nn.Module and types of plain data are known here: check what it does",
    ),
    (
        r"\brequires_grad\b|\.grad_fn\b|\.is_leaf\b",
        "what an answer returns requires a gradient here only if it is a parameter, or if an argument requires one",
    ),
    (r"__doc__|\bsignature\(", "of a function, only its name and what it does are known here"),
    (r"\.args\b", "of an error, only its type and its text are known here"),
    (
        r"no_grad\(|\.(fill|copy|zero|add|mul)_\(|\.step\(\)",
        "a parameter that is changed here stays the same there: load a state dict",
    ),
    (r"\brandom\.seed\(", "only torch's random numbers are seeded there too"),
    (
        r"\bopen\(|\bos\.path\.|\.(exists|is_file|is_dir|(read|write)_(text|bytes)|mkdir)\(|\b(torch|np|numpy)\.(save|load)",
        f"the check and the answers share no files: {_FILES}",
    ),
)


def with_advice(message: str, code: str) -> str:
    """Say also what cannot be checked, if it is that.

    Args:
        message: What a learner reads whose right answer fails.
        code: The check, up to the statement that fails; its last line that might be the reason counts.
    """
    says = re.sub(r"^the check cannot use what your code returns: (?=.*cannot be handed)", "the check raises ", message)
    for pattern, what in _BY_MESSAGE:
        if re.search(pattern, message):
            return f"{says}: {what}"
    for line in reversed(code.split("\n")):
        for pattern, what in _BY_CODE:
            if re.search(pattern, line):
                return f"{says} (perhaps: {what})"
    return says
