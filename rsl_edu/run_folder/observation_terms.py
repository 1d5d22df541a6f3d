"""Reads the terms of a policy's observations from the files next to a run, and names their features."""

from __future__ import annotations

import collections
import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rsl_edu.printable import printable

from .term_widths import ACTIONS, JOINTS, deployed_width, width


@dataclasses.dataclass(frozen=True)
class Term:
    """A term of the observations.

    It has ``count`` features for each joint or action (see ``of``), repeated for each step of its history.

    Attributes:
        name: Name of the term, such as ``joint_vel``.
        count: Features per item: 3 for a velocity, 1 for the positions of the joints.
        of: What the items are: ``joints`` or ``actions``, whose number is not in the files; or the name of the term
            itself if its width is unknown. It is empty if ``count`` is the total.
        history: Number of time steps that it contains, the oldest first.
    """

    name: str
    count: int
    of: str = ""
    history: int = 1


def feature_names(terms: Iterable[Term], features: int, actions: int) -> tuple[str, ...]:
    """Return the name of each feature; an empty tuple if the widths of the terms cannot be determined.

    They can be determined if at most one number is unknown, such as the number of joints, and the terms together have
    as many features as the policy. With fewer joints than actions, the terms belong to a different robot.

    Args:
        terms: The terms in the order of the features.
        features: Number of features of the policy.
        actions: Number of actions of the policy.
    """
    terms = tuple(terms)
    each = {"": 1, ACTIONS: actions}
    unknown: collections.Counter[str] = collections.Counter()
    rest = features
    for term in terms:
        if term.of in each:
            rest -= term.count * each[term.of] * term.history
        else:
            unknown[term.of] += term.count * term.history
    if len(unknown) == 1:
        ((of, times),) = unknown.items()
        each[of], rest = divmod(rest, times)
    if rest or len(unknown) > 1 or min(each.values()) < 1 or each.get(JOINTS, actions) < actions:
        return ()
    return tuple(name for term in terms for name in _names(term, term.count * each[term.of]))


def environment_terms(settings: Any, groups: tuple[str, ...]) -> tuple[Term, ...]:
    """Return the actor's observation terms in an ``env.yaml`` of Isaac Lab or mjlab; an empty tuple if there are none.

    Args:
        settings: The contents of the file, as plain data.
        groups: The actor's observation groups; if empty, ``policy`` or, if there is no such group, ``actor``.
    """
    said = settings.get("observations") if isinstance(settings, dict) else None
    if not isinstance(said, dict):
        return ()
    found = []
    for name in groups or (("policy",) if "policy" in said else ("actor",)):
        group = said.get(name)
        if not isinstance(group, dict):
            return ()
        inner = group["terms"] if isinstance(group.get("terms"), dict) else group  # mjlab nests the terms
        terms = {key: term for key, term in inner.items() if isinstance(term, dict) and "func" in term}
        if terms and all(_is_image(term) for term in terms.values()):  # images, not features
            continue
        for key, term in terms.items():
            history, flat = _history(group if group.get("history_length") is not None else term)
            if not flat:
                return ()
            found.append((name, Term(str(key), *width(str(key), term, settings), history)))
    times = collections.Counter(term.name for _, term in found)
    return tuple(
        term if times[term.name] == 1 else dataclasses.replace(term, name=f"{group}.{term.name}")
        for group, term in found
    )


def deployed_terms(settings: Any, groups: tuple[str, ...] = ()) -> tuple[Term, ...]:
    """Return the terms in a ``deploy.yaml`` of unitree_rl_lab, which has a scale for each feature of a term.

    Args:
        settings: The contents of the file, as plain data.
        groups: Not used, because the file has only the terms of the actor.
    """
    said = settings.get("observations") if isinstance(settings, dict) else None
    if not isinstance(said, dict) or said.get("use_gym_history"):  # which groups the history by steps, not by terms
        return ()
    terms = {str(name): term for name, term in said.items() if isinstance(term, dict)}
    if not all("scale" in term for term in terms.values()):  # groups of terms, or something else
        return ()
    return tuple(Term(name, *deployed_width(name, term), _history(term)[0]) for name, term in terms.items())


def _history(said: Mapping[str, Any]) -> tuple[int, bool]:
    """Return how many time steps a term contains, and whether they are flattened into one dimension."""
    length = said.get("history_length")
    steps = length if isinstance(length, int) and length > 0 else 1
    return steps, steps == 1 or said.get("flatten_history_dim") is not False


def _is_image(term: Mapping[str, Any]) -> bool:
    return bool(re.fullmatch(r".*[:.](image|camera_rgb|camera_depth)", str(term["func"])))


def _names(term: Term, features: int) -> Iterator[str]:
    """Yield the names of a term's features, the oldest step first, which is the order of Isaac Lab and mjlab."""
    name = printable(term.name[:60])
    for age in reversed(range(term.history)):
        when = f" (t-{age})" if age else ""
        yield from ((name if features == 1 else f"{name}[{feature}]") + when for feature in range(features))
