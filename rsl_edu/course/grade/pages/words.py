"""What is said of a mistake to the whole class, and of what happened to the cells of a notebook."""

from __future__ import annotations

import re

from rsl_edu.course import check

from ..notebook import Note

_MISTAKES = {  # of any exercise; spoken to the class, like those of an exercise's own
    "no-return": ("your function returns nothing.", "Is its `return` missing, or does it print instead?"),
    "wrong-type": (
        "your function returns another kind of value than the task asks for.",
        "Look at what the task wants returned: how many values, and whether numbers or tensors.",
    ),
    "wrong-shape": ("your result has another shape than the right one.", "Write down the shape after each step."),
    "in-place": (
        "your code changes its inputs, which belong to the caller.",
        "Write `a = a + b` instead of `a += b`, or work on a copy.",
    ),
    "nan": (
        "your result is not a number (NaN).",
        "0/0, the root or log of a negative number and the variance (n − 1) of a single sample are NaN.",
    ),
    "no-gradient": (
        "your result is right, but no gradient comes back from it.",
        "`.detach()`, `.item()`, numpy and `torch.no_grad()` cut it off: stay with tensors and their methods.",
    ),
    "integer-result": (
        "your result holds whole numbers only: what is after the point is cut off.",
        "A tensor made of whole numbers keeps to them: write 0.0 for 0.",
    ),
    "constant-result": (
        "your result is the same whatever the inputs are.",
        "Which of the arguments does your code use?",
    ),
    "random": ("your result depends on random numbers.", "Only the inputs should decide."),
    "state-between-calls": (
        "your code keeps something from one call to the next.",
        "Make it inside the function; in a class, in `__init__`.",
    ),
    "exception": ("your code raises an error.", "Which error, and for which inputs, is on your page."),
    "stopped": (
        "your code was stopped: it takes too much time or memory, or it ends its process.",
        "Does a loop never end?",
    ),
    "library-answer": ("your code calls the very function that you are asked to write.", "Write it in simpler steps."),
    "needs-another": (
        "your answer calls another one of yours that is wrong or missing.",
        "It is right with a right one: mend the other one.",
    ),
    "partial": ("your answer is right in part only.", "How many points it got is on your page."),
    "unknown": (
        "your result is wrong in a way that has no name yet.",
        "Compare what was expected with what your code returns.",
    ),
}
_VEIL = re.compile(
    r"right for the cases of its check, wrong for further ones: |a likely mistake: "
    r"|wrong for some cases, judged with a right [^:]*: "
)

UNANSWERED = {
    "not-answered": "not answered: what was handed out in the place of an answer is still there",
    "as-handed-out": "not answered: the faulty code that was handed out is still there, or was copied",
    "missing": "not there: the notebook has no answer of this name",
    "lost": "lost: there was an answer, but its cell failed",
}
"""Why there was nothing to judge, by the name that the mark has for it."""

NOTES = {
    "module": ("Missing modules", "These are not installed where the notebooks are graded."),
    "line": ("Magics and shell commands", "These do nothing when a notebook is graded."),
    "raised": ("Errors", "A statement raised an error: what it would have defined is missing."),
    "syntax": ("Not Python", "The statement with such a line is left out."),
    "stopped": ("Stopped", "The cell took too much time or memory, or it ended its process."),
}
"""The kinds of notes: a heading, and what happens to such lines."""


def advice(task: str, mistake: str) -> tuple[str, str]:
    """Return a headline and what to do, both empty for a generic mistake, of which only the feedback tells.

    What stands between backticks in them is code.

    Args:
        task: Name of the exercise.
        mistake: Name of one mistake.
    """
    known = check.EXERCISES[task].mistakes if task in check.EXERCISES else {}
    if mistake in known:
        return known[mistake].headline, known[mistake].why
    return _MISTAKES.get(mistake, ("", ""))


def headline(message: str) -> str:
    """Return the first sentence of a message, without the words before it that many messages have."""
    return _VEIL.sub("", message.partition("\n")[0]).strip()


def topic(note: Note) -> str:
    """Return what a note is about: the module, the magic, the kind of error; empty if its kind says it all."""
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
