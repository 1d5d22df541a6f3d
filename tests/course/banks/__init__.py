"""What people answer to the exercises: a folder for each lesson, and in it a file for each exercise.

The classes ``Right`` and ``Wrong`` of a file are only namespaces. The functions in them (or classes, if the exercise
asks for one) are as people write them, without ``self``. The name of a wrong answer begins with the name of its
mistake, which ends at two underscores: ``own_activation__relu`` makes the mistake ``own-activation``. One that makes
two mistakes has both names: ``own_activation__with__bias_forgotten__relu``.
"""

import importlib
from pathlib import Path

from rsl_edu.course import check

from .machinery import wrong_like

# Mistakes that an answer to any exercise can make, besides the exercise's own.
OF_THE_MACHINERY = {
    *("no-return", "wrong-type", "wrong-shape", "in-place", "nan", "exception", "unknown", "not-answered", "stopped"),
    *("no-gradient", "random", "state-between-calls", "integer-result", "constant-result"),
}


def mistake_of(name):
    """The mistake that a wrong answer makes, from the name of the answer; of two, both with a plus between them."""
    one, _, other = name.partition("__with__")
    return " + ".join(part.partition("__")[0].replace("_", "-") for part in (one, other) if part)


def answers_in(namespace):
    """The answers in a class, by name."""
    return {name: answer for name, answer in vars(namespace).items() if not name.startswith("__")}


def wrong_answers_in(namespace, exercise):
    """The wrong answers in a class, by name; a ``ValueError`` if a name begins with no mistake of the exercise."""
    answers = answers_in(namespace)
    unknown = [
        name
        for name in answers
        for mistake in mistake_of(name).split(" + ")
        if mistake not in OF_THE_MACHINERY | exercise._diagnosis.names
    ]
    if unknown:
        raise ValueError(f"bank of {exercise.name}: {', '.join(unknown)}: no mistake of the exercise has such a name")
    return answers


def load():
    """The bank of each exercise, by its name; a ``ValueError`` if an exercise has no file, or a file no exercise."""
    files = {path.stem: path for path in Path(__file__).parent.glob("*/*.py")}
    if alone := files.keys() ^ check.EXERCISES.keys():
        raise ValueError(
            f"banks: {', '.join(sorted(alone))}: an exercise without a file, or a file without an exercise"
        )
    return {name: importlib.import_module(f"{__name__}.{files[name].parent.name}.{name}") for name in check.EXERCISES}


BANKS = load()
# The answers to each exercise, by the name of the exercise and their own.
RIGHT = {name: answers_in(bank.Right) for name, bank in BANKS.items()}
WRONG = {
    name: wrong_answers_in(bank.Wrong, check.EXERCISES[name]) | wrong_like(check.EXERCISES[name].reference)
    for name, bank in BANKS.items()
}
