"""The rules of a course from its file ``course.yml``: limits, lateness, which of several submissions counts.

This module does not import torch, so that mistakes in the file are reported immediately.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml  # type: ignore[import-untyped]


class CourseError(ValueError):
    """A course file that cannot be used; the text names the file and the key, and states what is allowed."""


@dataclass(frozen=True)
class Late:
    """Deduction for lateness.

    Args:
        grace: Grace period in hours after the due date. Lateness counts from its end.
        per_day: Percentage of the assignment's points that each day takes off, including a day that has only begun.
        most: Largest percentage that lateness takes off.
        none_after: Days after which there are no points at all; None if there is no such limit.
    """

    grace: float = 0.0
    per_day: float = 0.0
    most: float = 100.0
    none_after: float | None = None


@dataclass(frozen=True)
class Policy:
    """Rules that apply after marking, so that submissions need not be graded again after a change.

    Args:
        due: Due date of the assignment; None if unknown.
        late: Deduction for lateness.
        several: Which submission of a student counts: the latest, or the best after the deduction.
        nothing: Result of a student in the roster who handed in nothing: 0 points, or empty cells.
    """

    due: datetime.datetime | None = None
    late: Late = Late()
    several: Literal["latest", "best"] = "latest"
    nothing: Literal["zero", "empty"] = "zero"


@dataclass(frozen=True)
class Rules:
    """Rules for marking a submission: after a change, all submissions are graded again.

    Args:
        partial: Whether an answer that is right for some of its cases gets a part of the points.
        carry: Whether an answer that depends on a wrong answer to an earlier exercise is judged with a right one.
    """

    partial: bool = False
    carry: bool = True


@dataclass(frozen=True)
class Course:
    """The rules of a course for one assignment.

    Args:
        limits: Arguments of :class:`.grade.sandbox.Limits`, by name.
        rules: Rules for marking a submission.
        policy: Rules that apply after marking.
        roster: File with the roster, or None.
    """

    limits: Mapping[str, Any] = field(default_factory=dict)
    rules: Rules = Rules()
    policy: Policy = Policy()
    roster: Path | None = None


_SECONDS = ("cell", "load", "call", "total", "start", "wall")
_MEGABYTES = ("memory", "disk")
LIMITS = (*_SECONDS, *_MEGABYTES, "processes")
"""Names of the limits."""


def limit(text: str) -> tuple[str, float]:
    """Return the name and the value of a limit, as for :class:`.grade.sandbox.Limits`.

    Args:
        text: The limit, such as ``cell=20`` in seconds or ``memory=4096`` in MB.

    Raises:
        ValueError: If the text is not a limit; the message states what is allowed.
    """
    name, _, value = text.partition("=")
    if name not in LIMITS:
        raise ValueError(f"expected NAME=NUMBER with a name of {', '.join(LIMITS)}; got {text!r}")
    try:
        return name, _limit(name)(float(value))
    except ValueError:
        raise ValueError(f"{name}: expected {_limit(name).__doc__}, got {value!r}") from None


def read(path: Path, assignment: str) -> Course:
    """Read a course file.

    Args:
        path: The file; the path of a roster in it is relative to the file's folder.
        assignment: Name of the assignment, for settings of this assignment.

    Raises:
        CourseError: If the file cannot be read, or contains an unknown setting or a value that is not allowed.
    """
    try:
        content = yaml.load(path.read_text("utf-8-sig"), _Loader)
    except OSError as error:
        raise CourseError(f"{path}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeError, ValueError, RecursionError) as error:
        raise CourseError(f"{path}: expected YAML ({' '.join(str(error).split())})") from None
    try:
        said = _checked({} if content is None else content, _COURSE, "")
    except ValueError as error:
        raise CourseError(f"{path}: {error}") from None
    for_all = {**said, **{name: said.get(name, {}) for name in ("limits", "late")}}
    own = said.get("assignments", {}).get(assignment, {})
    merged = for_all | own | {name: {**for_all[name], **own.get(name, {})} for name in ("limits", "late")}
    kept = {name: merged[name] for name in ("due", "several", "nothing") if name in merged}
    return Course(
        limits=merged["limits"],
        rules=Rules(merged.get("partial", "none") == "cases", merged.get("carry", True)),
        policy=Policy(late=Late(**merged["late"]), **kept),
        roster=path.parent / said["roster"] if "roster" in said else None,
    )


# Kinds of values: a function returns the value or raises ValueError; its docstring states what is expected. -----------

_Kind = Callable[[Any], Any]


def _said(expected: str, kind: _Kind) -> _Kind:
    kind.__doc__ = expected
    return kind


def _number(expected: str, low: float, high: float = math.inf, above: bool = False) -> _Kind:
    def kind(value: Any) -> float:
        good = type(value) in (int, float) and math.isfinite(value) and low <= value <= high
        if not good or (above and value == low):
            raise ValueError
        return float(value)

    return _said(expected, kind)


def _one_of(*choices: Any) -> _Kind:
    def kind(value: Any) -> Any:
        if type(value) is not type(choices[0]) or value not in choices:
            raise ValueError
        return value

    return _said(" or ".join(str(choice).lower() for choice in choices), kind)


def _due(value: Any) -> datetime.datetime:
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value)
    if type(value) is datetime.date:  # due at the end of that day
        value = datetime.datetime.combine(value, datetime.time()) + datetime.timedelta(days=1)
    if not isinstance(value, datetime.datetime):
        raise ValueError
    return value if value.tzinfo else value.astimezone()


def _file(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def _limit(name: str) -> _Kind:
    if name in _SECONDS:
        return _number("a number of seconds above 0", 0, above=True)
    megabytes = _number("a number of MB, 1 or more", 1)
    if name in _MEGABYTES:
        return _said(str(megabytes.__doc__), lambda value: int(megabytes(value) * (1 << 20)))
    whole = _number("a whole number, 1 or more", 1)
    return _said(str(whole.__doc__), lambda value: int(whole(value)))


_TIME = _said("a date or a time, such as 2026-11-30 or 2026-11-30 23:59+01:00 (without an offset: local time)", _due)
_PERCENTAGE = _number("a percentage from 0 to 100", 0, 100)
_LATE = {
    "grace": _number("a number of hours, 0 or more", 0),
    "per_day": _PERCENTAGE,
    "most": _PERCENTAGE,
    "none_after": _number("a number of days, 0 or more", 0),
}
_ASSIGNMENT: dict[str, Any] = {
    "limits": {name: _limit(name) for name in LIMITS},
    "due": _TIME,
    "late": _LATE,
    "several": _one_of("latest", "best"),
    "nothing": _one_of("zero", "empty"),
    "partial": _one_of("none", "cases"),
    "carry": _one_of(True, False),
}
_COURSE = {**_ASSIGNMENT, "roster": _said("the name of a file", _file), "assignments": _ASSIGNMENT}


def _checked(content: Any, allowed: dict[str, Any], where: str) -> dict[str, Any]:
    """Return a part of the file with all values converted.

    Raises:
        ValueError: If a key or a value is not allowed.
    """
    if not isinstance(content, dict):
        raise ValueError(f"{where or 'the file'}: expected keys and values, got {content!r}")
    found = {}
    for key, value in content.items():
        name = f"{where}.{key}" if where else str(key)
        if where == "assignments":
            found[str(key)] = _checked(value, _ASSIGNMENT, name)
            continue
        if key not in allowed:
            raise ValueError(f"{name}: not a setting; allowed here: {', '.join(allowed)}")
        kind = allowed[key]
        if isinstance(kind, dict):
            found[key] = _checked(value, kind, name)
            continue
        try:
            found[key] = kind(value)
        except (ValueError, OverflowError):
            raise ValueError(f"{name}: expected {kind.__doc__}, got {value!r}") from None
    return found


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Loader of plain YAML that raises an error if a key is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"{key}: given twice")
        return super().construct_mapping(node, deep)
