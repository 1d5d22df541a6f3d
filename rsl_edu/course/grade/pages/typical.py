"""Typical answer with a mistake: anonymous, and without comments and docstrings."""

from __future__ import annotations

import io
import itertools
import re
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator

_LONGEST = 4000
"""Largest number of characters of an answer in a report."""
_STARTS = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)  # a statement begins after these
_BLANK = (tokenize.NL, tokenize.COMMENT)

Place = tuple[int, int]  # line, from 1, and column


def typical(answers: Iterable[tuple[str, str]]) -> str:
    """Return the most frequent answer, or the shortest of equally frequent ones; empty if no answer can be shown.

    Args:
        answers: Names of the submissions and source code of the cells with their answers.
    """
    codes = Counter(code for name, source in answers if (code := bare(source)) and not _names(name, code))
    return min(codes, key=lambda code: (-codes[code], len(code), code), default="")


def bare(source: str) -> str:
    """Return code without comments, docstrings and empty lines; empty if it is too long or not Python."""
    if len(source) > 10 * _LONGEST:
        return ""
    lines = source.split("\n")
    try:
        spans = list(_not_code(source))
    except (tokenize.TokenError, SyntaxError):
        return ""
    for (first, start), (last, end) in reversed(spans):
        lines[first - 1 : last] = [lines[first - 1][:start] + lines[last - 1][end:]]
    code = "\n".join(line.rstrip() for line in lines if line.strip())
    return code if len(code) <= _LONGEST else ""


def _not_code(source: str) -> Iterator[tuple[Place, Place]]:
    """Yield the start and end of each comment and docstring."""
    starts = True
    for token, after in itertools.pairwise(tokenize.generate_tokens(io.StringIO(source).readline)):
        alone = starts and after.type in (tokenize.NEWLINE, tokenize.COMMENT, tokenize.ENDMARKER)
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and alone):
            yield token.start, token.end
        if token.type not in _BLANK:
            starts = token.type in _STARTS


def _names(submission: str, code: str) -> bool:
    """Return whether code contains a part of the student's name."""
    parts = re.findall(r"[^\W\d_]{3,}", submission)
    return any(re.search(rf"(?<![^\W_]){part}(?![^\W_])", code) for part in parts)
