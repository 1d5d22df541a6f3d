"""Exercise ``surrogate_loss``: write PPO's clipped loss."""

from typing import Any

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part
from ..verdict import text


def surrogate_loss(
    log_prob: torch.Tensor, old_log_prob: torch.Tensor, advantage: torch.Tensor, clip: float
) -> torch.Tensor:
    """PPO's clipped loss, to be minimised.

    Args:
        log_prob: Log-probability of each action under the policy that learns [batch].
        old_log_prob: Log-probability of the same action under the policy that took it [batch].
        advantage: Advantage of each action [batch].
        clip: How far the ratio of the two probabilities may move away from 1.

    Returns:
        The mean over the batch of the larger, hence worse, of the plain and the clipped loss: one number.
    """
    ratio = (log_prob - old_log_prob).exp()  # [batch], 1 where nothing changed
    plain = -advantage * ratio
    clipped = -advantage * ratio.clamp(1 - clip, 1 + clip)
    return torch.maximum(plain, clipped).mean()  # the worse of the two for each sample


def _use(
    answer: Answer, log_prob: torch.Tensor, old_log_prob: torch.Tensor, advantage: torch.Tensor, clip: float
) -> Any:
    """Return the loss and its gradient: a loss without one teaches nothing."""
    given = log_prob.clone().requires_grad_()
    seen = given * 1  # not a leaf, so that writing into it raises nothing
    loss = answer(seen, old_log_prob, advantage, clip)
    log_prob.copy_(seen.detach())  # for the check that looks for what was written into
    if loss is None:
        return None
    gradient = torch.zeros_like(log_prob)
    if isinstance(loss, torch.Tensor) and loss.requires_grad and loss.dim() == 0:
        (gradient,) = torch.autograd.grad(loss, given, allow_unused=True, materialize_grads=True)
    return loss, gradient


def _show(log_prob: torch.Tensor, old_log_prob: torch.Tensor, advantage: torch.Tensor, clip: float) -> str:
    logs = (f"log({text(values.exp())})" for values in (log_prob, old_log_prob))
    return "surrogate_loss(log_prob={}, old_log_prob={}, ".format(*logs) + f"advantage={text(advantage)}, clip={clip})"


def _logs(*probabilities: float) -> torch.Tensor:
    return torch.tensor(probabilities).log()


def _draw(generator: torch.Generator) -> Case:
    log_prob, old_log_prob = 0.5 * torch.randn(2, 16, generator=generator) - 1
    advantage = torch.randn(16, generator=generator)
    clip = 0.1 + 0.3 * float(torch.rand((), generator=generator))
    return Case("a random batch", (log_prob, old_log_prob, advantage, clip), rtol=1e-3)


CASES = (
    Case.of("the same policy, ratio 1", _logs(0.5), _logs(0.5), [3.0], 0.2),
    Case.of("a ratio inside the clip", _logs(0.44), _logs(0.4), [10.0], 0.2),
    Case.of("a good action that is already twice as likely", _logs(0.8), _logs(0.4), [10.0], 0.2),
    Case.of("a good action that became half as likely", _logs(0.2), _logs(0.4), [10.0], 0.2),
    Case.of("a bad action that became twice as likely", _logs(0.8), _logs(0.4), [-10.0], 0.2),
    Case.of("a bad action that is already half as likely", _logs(0.2), _logs(0.4), [-10.0], 0.2),
    Case.of(
        "a batch of four and another clip", _logs(0.8, 0.2, 0.8, 0.2), _logs(*4 * [0.4]), [1.0, 2.0, -3.0, -4.0], 0.1
    ),
)


def _surrogate(
    loss: Part = lambda plain, clipped: torch.maximum(plain, clipped).mean(),
    ratio: Part = lambda new, old: (new - old).exp(),
    clamp: Part = lambda ratio, clip: ratio.clamp(1 - clip, 1 + clip),
    advantage: Part = lambda a: a,
) -> Answer:
    """The loss with some part done wrong."""

    def answer(log_prob: torch.Tensor, old_log_prob: torch.Tensor, a: torch.Tensor, clip: float) -> Any:
        r, a = ratio(log_prob, old_log_prob), advantage(a)
        return loss(-a * r, -a * clamp(r, clip))

    return answer


def _of_loss(clamp: Part) -> Answer:
    """From the plain loss and the limits of the ratio."""
    return lambda new, old, a, clip: clamp(-a * (new - old).exp(), 1 - clip, 1 + clip).mean()


def _normalized(n: int, eps: float) -> Answer:
    return _surrogate(advantage=lambda a: (a - a.mean()) / (a.std(correction=n) + eps))


MISTAKES = {
    "sign": Mistake(
        "your loss has the wrong sign: minimising it makes good actions less likely.",
        "The optimiser minimises, and a good action shall become more likely: -advantage * ratio.",
        _surrogate(lambda plain, clipped: -torch.maximum(plain, clipped).mean()),
        _surrogate(lambda plain, clipped: torch.maximum(-plain, -clipped).mean()),
    ),
    "optimistic": Mistake(
        "you take the smaller of the two losses: PPO's caution is turned round.",
        "The worse of two losses is the larger: torch.maximum. (The paper has gains, and there the minimum.)",
        _surrogate(lambda plain, clipped: torch.minimum(plain, clipped).mean()),
    ),
    "no-clip": Mistake(
        "your loss is not clipped.",
        "Without it one batch can pull the policy far away from the data. Take the worse of plain and clipped.",
        _surrogate(lambda plain, clipped: plain.mean()),
    ),
    "clipped-only": Mistake(
        "you take the clipped loss alone.",
        "Where the policy went the wrong way, the clipped loss is flat: nothing brings it back. Take the larger.",
        _surrogate(lambda plain, clipped: clipped.mean()),
    ),
    "clips-log-ratio": Mistake(
        "you clip the difference of the logs, not the ratio.",
        "Take exp first, then clamp the ratio to 1 - clip and 1 + clip.",
        _surrogate(clamp=lambda r, clip: r.log().clamp(-clip, clip).exp()),
        _surrogate(clamp=lambda r, clip: r.log().clamp(1 - clip, 1 + clip).exp()),
    ),
    "clips-around-zero": Mistake(
        "you clamp the ratio to −clip and clip.",
        "A ratio of 1 means that nothing changed: clamp it around 1, from 1 - clip to 1 + clip.",
        _surrogate(clamp=lambda r, clip: r.clamp(-clip, clip)),
    ),
    "clips-one-side": Mistake(
        "you clip the ratio on one side only.",
        "A ratio can go too far up and too far down: clamp it from 1 - clip to 1 + clip.",
        _surrogate(clamp=lambda r, clip: r.clamp(max=1 + clip)),
        _surrogate(clamp=lambda r, clip: r.clamp(min=1 - clip)),
    ),
    "clips-product": Mistake(
        "you clip the product of ratio and advantage.",
        "The clip bounds how far the policy moves, that is the ratio. Clamp it first, then multiply.",
        _of_loss(lambda plain, low, high: torch.maximum(plain, -(-plain).clamp(low, high))),
        _of_loss(lambda plain, low, high: torch.maximum(plain, plain.clamp(low, high))),
        _of_loss(lambda plain, low, high: plain.clamp(low, high)),
        _of_loss(lambda plain, low, high: -(-plain).clamp(low, high)),
    ),
    "ratio-inverted": Mistake(
        "your ratio is old over new.",
        "It says how much more likely the action is now: exp(log_prob - old_log_prob).",
        _surrogate(ratio=lambda new, old: (old - new).exp()),
    ),
    "log-ratio": Mistake(
        "you use the difference of the logs as the ratio.",
        "The ratio of two probabilities is the exp of that difference: 1 where nothing changed, not 0.",
        _surrogate(ratio=lambda new, old: new - old),
    ),
    "quotient-of-logs": Mistake(
        "you divide the logs.",
        "The log of a quotient is a difference of logs: the ratio is exp(log_prob - old_log_prob).",
        _surrogate(ratio=lambda new, old: new / old),
        _surrogate(ratio=lambda new, old: (new / old).exp()),
    ),
    "difference-of-probabilities": Mistake(
        "you subtract the probabilities.",
        "The ratio divides them: exp(log_prob) / exp(old_log_prob), or exp of the difference of the logs.",
        _surrogate(ratio=lambda new, old: new.exp() - old.exp()),
    ),
    "no-old-policy": Mistake(
        "your loss does not depend on old_log_prob.",
        "The old policy took the actions; the ratio to it corrects for that: exp(log_prob - old_log_prob).",
        _surrogate(ratio=lambda new, old: new.exp()),
        _surrogate(ratio=lambda new, old: new),
        _surrogate(lambda plain, clipped: plain.mean(), ratio=lambda new, old: new.exp()),
        _surrogate(lambda plain, clipped: plain.mean(), ratio=lambda new, old: new),
    ),
    "sum-for-mean": Mistake(
        "you sum over the batch.",
        "Take the mean, or a larger batch means a larger step.",
        _surrogate(lambda plain, clipped: torch.maximum(plain, clipped).sum()),
    ),
    "maximum-of-means": Mistake(
        "you take the means first, then the larger of the two.",
        "Each action has its own clip: the maximum for each, then one mean.",
        _surrogate(lambda plain, clipped: torch.maximum(plain.mean(), clipped.mean())),
        _surrogate(lambda plain, clipped: torch.maximum(plain, clipped).max()),
    ),
    "normalizes-advantage": Mistake(
        "you normalize the advantages inside the loss.",
        "rsl_rl normalizes them before, over the whole batch. Use them as they come.",
        *(_normalized(n, eps) for n in (1, 0) for eps in (1e-8, 0.0)),
    ),
    "no-gradient": Mistake(
        "your loss is right, but no gradient comes back from it: the policy would not learn.",
        "`.item()`, `.detach()`, numpy and torch.no_grad() cut the loss off from the network. Stay with tensors.",
        lambda *inputs: surrogate_loss(*inputs).detach(),
    ),
}

HINTS = (
    "Log-probabilities are given, but you need a ratio of probabilities. And if a good action is already twice as "
    "likely, should the loss reward still more of that?",
    "The ratio of two probabilities is `exp` of the difference of their logs. Compute the loss `-advantage * ratio` "
    "with the ratio as it is, and with the clamped one. PPO takes the worse of the two for each sample; worse means "
    "larger, because a loss is minimised.",
    "`ratio = (log_prob - old_log_prob).exp()`; `plain = -advantage * ratio`; `clipped = -advantage * ratio.clamp(1 - "
    "clip, 1 + clip)`; return `torch.maximum(plain, clipped).mean()`.",
)

EXERCISE = Exercise(surrogate_loss, ("loss", "gradient of log_prob"), CASES, MISTAKES, HINTS, _draw, _use, _show)
