"""The table of all findings, and the code that judges a run by it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from rsl_edu.number_format import short

from . import actions, critic, inputs, learning_rate, network, noise, optimizer
from .kinds import Evidence, Finding, FindingKind, NotApplicable, Passed, UncheckedError

FINDINGS: tuple[FindingKind, ...] = (
    *network.FINDINGS,
    *inputs.FINDINGS,
    *noise.FINDINGS,
    *learning_rate.FINDINGS,
    *actions.FINDINGS,
    *critic.FINDINGS,
    *optimizer.FINDINGS,
)
"""All findings, in the order of the report."""

CONFIG_FIELDS = {  # for each major release of rsl_rl
    "class_name": {
        2: "policy.class_name",
        3: "policy.class_name",
        4: "actor.class_name",
        5: "actor.class_name",
    },
    "activation": {
        2: "policy.activation",
        3: "policy.activation",
        4: "actor.activation",
        5: "actor.activation",
    },
    "hidden_dims": {
        2: "policy.actor_hidden_dims",
        3: "policy.actor_hidden_dims",
        4: "actor.hidden_dims",
        5: "actor.hidden_dims",
    },
    "obs_normalization": {
        2: "empirical_normalization",
        3: "policy.actor_obs_normalization",
        4: "actor.obs_normalization",
        5: "actor.obs_normalization",
    },
    "std_type": {
        2: "policy.noise_std_type",
        3: "policy.noise_std_type",
        4: "actor.noise_std_type",
        5: "actor.distribution_cfg.std_type",
    },
    "init_std": {
        2: "policy.init_noise_std",
        3: "policy.init_noise_std",
        4: "actor.init_noise_std",
        5: "actor.distribution_cfg.init_std",
    },
}
"""Fields of the configuration whose names depend on the release."""


def findings_of(evidence: Evidence) -> tuple[tuple[Finding, ...], tuple[str, ...], dict[str, str]]:
    """Look for every finding in the table.

    Returns:
        The findings, the names of those that were not found, and the names of those that could not be checked, each
        with what is missing. Findings that do not apply to this policy are in none of the three.
    """
    found: list[Finding] = []
    absent: list[str] = []
    unchecked: dict[str, str] = {}
    for name, kinds in itertools.groupby(FINDINGS, key=lambda kind: kind.listed_as):
        here, missing = _look_for(kinds, evidence)
        if here:
            found += here
        elif missing:
            unchecked[name] = missing
        elif missing is not None:
            absent.append(name)
    return tuple(found), tuple(absent), unchecked


def fill_in(text: str, release: int, std_limits: tuple[float, float]) -> str:
    """Fill in the placeholders in a text of the table.

    Args:
        text: The threshold or the change of a :class:`.FindingKind`.
        release: Major release of rsl_rl; its names of the configuration's fields are used.
        std_limits: The limits to which the std is clamped.
    """
    fields = {name: names[release] for name, names in CONFIG_FIELDS.items()}
    low, high = std_limits
    return text.format(**fields, std_low=short(low), std_high=short(high))


def _look_for(kinds: Iterable[FindingKind], evidence: Evidence) -> tuple[list[Finding], str | None]:
    """Return the findings of these kinds, and what is missing to rule out the others.

    The latter is an empty string if nothing is missing, and None if none of these kinds applies.
    """
    release, limits = max(evidence.checkpoint.releases), evidence.std_limits
    found: list[Finding] = []
    missing: str | None = None
    for kind in kinds:
        try:
            figure = kind.check(evidence)
        except NotApplicable:
            continue
        except UncheckedError as error:
            missing = str(error)
            continue
        missing = missing or ""
        if figure is not None:
            figure, passed = figure if isinstance(figure, Passed) else (figure, kind.threshold)
            threshold, change = (fill_in(text, release, limits) for text in (passed, kind.change))
            found.append(Finding(kind.name, figure, threshold, kind.meaning, kind.lesson, change))
        elif evidence.last.broken and not kind.holds_with_nan:
            missing = missing or "needs weights without NaN"
    return found, missing
