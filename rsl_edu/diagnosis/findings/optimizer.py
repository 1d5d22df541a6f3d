"""Findings about Adam: whether its moments are those of this training, and of a gradient of a usual size.

The thresholds leave room. A gradient that is clipped to rsl_rl's 1.0 has at most that norm, whatever the rewards are.
Up to rsl_rl 3 actor and critic are clipped together. In a training of Hopper that went well, with a value loss of some
hundreds, the actor's gradient then had 0.005 of the critic's norm: Adam divides that out, until a gradient is as small
as its eps of 10⁻⁸. With 10,000 times the rewards and no clipping of the value loss it was 10⁻⁷, and Hopper learned
little; with separate clipping it learned.
"""

from __future__ import annotations

import itertools

from rsl_edu.number_format import counted, large, short

from ..learning_state import OptimizerMeasures
from .kinds import Evidence, FindingKind, NotApplicable, UncheckedError

LARGE = 100.0
"""Norm of a gradient after clipping."""
TOO_SMALL, SETTLED = 1e-4, 1_000
"""Norm of the actor's gradient in units of the critic's; steps of Adam before this is judged."""
TOGETHER = 3
"""The last major release of rsl_rl that clips the gradients of actor and critic together."""


def weights_without_updates(evidence: Evidence) -> str | None:
    """Look for steps that stand still, or for parameters that no gradient ever reached."""
    adam, steps = _adam(evidence), _steps(evidence)
    if len(steps) > 1 and steps[-1][1] == steps[-2][1]:
        return f"{adam.step:,} steps at iteration {steps[-2][0]} and still at iteration {steps[-1][0]}"
    names = adam.untouched
    if not names:
        return None
    more = " …" if len(names) > 3 else ""
    return f"no gradient ever reached {counted(len(names), 'parameter')}: {', '.join(names[:3])}{more}"


def optimizer_restarted(evidence: Evidence) -> str | None:
    """Look for steps that began anew: fewer than at the checkpoint before, or than iterations."""
    _adam(evidence)
    steps = _steps(evidence)
    if len(steps) < 2:
        raise UncheckedError("needs two checkpoints or more")
    for (earlier, many), (later, few) in itertools.pairwise(steps):
        if few < many:
            return f"{many:,} steps at iteration {earlier}, {few:,} at iteration {later}"
    (first, few), (second, many) = steps[:2]
    if few <= first and many - few >= second - first:  # or the numbers of the files are no iterations
        return f"{counted(few, 'step')} at iteration {first}, though each iteration takes at least one"
    return None


def optimizer_exploded(evidence: Evidence) -> str | None:
    """Look for gradients that are large although they were clipped."""
    adam = _adam(evidence)
    norms = [(adam.actor, "actor"), (adam.critic, "critic")]
    told = " and ".join(f"{large(norm)} of the {owner}" for norm, owner in norms if norm > LARGE)
    return f"the gradient that enters Adam has norm {told}" if told else None


def actors_gradient_too_small(evidence: Evidence) -> str | None:
    """Look for a gradient that is next to nothing compared with the critic's, where the two are clipped together."""
    adam = _adam(evidence)
    together = max(evidence.checkpoint.releases) <= TOGETHER
    if not together or evidence.checkpoint.critic is None:
        raise NotApplicable
    if adam.step < SETTLED:
        raise UncheckedError(f"needs {SETTLED:,} steps of Adam")
    if not (adam.actor >= 0 and adam.critic > 0):
        raise UncheckedError("needs moments that are known to be of the actor or of the critic")
    if adam.actor >= TOO_SMALL * adam.critic:
        return None
    return f"the norm of the actor's gradient is {short(adam.actor / adam.critic)} of the critic's"


def _adam(evidence: Evidence) -> OptimizerMeasures:
    adam = evidence.last.optimizer
    if adam is None:
        raise NotApplicable
    if any(" moment of " in name for name in evidence.checkpoint.broken):
        raise UncheckedError("needs moments without NaN")
    return adam


def _steps(evidence: Evidence) -> list[tuple[int, int]]:
    """Return the iteration and the steps of Adam of each checkpoint that has them."""
    return [(m.iteration, m.optimizer.step) for m in evidence.measures if m.optimizer is not None]


FINDINGS = (
    FindingKind(
        name="weights without updates",
        listed_as="weights without updates, optimizer restarted",
        check=weights_without_updates,
        threshold="any",
        meaning="Adam does not move these weights: the loss does not depend on them, Adam does not know them, or what "
        "was saved is not what was trained. Intended if they are frozen.",
        lesson=6,
        change="the parameters that the optimizer gets, requires_grad; save algorithm and optimizer of one runner",
        holds_with_nan=True,
    ),
    FindingKind(
        name="optimizer restarted",
        listed_as="weights without updates, optimizer restarted",
        check=optimizer_restarted,
        threshold="fewer steps than before, or than iterations",
        meaning="The training was resumed without Adam's state, or two trainings wrote into one folder. Adam's first "
        "steps after a restart are of the size of the learning rate whatever the gradients are, and the learning rate "
        "is the configured one: return and KL jump. Intended if you fine-tune on purpose.",
        lesson=6,
        change="runner.load(path) with the optimizer, as it does by default; before rsl_rl 5.4.2 also "
        "algorithm.learning_rate, set to the one in the checkpoint",
        holds_with_nan=True,
    ),
    FindingKind(
        name="optimizer exploded",
        listed_as="optimizer exploded",
        check=optimizer_exploded,
        threshold=f"norm {LARGE:g} after clipping to 1",
        meaning="Gradients are not clipped, or to a norm that is far too large. One batch with a reward out of all "
        "bounds then spoils the weights, and Adam hardly moves them for the next 1,000 steps.",
        lesson=6,
        change="algorithm.max_grad_norm = 1.0; the size of the rewards",
        holds_with_nan=True,
    ),
    FindingKind(
        name="actor's gradient too small",
        listed_as="actor's gradient too small",
        check=actors_gradient_too_small,
        threshold=f"{TOO_SMALL:g} of the critic's",
        meaning="This release clips the gradients of actor and critic together, and the value loss is so large that "
        "nothing is left of the actor's: its steps are as small as Adam's eps lets them be.",
        lesson=6,
        change="smaller rewards, so that returns are of the order of 10; algorithm.value_loss_coef (lower)",
        holds_with_nan=True,
    ),
)
