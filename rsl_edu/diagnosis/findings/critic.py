"""Findings about the critic: whether its values are of the size of the returns.

A reward that is far too large shows in the value loss before it shows in the std: the loss grows to 10¹² or infinity
in one iteration, and in the next the std is NaN (rsl_rl #124, #152, Isaac Lab #4570, unitree_rl_lab #101, #107). What a
checkpoint before it can show is a critic that has been learning such returns.

The thresholds leave room. In trainings that went well (rsl_rl 5.5.1 on Gymnasium's InvertedPendulum, Pendulum, Hopper
and HalfCheetah, elu, relu and tanh, and policies of Genesis and Isaac Lab) the values were at most 400, and 8,200 with
rewards that were 100 times larger; the norm of the last layer began at 0.4 to 0.7 and ended between 0.1 and 11. Another
activation than the one that they were trained with made the values up to 10 times smaller or 3 times larger. On
recordings of the last policies the values were 0.45 to 21 times the returns. With rewards that were 10,000 times larger
it was 0.0006 to 0.06 times; without a clipped value loss, and with one clipping for actor and critic, 900,000 in size.
"""

from __future__ import annotations

import math

from rsl_edu.number_format import large, short

from ..learning_state import DISCOUNT, CriticMeasures
from .kinds import Evidence, FindingKind, NotApplicable, UncheckedError

LARGEST, LAST_LAYER = 1e5, 300.0
"""Size of the critic's values; norm of its last layer."""
OF_REWARD = 1_000.0
"""Size of the critic's values, in units of the largest reward: with a discount of 0.999 no return is larger."""
BEHIND, TRAINED = 0.02, 100
"""Size of the critic's values, in units of the returns; iterations before this is judged, as values begin at 0."""


def critic_exploded(evidence: Evidence) -> str | None:
    """Look for values beyond all returns, or a last layer that grew to make them."""
    critic, first = _critic(evidence), evidence.first.critic
    values = f"its values have size {large(critic.value)} on {critic.shown}"
    if critic.value > OF_REWARD * critic.reward > 0:  # not of NaN
        return f"{values}, and no reward is larger than {short(critic.reward)}{evidence.if_guessed}"
    if critic.value > LARGEST:
        began = _began(evidence, first.value) if first is not None else ""
        return f"{values}{began}{evidence.if_guessed}"
    if critic.gain > LAST_LAYER:
        began = _began(evidence, first.gain) if first is not None else ""
        return f"the weights of its last layer have norm {large(critic.gain)}{began}"
    return None


def _began(evidence: Evidence, figure: float) -> str:
    """Say what a figure was at the first checkpoint, if there is one."""
    told = len(evidence.measures) > 1 and math.isfinite(figure)
    return f", {large(figure)} {evidence.first.at}" if told else ""


def critic_behind(evidence: Evidence) -> str | None:
    """Look for values that are next to nothing beside the returns of a policy that has been trained for a while."""
    critic = _critic(evidence)
    stored = evidence.checkpoint.critic
    early = evidence.last.dated and evidence.last.iteration < TRAINED
    if early or stored is None or stored.features is None:
        raise NotApplicable
    if not evidence.last.dated:
        raise UncheckedError("needs to know the iteration: name the file model_ITERATION.pt")
    if not evidence.whole:
        raise UncheckedError("judged at the last checkpoint: what is shown is from there")
    if math.isnan(critic.returns) or math.isnan(critic.value):
        raise UncheckedError("needs rewards, dones and the critic's observations, as they were played")
    if critic.value >= BEHIND * critic.returns:
        return None
    values = f"its values have size {short(critic.value)}{evidence.if_guessed}"
    return f"{values}; the returns that were recorded have {large(critic.returns)}"


def _critic(evidence: Evidence) -> CriticMeasures:
    critic = evidence.last.critic
    if critic is None:
        raise NotApplicable
    if any(name.startswith("critic's ") for name in evidence.checkpoint.broken):
        raise UncheckedError("needs a critic without NaN")
    return critic


FINDINGS = (
    FindingKind(
        name="critic exploded",
        listed_as="critic exploded",
        check=critic_exploded,
        threshold=f"values of {LARGEST:,.0f}, or {OF_REWARD:,.0f} times the largest reward; norm {LAST_LAYER:g}",
        meaning="The critic learns returns that are far too large: a penalty on something that can grow without limit, "
        "such as an action, its rate or a contact force, or one simulated body that exploded. The value loss explodes "
        "first; in one of the next updates the std becomes NaN, and the training stops.",
        lesson=6,
        change="clip the rewards, and the actions before they are penalized (clip_actions of Isaac Lab's wrapper); "
        "algorithm.max_grad_norm, algorithm.learning_rate (lower)",
        holds_with_nan=True,
    ),
    FindingKind(
        name="critic behind the returns",
        listed_as="critic behind the returns",
        check=critic_behind,
        threshold=f"{100 * BEHIND:g} % of them, with a discount of {DISCOUNT:g}",
        meaning="The critic cannot follow rewards of this size: with a clipped value loss one update moves a value by "
        "some tenths. Until it has caught up, the advantages are nothing but the rewards that lie ahead.",
        lesson=6,
        change="smaller rewards, so that returns are of the order of 10; algorithm.use_clipped_value_loss = False",
        holds_with_nan=True,
    ),
)
