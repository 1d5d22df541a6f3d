"""Exercise ``surrogate_loss``: write PPO's clipped loss."""

import torch

from ..exercise import Case, Exercise, Mistake
from ..verdict import text


def surrogate_loss(
    log_prob: torch.Tensor, old_log_prob: torch.Tensor, advantage: torch.Tensor, clip: float
) -> torch.Tensor:
    """Compute PPO's clipped loss, which is minimized.

    Args:
        log_prob: Log-probability of each action under the policy that is being trained [batch].
        old_log_prob: Log-probability of the same action under the policy that took it [batch].
        advantage: Advantage of each action [batch].
        clip: How far the probability ratio may move away from 1.

    Returns:
        Mean over the batch, one number. For each action, the larger (worse) of the plain and the clipped loss counts.
    """
    ratio = (log_prob - old_log_prob).exp()  # [batch]; 1 if nothing changed
    plain = -advantage * ratio
    clipped = -advantage * ratio.clamp(1 - clip, 1 + clip)
    return torch.maximum(plain, clipped).mean()  # the worse of the two for each sample


def _show(log_prob: torch.Tensor, old_log_prob: torch.Tensor, advantage: torch.Tensor, clip: float) -> str:
    logs = (f"log({text(values.exp())})" for values in (log_prob, old_log_prob))
    return "surrogate_loss(log_prob={}, old_log_prob={}, ".format(*logs) + f"advantage={text(advantage)}, clip={clip})"


def _batch(about: str, new: list[float], old: list[float], advantage: list[float], clip: float) -> Case:
    """A case from the probabilities of the actions. It also checks that the loss has a gradient."""
    log_prob, old_log_prob = torch.tensor(new).log(), torch.tensor(old).log()
    return Case.of(about, log_prob, old_log_prob, advantage, clip, tracked=("log_prob",))


def _draw(generator: torch.Generator) -> Case:
    log_prob, old_log_prob = 0.5 * torch.randn(2, 16, generator=generator) - 1
    advantage = torch.randn(16, generator=generator)
    clip = 0.1 + 0.3 * float(torch.rand((), generator=generator))
    inputs = (log_prob, old_log_prob, advantage, clip)
    return Case("a random batch", inputs, rtol=1e-3, tracked=("log_prob",))


CASES = (
    _batch("the same policy, so a ratio of 1", [0.5], [0.5], [3.0], 0.2),
    _batch("a ratio between the clip limits", [0.44], [0.4], [10.0], 0.2),
    _batch("a good action that is already twice as likely", [0.8], [0.4], [10.0], 0.2),
    _batch("a good action that became half as likely", [0.2], [0.4], [10.0], 0.2),
    _batch("a bad action that became twice as likely", [0.8], [0.4], [-10.0], 0.2),
    _batch("a bad action that is already half as likely", [0.2], [0.4], [-10.0], 0.2),
    _batch(
        "a batch of four actions and a different clip", [0.8, 0.2, 0.8, 0.2], 4 * [0.4], [1.0, 2.0, -3.0, -4.0], 0.1
    ),
    _batch("a bad action that became eight times as likely", [0.8], [0.1], [-10.0], 0.2),
    _batch(
        "a batch of five actions, some with densities above 1",
        [1.5, 0.3, 0.66, 0.2, 0.9],
        [0.5, 0.6, 0.6, 0.8, 1.2],
        [1.5, 0.7, -0.4, -2.3, -1.2],
        0.3,
    ),
)


_RATIO = "(log_prob - old_log_prob).exp()"
_LIMITS = "1 - clip, 1 + clip"
_CLAMPED = "ratio.clamp(1 - clip, 1 + clip)"
_WORSE = "torch.maximum(plain, clipped)"
_BETTER = "torch.minimum(plain, clipped)"
_CENTRED = "(advantage - advantage.mean())"


MISTAKES = {
    "sign": Mistake(
        "your loss has the wrong sign: minimizing it makes good actions less likely.",
        "The optimizer minimizes, and a good action should become more likely: -advantage * ratio.",
        {"return ": "return -"},
        {"plain = -": "plain = ", "clipped = -": "clipped = "},
    ),
    "sum-for-mean": Mistake(
        "you sum over the batch.",
        "Take the mean. Otherwise, a larger batch means a larger step.",
        {".mean()": ".sum()"},
    ),
    "optimistic": Mistake(
        "you take the smaller of the two losses, but PPO takes the worse one.",
        "The worse loss is the larger: torch.maximum. (The paper maximizes a gain instead, so it takes the minimum.)",
        {"torch.maximum": "torch.minimum"},
    ),
    "no-clip": Mistake(
        "your loss is not clipped.",
        "Without the clip, one batch can move the policy far away from the data. Take the worse of the plain and the "
        "clipped loss.",
        {_WORSE: "plain"},
    ),
    "clipped-only": Mistake(
        "you use only the clipped loss.",
        "If the policy moved in the wrong direction, the clipped loss has no gradient to bring it back. Take the "
        "larger loss.",
        {_WORSE: "clipped"},
    ),
    "ratio-inverted": Mistake(
        "your ratio is old over new.",
        "The ratio should show how much more likely the action is now: exp(log_prob - old_log_prob).",
        {"log_prob - old_log_prob": "old_log_prob - log_prob"},
    ),
    "log-ratio": Mistake(
        "you use the difference of the log-probabilities as the ratio.",
        "The ratio of two probabilities is the exp of this difference: if nothing changed, the ratio is 1, not 0.",
        {").exp()": ")"},
    ),
    "every-with-every": Mistake(
        "you multiply every ratio by every advantage: a column [batch, 1] times a row [batch] is [batch, batch].",
        "Print the shapes: ratio and advantage must both be [batch]. Leave out the unsqueeze or keepdim.",
        {"ratio = (log_prob - old_log_prob).exp()": "ratio = (log_prob - old_log_prob).exp().unsqueeze(-1)"},
    ),
    "not-averaged": Mistake(
        "you return a loss for each action, not their mean.",
        "An optimizer minimizes a single number: end with .mean().",
        {".mean()": ""},
    ),
    "no-old-policy": Mistake(
        "your loss does not depend on old_log_prob.",
        "The old policy took the actions, and the ratio corrects for this: exp(log_prob - old_log_prob).",
        {" - old_log_prob": ""},
        {_RATIO: "log_prob"},
        {_RATIO: "log_prob", _WORSE: "plain"},
    ),
    "clips-around-zero": Mistake(
        "you clamp the ratio between −clip and clip.",
        "A ratio of 1 means that nothing changed. Clamp it around 1, between 1 - clip and 1 + clip.",
        {_LIMITS: "-clip, clip"},
    ),
    "clips-one-side": Mistake(
        "you clip the ratio on only one side.",
        "A ratio can become too large or too small: clamp it between 1 - clip and 1 + clip.",
        {_LIMITS: "max=1 + clip"},
        {_LIMITS: "min=1 - clip"},
    ),
    "clips-log-ratio": Mistake(
        "you clip the difference of the log-probabilities, not the ratio.",
        "Take exp first, then clamp the ratio between 1 - clip and 1 + clip.",
        {_CLAMPED: "ratio.log().clamp(-clip, clip).exp()"},
        {_CLAMPED: "ratio.log().clamp(1 - clip, 1 + clip).exp()"},
    ),
    "compares-ratios": Mistake(
        "you choose between the two ratios without considering the sign of the advantage.",
        "The sign determines which ratio is worse: multiply both ratios by -advantage, then take the larger loss.",
        {_WORSE: f"torch.where(advantage > 0, {_WORSE}, {_BETTER})"},
        {_WORSE: f"torch.where(advantage < 0, {_WORSE}, {_BETTER})"},
    ),
    "combines-both": Mistake(
        "you add or average the plain and the clipped loss.",
        "For each action, PPO takes only the worse of the two: torch.maximum.",
        {_WORSE: "(plain + clipped)"},
        {_WORSE: "(0.5 * (plain + clipped))"},
    ),
    "bounded-twice": Mistake(
        "your loss has a second limit: it stops growing if a bad action becomes much more likely.",
        "PPO limits only moves in the right direction. With a second limit (dual clip), no gradient undoes a wrong "
        "move.",
        *({").exp()": f").exp().clamp(max={bound})"} for bound in (2, 3, 4, 5)),
        *({" - old_log_prob)": f" - old_log_prob).clamp(-{bound}, {bound})"} for bound in (1, 2)),
    ),
    "drops-outside": Mistake(
        "you drop the actions whose ratio is beyond the clip limits.",
        "A bad action that became more likely is beyond the limits too, and needs its gradient most. Take the worse "
        "loss.",
        {_WORSE: "(plain * ((ratio - 1).abs() < clip))"},
    ),
    "clips-at-clip": Mistake(
        "you use clip itself as a limit of the ratio.",
        "clip is how far the ratio may move away from 1: the limits are 1 - clip and 1 + clip.",
        {_LIMITS: "min=clip"},
        {_LIMITS: "clip, 1 + clip"},
    ),
    "reciprocal-limits": Mistake(
        "one of your limits of the ratio is 1 divided by the other.",
        "The ratio may move as far below 1 as above it: clamp it between 1 - clip and 1 + clip.",
        {_LIMITS: "1 / (1 + clip), 1 + clip"},
        {_LIMITS: "1 - clip, 1 / (1 - clip)"},
    ),
    "fixed-clip": Mistake(
        "you use fixed limits, whatever clip is.",
        "Use the argument: 1 - clip and 1 + clip.",
        *({_LIMITS: f"1 - {clip}, 1 + {clip}"} for clip in (0.2, 0.1, 0.3)),
    ),
    "limit-for-ratio": Mistake(
        "in your clipped loss, every action has the same ratio, 1 + clip or 1 - clip.",
        "Both limits are needed, 1 + clip for good actions and 1 - clip for bad ones: ratio.clamp(1 - clip, 1 + clip).",
        {_CLAMPED: "(1 + clip)"},
        {_CLAMPED: "(1 - clip)"},
    ),
    "clips-product": Mistake(
        "you clip the product of ratio and advantage.",
        "The clip limits how far the policy moves, which is measured by the ratio. Clamp the ratio first, then "
        "multiply.",
        {f"-advantage * {_CLAMPED}": f"-(-plain).clamp({_LIMITS})"},
        {f"-advantage * {_CLAMPED}": f"plain.clamp({_LIMITS})"},
        {f"-advantage * {_CLAMPED}": f"-(-plain).clamp({_LIMITS})", _WORSE: "clipped"},
        {f"-advantage * {_CLAMPED}": f"plain.clamp({_LIMITS})", _WORSE: "clipped"},
    ),
    "clips-advantage": Mistake(
        "you clip the advantage.",
        "The clip limits how far the policy moves, which is measured by the ratio. Clamp the ratio, not the advantage.",
        {f"-advantage * {_CLAMPED}": "-advantage.clamp(-clip, clip) * ratio"},
        {f"-advantage * {_CLAMPED}": f"-advantage.clamp({_LIMITS}) * ratio"},
    ),
    "clipped-without-advantage": Mistake(
        "you leave the advantage out of the clipped loss.",
        "Both losses are -advantage times a ratio, either the plain or the clamped one.",
        {"clipped = -advantage * ": "clipped = -"},
        {"clipped = -advantage * ": "clipped = "},
    ),
    "linear-ratio": Mistake(
        "you use 1 plus the difference of the log-probabilities as the ratio.",
        "1 plus the difference is close to the ratio only for small changes: take the exp of the difference.",
        {_RATIO: "(1 + log_prob - old_log_prob)"},
    ),
    "ratio-minus-one": Mistake(
        "you subtract 1 from the ratio.",
        "The loss is -advantage times the ratio itself, which is 1 if nothing changed.",
        {").exp()": ").exp() - 1", _LIMITS: "-clip, clip"},
        {").exp()": ").exp() - 1"},
    ),
    "quotient-of-logs": Mistake(
        "you divide the log-probabilities.",
        "The log of a quotient is a difference of logs: the ratio is exp(log_prob - old_log_prob).",
        {_RATIO: "(log_prob / old_log_prob)"},
        {"log_prob - old_log_prob": "log_prob / old_log_prob"},
    ),
    "difference-of-probabilities": Mistake(
        "you subtract the probabilities.",
        "Divide the probabilities instead: exp(log_prob) / exp(old_log_prob), or take the exp of the difference of "
        "the logs.",
        {_RATIO: "(log_prob.exp() - old_log_prob.exp())"},
        {"log_prob - old_log_prob": "log_prob.exp() - old_log_prob.exp()"},
    ),
    "one-exp-only": Mistake(
        "you take the exp of only one of the two log-probabilities.",
        "Take the exp of both: exp(log_prob) / exp(old_log_prob). Or take the exp of their difference.",
        {_RATIO: "(log_prob.exp() / old_log_prob)"},
        {_RATIO: "(log_prob / old_log_prob.exp())"},
        {_RATIO: "(log_prob.exp() - old_log_prob)"},
    ),
    "another-base": Mistake(
        "you take powers of 10 or of 2.",
        "Log-probabilities are natural logs: torch.exp turns them back into probabilities.",
        {_RATIO: "10 ** (log_prob - old_log_prob)"},
        {_RATIO: "2 ** (log_prob - old_log_prob)"},
    ),
    "log-prob-in-loss": Mistake(
        "you multiply the loss by log_prob too.",
        "The ratio replaces log_prob and provides the gradient, so the loss is only -advantage * ratio.",
        *({_WORSE: f"({loss} * log_prob)"} for loss in (_WORSE, "plain", "clipped")),
        *({_WORSE: f"({loss}.detach() * log_prob)"} for loss in (_WORSE, "plain", "clipped")),
    ),
    "one-of-batch": Mistake(
        "you return the loss of a single action in the batch: the largest, the smallest or the median.",
        "Every action counts: take the mean over the batch.",
        {".mean()": ".max()"},
        {".mean()": ".min()"},
        {".mean()": ".median()"},
    ),
    "maximum-of-means": Mistake(
        "you take the two means first, then the larger of them.",
        "PPO clips each action separately: take the maximum for each action, then one mean.",
        {f"{_WORSE}.mean()": "torch.maximum(plain.mean(), clipped.mean())"},
        {f"{_WORSE}.mean()": "torch.maximum(plain.sum(), clipped.sum())"},
    ),
    "normalizes-advantage": Mistake(
        "you normalize the advantages inside the loss.",
        "rsl_rl normalizes advantages earlier, over the entire batch. Use them unchanged.",
        *(
            {"ratio =": f"advantage = {_CENTRED} / (advantage.std(correction={n}){eps})\n    ratio ="}
            for n in (1, 0)
            for eps in ("", " + 1e-8")
        ),
        {"ratio =": f"advantage = {_CENTRED}\n    ratio ="},
    ),
    "bad-actions-dropped": Mistake(
        "you leave out the actions with a negative advantage.",
        "The policy also learns what to do less often: do not change negative advantages.",
        {"ratio =": "advantage = advantage.clamp(min=0)\n    ratio ="},
    ),
    "never-negative": Mistake(
        "your loss for an action is never negative.",
        "The loss for a good action is negative, and falls further as the action becomes more likely: keep the sign.",
        {_WORSE: f"{_WORSE}.abs()"},
        {_WORSE: f"{_WORSE}.clamp(min=0)"},
    ),
    "gradient-of-one-loss": Mistake(
        "your loss is right, but one of its two parts has no gradient.",
        "Both the plain and the clipped loss depend on log_prob: use no `.detach()`, `.item()` or `no_grad()` in "
        "either.",
        {"ratio.clamp": "ratio.detach().clamp"},
        {"plain = -advantage * ratio": "plain = -advantage * ratio.detach()"},
    ),
    "gradient-of-a-copy": Mistake(
        "your loss has a gradient, but it does not reach log_prob.",
        "requires_grad=True makes a new leaf tensor without a connection to log_prob. Compute with log_prob itself, "
        "without `.item()`, `.detach()` or numpy.",
        {".mean()": ".mean().detach().requires_grad_()"},
    ),
}

HINTS = (
    "You get log-probabilities, but you need a ratio of probabilities. And if a good action is already twice as "
    "likely, should the loss reward making it even more likely?",
    "The ratio of two probabilities is `exp` of the difference of their logs. Compute the loss `-advantage * ratio` "
    "twice, once with the plain ratio and once with the clamped ratio. For each sample, PPO takes the worse of the "
    "two losses, which is the larger one, because a loss is minimized.",
    "Compute `ratio = (log_prob - old_log_prob).exp()`, `plain = -advantage * ratio` and `clipped = -advantage * "
    "ratio.clamp(1 - clip, 1 + clip)`. Return `torch.maximum(plain, clipped).mean()`.",
)

EXERCISE = Exercise(surrogate_loss, ("loss",), CASES, MISTAKES, HINTS, _draw, show=_show)
