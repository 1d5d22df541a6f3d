"""The finding about rsl_rl's learning rate, which adapts to the KL of each update."""

from __future__ import annotations

import numpy as np

from rsl_edu.number_format import counted, short

from .kinds import Evidence, FindingKind, NotApplicable, UncheckedError

FLOOR, STEP = 1e-5, 1.5
"""The lowest learning rate that rsl_rl sets, and the factor by which it changes the rate. A rate that is stuck at the
floor is at most two steps above it."""
SHARE = 0.25
"""The share of the checkpoints, counted from the last, that must be at the floor. At least two checkpoints are
required, because the rate changes after every mini-batch."""


def learning_rate_at_its_floor(evidence: Evidence) -> str | None:
    """Look for a learning rate that the adaptive schedule has lowered as far as it can.

    In training runs that go well, the rate is 10 to 1,000 times as high as the floor (Genesis drones, InvertedPendulum,
    Hopper).
    """
    rates = np.array([measures.learning_rate for measures in evidence.measures])
    schedule = evidence.settings.schedule
    if np.isnan(rates).all() or (schedule or "adaptive") != "adaptive":
        raise NotApplicable
    if len(rates) < 2:
        raise UncheckedError("needs two checkpoints or more")
    low = rates <= 1.01 * FLOOR * STEP**2
    held = int(np.flatnonzero(~low)[-1]) + 1 if not low.all() else 0  # at the floor from here on
    if len(low) - held < max(2, SHARE * len(low)):
        return None
    if schedule is None and held == 0:  # a rate that was never higher may be fixed
        raise UncheckedError("needs the schedule: give --config agent.yaml")
    first, last = evidence.measures[held], evidence.last
    return (
        f"{short(last.learning_rate)} at iteration {last.iteration}, and this low in each of the "
        f"{counted(len(low) - held, 'checkpoint')} read from iteration {first.iteration} on"
    )


FINDINGS = (
    FindingKind(
        name="learning rate at its floor",
        listed_as="learning rate at its floor",
        check=learning_rate_at_its_floor,
        threshold=f"at most {short(FLOOR * STEP**2)} in the last quarter of the checkpoints, and in at least two "
        "checkpoints",
        meaning="The KL of an update is above desired_kl however small its steps are, so the schedule has lowered the "
        "rate as far as it can, and the policy hardly learns any more. Usual causes are a std near zero, even of a "
        "single action, a last layer that is too large, or inputs on the wrong scale.",
        lesson=5,
        change="algorithm.entropy_coef (higher) if the std is small; {obs_normalization} = True; algorithm.desired_kl",
    ),
)
