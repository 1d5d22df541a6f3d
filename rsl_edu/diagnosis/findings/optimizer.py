"""Findings about Adam: whether its moments belong to this training, and whether the gradients have a normal magnitude.

The thresholds leave a margin. A gradient that is clipped to rsl_rl's 1.0 has at most that norm, whatever the rewards.
Up to rsl_rl 3, actor and critic are clipped together. In a training of Hopper that went well, with a value loss of a
few hundred, the norm of the actor's gradient was then 0.005 times the critic's. Adam cancels that factor, unless a
gradient is as small as its eps of 10⁻⁸. With rewards 10,000 times larger and no clipping of the value loss, the factor
was 10⁻⁷, and Hopper learned little; with separate clipping, it learned.
"""

from __future__ import annotations

import itertools

from rsl_edu.number_format import counted, large, short

from ..learning_state import OptimizerMeasures
from .kinds import Evidence, FindingKind, NotApplicable, UncheckedError

LARGE = 100.0
"""The largest norm of a gradient after clipping."""
TOO_SMALL, SETTLED = 1e-4, 1_000
"""The smallest norm of the actor's gradient, as a multiple of the norm of the critic's gradient; and the minimum
number of Adam steps for judging the norm."""
TOGETHER = 3
"""The last major release of rsl_rl that clips the gradients of actor and critic together."""


def weights_without_updates(evidence: Evidence) -> str | None:
    """Look for a step count that no longer grows, or for parameters that no gradient ever reached."""
    adam, steps = _adam(evidence), _steps(evidence)
    if len(steps) > 1 and steps[-1][1] == steps[-2][1]:
        when, now = steps[-2][0], steps[-1][0]
        return f"Adam has taken {adam.step:,} steps at iteration {when}, and still {adam.step:,} at iteration {now}"
    names = adam.untouched
    if not names:
        return None
    more = " …" if len(names) > 3 else ""
    return f"no gradient ever reached {counted(len(names), 'parameter')}: {', '.join(names[:3])}{more}"


def optimizer_restarted(evidence: Evidence) -> str | None:
    """Look for a step count that started again: it is below the count of the previous checkpoint, or the iteration."""
    _adam(evidence)
    steps = _steps(evidence)
    if len(steps) < 2:
        raise UncheckedError("needs two checkpoints or more")
    for (earlier, many), (later, few) in itertools.pairwise(steps):
        if few < many:
            return f"Adam has taken {many:,} steps at iteration {earlier}, but {few:,} at iteration {later}"
    (first, few), (second, many) = steps[:2]
    if few <= first and many - few >= second - first:  # otherwise the numbers of the files are not iterations
        return f"Adam has taken {counted(few, 'step')} at iteration {first}, but each iteration takes at least one"
    return None


def optimizer_exploded(evidence: Evidence) -> str | None:
    """Look for gradients that are large even after clipping."""
    adam = _adam(evidence)
    norms = [(adam.actor, "actor"), (adam.critic, "critic")]
    told = " and ".join(f"{large(norm)} for the {owner}" for norm, owner in norms if norm > LARGE)
    return f"the gradients that enter Adam have norm {told}" if told else None


def actors_gradient_too_small(evidence: Evidence) -> str | None:
    """Look for an actor's gradient that is tiny compared with the critic's, if the two are clipped together."""
    adam = _adam(evidence)
    together = max(evidence.checkpoint.releases) <= TOGETHER
    if not together or evidence.checkpoint.critic is None:
        raise NotApplicable
    if adam.step < SETTLED:
        raise UncheckedError(f"needs {SETTLED:,} steps of Adam")
    if not (adam.actor >= 0 and adam.critic > 0):
        raise UncheckedError("needs moments that can be assigned to the actor and the critic")
    if adam.actor >= TOO_SMALL * adam.critic:
        return None
    return f"the norm of the actor's gradient is {short(adam.actor / adam.critic)} times the critic's"


def _adam(evidence: Evidence) -> OptimizerMeasures:
    adam = evidence.last.optimizer
    if adam is None:
        raise NotApplicable
    if any(" moment of " in name for name in evidence.checkpoint.broken):
        raise UncheckedError("needs moments without NaN")
    return adam


def _steps(evidence: Evidence) -> list[tuple[int, int]]:
    """Return the iteration and the number of Adam steps of each checkpoint that has them."""
    return [(m.iteration, m.optimizer.step) for m in evidence.measures if m.optimizer is not None]


FINDINGS = (
    FindingKind(
        name="weights without updates",
        listed_as="weights without updates, optimizer restarted",
        check=weights_without_updates,
        threshold="any weights without updates",
        meaning="Adam does not change these weights: the loss does not depend on them, they were not passed to Adam, "
        "or the saved weights are not the trained ones. This is intended if they are frozen.",
        lesson=6,
        change="the parameters given to the optimizer, and requires_grad; save the algorithm and optimizer of one "
        "runner",
        holds_with_nan=True,
    ),
    FindingKind(
        name="optimizer restarted",
        listed_as="weights without updates, optimizer restarted",
        check=optimizer_restarted,
        threshold="fewer Adam steps than before, or fewer Adam steps than iterations",
        meaning="The training was resumed without Adam's state, or two training runs wrote into one folder. After a "
        "restart, Adam's first steps are about as large as the learning rate, whatever the gradients are, and the "
        "learning rate returns to its configured value, so the return and the KL jump. This is intended if you "
        "are fine-tuning.",
        lesson=6,
        change="runner.load(path) with the optimizer, which is the default; before rsl_rl 5.4.2, also set "
        "algorithm.learning_rate to the value in the checkpoint",
        holds_with_nan=True,
    ),
    FindingKind(
        name="optimizer exploded",
        listed_as="optimizer exploded",
        check=optimizer_exploded,
        threshold=f"norm of the gradient above {LARGE:g} after clipping (rsl_rl clips it to 1 by default)",
        meaning="Gradients are not clipped, or the norm to which they are clipped is far too large. A single batch "
        "with a huge reward then ruins the weights, and Adam hardly changes them in the next 1,000 steps.",
        lesson=6,
        change="algorithm.max_grad_norm = 1.0; the size of the rewards",
        holds_with_nan=True,
    ),
    FindingKind(
        name="actor's gradient too small",
        listed_as="actor's gradient too small",
        check=actors_gradient_too_small,
        threshold=f"norm below {TOO_SMALL:g} times the norm of the critic's gradient",
        meaning="This release clips the gradients of actor and critic together, and the value loss is so large that "
        "almost nothing is left of the actor's gradient. It is tiny compared with Adam's eps, so the actor's steps are "
        "tiny too.",
        lesson=6,
        change="smaller rewards, so that returns are of the order of 10; algorithm.value_loss_coef (lower)",
        holds_with_nan=True,
    ),
)
