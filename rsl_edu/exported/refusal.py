"""Explains why an export could not be run: finds the relevant sentence in the errors of torch and ONNX Runtime."""

from __future__ import annotations

import itertools
import re

from .export import Export

_SHOWN = (
    "; it gets one observation at a time, as a tensor [1, features]: export a policy that takes this, and that stores "
    "any hidden state or history itself"
)


def refusal(export: Export, error: str) -> str:
    """Explain in one line why an export does not run, and what to do if that is known.

    Args:
        export: The policy.
        error: The error message, with the name of its class; for a long message, its beginning and its end.
    """
    if re.search(r"invalid dimensions for input|invalid rank for input", error, re.IGNORECASE):
        name = export.observation or ""
        shape = export.inputs.get(name, ())
        wrong = re.search(r"index: (\d+) Got: (\d+) Expected: (\d+)", error)
        if wrong and int(wrong[1]) == len(shape) - 1:
            return f"its input {name} takes {wrong[3]} features, but the observations have {wrong[2]}"
        sizes = ", ".join("any" if size is None else str(size) for size in shape)
        return f"its input {name} takes [{sizes}]{_SHOWN}"
    if found := re.search(r"Expected a value of type '(.+?)' for argument '(\w+)'", error):
        return f"its forward takes {found[1]} as {found[2]}{_SHOWN}"
    if found := re.search(r"missing value for argument '\w+'\. Declaration: forward\(\S+ \w+, (.+)\) ->", error):
        return f"its forward takes more than an observation: {found[1]}{_SHOWN}"
    said = _last(error)
    if "onnxruntime" in said:
        said += "; running ONNX requires the package onnxruntime: pip install 'rsl_edu[onnx]'"
    elif re.search("cuda|nvidia", error, re.IGNORECASE):
        said += "; its code refers to a GPU: export it from a model on the CPU, model.to('cpu')"
    return said


def _last(error: str) -> str:
    """Return the last error in a TorchScript traceback and the line of code marked there; else the error itself."""
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    raised = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Interrupt)\b", line)]
    if "TorchScript" not in error or not raised:
        return " ".join(lines)[:300]
    what = re.sub(r"^RuntimeError: (?=\w+(Error|Exception))", "", raised[-1]).rstrip(": ").split(". ")[0]
    marked = [before for before, line in itertools.pairwise(lines) if line.endswith("<--- HERE")]
    at = f", at `{marked[-1][:100]}`" if marked else ""
    return f"{what[:300]}{at}, called with a tensor [1, features]"
