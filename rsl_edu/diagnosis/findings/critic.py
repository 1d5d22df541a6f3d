"""Findings about the critic: whether its values are on the scale of the returns.

A reward that is far too large shows in the value loss before it shows in the std: the loss grows to 10¹² or infinity
in one iteration, and in the next the std is NaN (rsl_rl #124, #152, Isaac Lab #4570, unitree_rl_lab #101, #107). A
checkpoint that was saved before this happened can show a critic that has been learning such returns.

The thresholds leave a margin. In training runs that went well (rsl_rl 5.5.1 on Gymnasium's InvertedPendulum, Pendulum,
Hopper and HalfCheetah, with elu, relu and tanh, and policies of Genesis and Isaac Lab), the values were at most 400, or
8,200 with rewards 100 times larger; the norm of the last layer began at 0.4 to 0.7 and ended between 0.1 and 11. The
wrong activation made the values up to 10 times smaller or 3 times larger. On recordings of the last policies, the
values were 0.45 to 21 times the returns. With rewards 10,000 times larger, they were 0.0006 to 0.06 times the returns;
without a clipped value loss, and with actor and critic clipped together, the values reached 900,000.
"""

from __future__ import annotations

import math

from rsl_edu.number_format import large, short

from ..learning_state import DISCOUNT, CriticMeasures
from .kinds import Evidence, FindingKind, NotApplicable, UncheckedError

LARGEST, LAST_LAYER = 1e5, 300.0
"""The largest rms of the critic's values, and the largest norm of its last layer."""
OF_REWARD = 1_000.0
"""The largest rms of the critic's values, in units of the largest reward. With a discount of 0.999, no return is
larger."""
BEHIND, TRAINED = 0.02, 100
"""The lowest rms of the critic's values, in units of the returns' rms; and the first iteration at which the values are
judged. In earlier iterations, they are still near 0."""


def critic_exploded(evidence: Evidence) -> str | None:
    """Look for values larger than any return, or a last layer that grew to produce them."""
    critic, first = _critic(evidence), evidence.first.critic
    values = f"the critic's values have an rms of {large(critic.value)} on {critic.shown}"
    if critic.value > OF_REWARD * critic.reward > 0:  # not of NaN
        return f"{values}, but no reward is larger than {short(critic.reward)}{evidence.if_guessed}"
    if critic.value > LARGEST:
        began = _began(evidence, first.value) if first is not None else ""
        return f"{values}{began}{evidence.if_guessed}"
    if critic.gain > LAST_LAYER:
        began = _began(evidence, first.gain) if first is not None else ""
        return f"the weights of the critic's last layer have norm {large(critic.gain)}{began}"
    return None


def _began(evidence: Evidence, figure: float) -> str:
    """Describe a figure at the first checkpoint. Empty if there is only one checkpoint or the figure is not finite."""
    told = len(evidence.measures) > 1 and math.isfinite(figure)
    return f" ({large(figure)} {evidence.first.at})" if told else ""


def critic_behind(evidence: Evidence) -> str | None:
    """Look for values far below the returns, in a policy that has been trained for a while."""
    critic = _critic(evidence)
    stored = evidence.checkpoint.critic
    early = evidence.last.dated and evidence.last.iteration < TRAINED
    if early or stored is None or stored.features is None:
        raise NotApplicable
    if not evidence.last.dated:
        raise UncheckedError("needs the iteration: name the file model_ITERATION.pt")
    if not evidence.whole:
        raise UncheckedError("judged only at the last checkpoint, as the observations come from it")
    if math.isnan(critic.returns) or math.isnan(critic.value):
        raise UncheckedError("needs recorded rewards, dones and observations of the critic")
    if critic.value >= BEHIND * critic.returns:
        return None
    values = f"the critic's values have an rms of {short(critic.value)}{evidence.if_guessed}"
    return f"{values}; the recorded returns have {large(critic.returns)}"


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
        threshold=f"values above {LARGEST:,.0f} or {OF_REWARD:,.0f} times the largest reward; norm of the last layer "
        f"above {LAST_LAYER:g}",
        meaning="The critic is learning returns that are far too large. Usual causes are a penalty on something that "
        "can grow without limit, such as an action, its rate or a contact force, or a simulated body that exploded. "
        "The value loss explodes first; in one of the next updates, the std becomes NaN and the training stops.",
        lesson=6,
        change="clip the rewards; clip the actions before they are penalized (clip_actions of Isaac Lab's wrapper); "
        "algorithm.max_grad_norm, algorithm.learning_rate (lower)",
        holds_with_nan=True,
    ),
    FindingKind(
        name="critic far below the returns",
        listed_as="critic far below the returns",
        check=critic_behind,
        threshold=f"values below {100 * BEHIND:g} % of the returns (with discount {DISCOUNT:g})",
        meaning="The critic cannot keep up with rewards this large: with a clipped value loss, one update moves a "
        "value by only a few tenths. Until the critic catches up, the advantages are just the sums of future rewards.",
        lesson=6,
        change="smaller rewards, so that returns are of the order of 10; algorithm.use_clipped_value_loss = False",
        holds_with_nan=True,
    ),
)
