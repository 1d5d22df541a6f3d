"""Messages to the class about mistakes, and about cells of a notebook that did not run normally."""

from __future__ import annotations

import re

from rsl_edu.course import check

from ..notebook import Note

_MISTAKES = {  # mistakes possible in any exercise, addressed to the class like an exercise's own mistakes
    "no-return": ("your function returns nothing.", "Is its `return` missing, or does it print the result instead?"),
    "wrong-type": (
        "your function returns a different kind of value from what the task asks for.",
        "Check what the task says about the result: how many values, and numbers or tensors.",
    ),
    "wrong-shape": ("your result has the wrong shape.", "Write down the shape after each step."),
    "in-place": (
        "your code changes its inputs, which belong to the caller.",
        "Write `a = a + b` instead of `a += b`, or work on a copy.",
    ),
    "nan": (
        "your result is not a number (NaN).",
        "0/0, the root or log of a negative number, and the variance (n − 1) of a single sample are NaN.",
    ),
    "no-gradient": (
        "your result is right, but no gradient flows back from it.",
        "`.detach()`, `.item()`, numpy and `torch.no_grad()` cut the gradient off: use only tensors and their methods.",
    ),
    "integer-result": (
        "your result contains only integers: the digits after the decimal point are cut off.",
        "A tensor created from integers stays an integer tensor, so write 0.0 instead of 0.",
    ),
    "constant-result": (
        "your result is the same for all inputs.",
        "Which of the arguments does your code use?",
    ),
    "random": ("your result depends on random numbers.", "It should depend only on the inputs."),
    "state-between-calls": (
        "your code keeps a value from one call to the next.",
        "Create the value inside the function, or in a class inside `__init__`.",
    ),
    "exception": ("your code raises an error.", "Your page shows which error, and for which inputs."),
    "stopped": (
        "your code was stopped: it takes too much time or memory, or it ends its process.",
        "Is there a loop that never ends?",
    ),
    "library-answer": ("your code calls the function that you are asked to write.", "Write it in simpler steps."),
    "needs-another": (
        "your answer calls another of your answers, which is wrong or missing.",
        "With a right version of that answer, this one is right. Fix the other one.",
    ),
    "partial": ("your answer is only partly right.", "Your page shows how many points it got."),
    "unknown": (
        "your result is wrong in a way that the checks do not recognize.",
        "Compare the expected result with what your code returns.",
    ),
}
_VEIL = re.compile(
    r"right for the cases of its check, wrong for further ones: |a likely mistake: "
    r"|wrong for some cases, judged with a right [^:]*: "
)

UNANSWERED = {
    "not-answered": "not answered: the placeholder that was handed out is still there",
    "as-handed-out": "not answered: the faulty code that was handed out is still there, or was copied",
    "missing": "missing: the notebook has no answer with this name",
    "lost": "lost: there was an answer, but its cell failed",
}
"""Reasons why there was no answer to judge, by the name of the mistake."""

NOTES = {
    "module": ("Missing modules", "These modules are not installed where the notebooks are graded."),
    "line": ("Magics and shell commands", "These have no effect when a notebook is graded."),
    "raised": ("Errors", "A statement raised an error, so the names that it would have defined are missing."),
    "syntax": ("Not Python", "A statement with such a line is skipped."),
    "stopped": ("Stopped", "The cell took too much time or memory, or it ended its process."),
}
"""Kinds of notes: a heading, and what happens to such lines."""


def advice(task: str, mistake: str) -> tuple[str, str]:
    """Return a headline and what to do about a mistake; both are empty if only the feedback describes it.

    Text between backticks is code.

    Args:
        task: Name of the exercise.
        mistake: Name of one mistake.
    """
    known = check.EXERCISES[task].mistakes if task in check.EXERCISES else {}
    if mistake in known:
        return known[mistake].headline, known[mistake].why
    return _MISTAKES.get(mistake, ("", ""))


def headline(message: str) -> str:
    """Return the first sentence of a message, without a common prefix."""
    return _VEIL.sub("", message.partition("\n")[0]).strip()


def topic(note: Note) -> str:
    """Return the topic of a note: the module, the magic or the kind of error; empty if the kind of note is enough."""
    line, text = note.line.strip(), note.text
    if note.kind == "module":
        found = re.search(r"\b(?:from|import)\s+(\w+)", line) or re.search(r"\bneeds (\w+)", text)
    elif note.kind == "line":
        found = re.search(r"(%%?\w+|!+\s*[\w./-]+|\?)", line)
    elif note.kind == "raised":
        found = re.search(r"\braised (\w+)", text)
    else:
        return ""
    return found[1] if found else "others"
