"""Exercise ``gaussian_entropy``: find the entropy of a Gaussian policy."""

import math

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part
from .gaussian_actions import LOG_SQRT_2PI, joining_mistakes, total


def gaussian_entropy(std: torch.Tensor) -> torch.Tensor:
    """Entropy of actions whose components are independent Gaussians: minus the mean of their log-probability.

    Args:
        std: Standard deviations of the components, all above 0 [batch, actions].

    Returns:
        Entropy of each whole action, in nats [batch].
    """
    each = std.log() + 0.5 + 0.5 * math.log(2 * math.pi)  # [batch, actions]; z² is 1 on average
    return each.sum(-1)  # independent: entropies add


def _draw(generator: torch.Generator) -> Case:
    return Case("random stds", (0.05 + 3 * torch.rand(4, 3, generator=generator),), rtol=1e-3)


CASES = (
    Case.of("a std of 1", [[1.0]]),
    Case.of("a std of 2", [[2.0]]),
    Case.of("an action of two components", [[1.0, 2.0]]),
    Case.of("a small std, whose entropy is negative", [[0.1]]),
    Case.of("three robots", [[1.0, 2.0], [0.5, 1.0], [0.1, 4.0]]),
)


def _entropy(each: Part, join: Part = total) -> Answer:
    return lambda std: join(each(std))


def _h(std: torch.Tensor) -> torch.Tensor:
    return std.log() + 0.5 + LOG_SQRT_2PI


MISTAKES = {
    "half-missing": Mistake(
        "you leave out a ½: yours is minus the log-probability of the mean.",
        "Actions scatter about the mean, and z²/2 is ½ on average: add ½ for each component.",
        _entropy(lambda std: _h(std) - 0.5),
    ),
    "constant-missing": Mistake(
        "your entropy leaves out the constant ½ log 2π.",
        "Entropy is minus the mean log-probability, and each component's log-probability has a -½ log 2π.",
        _entropy(lambda std: std.log() + 0.5),
    ),
    "log-std-only": Mistake(
        "you return the log of the std alone.",
        "It has the right gradient, but not the right value: add ½ + ½ log 2π, about 1.419, for each component.",
        _entropy(lambda std: std.log()),
    ),
    "constant-not-halved": Mistake(
        "your constant is log 2π: twice what it should be.",
        "The density is divided by √(2π), and the log of a root is half the log: ½ log 2π, about 0.919.",
        _entropy(lambda std: _h(std) + LOG_SQRT_2PI),
    ),
    "constant-once": Mistake(
        "you add a constant once for the whole action, not once for each component.",
        "Each component is a Gaussian of its own: log std + ½ + ½ log 2π. Complete it, then sum.",
        _entropy(lambda std: std.log(), lambda each: each.sum(-1) + 0.5 + LOG_SQRT_2PI),
        _entropy(lambda std: std.log() + 0.5, lambda each: each.sum(-1) + LOG_SQRT_2PI),
        _entropy(lambda std: std.log() + LOG_SQRT_2PI, lambda each: each.sum(-1) + 0.5),
    ),
    "not-halved": Mistake(
        "your entropy is twice what it should be: it looks like log(2πe · std²).",
        "The root of the variance is the std, and the log of a root is half: ½ log(2πe · std²).",
        _entropy(lambda std: 2 * _h(std)),
    ),
    "std-as-variance": Mistake(
        "you take the std for the variance: only half of its log arrives.",
        "½ log(2πe · variance), and the variance is std². Or log std, in full.",
        _entropy(lambda std: _h(std.sqrt())),
    ),
    "variance-as-std": Mistake(
        "you put the variance in the place of the std: its log counts twice.",
        "Normal(mean, std) of torch takes the std as it is; by hand it is log std, or ½ log std².",
        _entropy(lambda std: _h(std**2)),
    ),
    "std-not-logged": Mistake(
        "you add the std itself, not its log.",
        "The input is a std, not a log std. Twice the std is log 2 = 0.69 nats more, from wherever you start.",
        _entropy(lambda std: _h(std.exp())),
    ),
    "log-std-sign": Mistake(
        "your entropy falls where the std grows.",
        "A wider Gaussian is less certain: log std counts positive.",
        _entropy(lambda std: _h(1 / std)),
    ),
    "sign": Mistake(
        "you return minus the entropy.",
        "Entropy is minus the mean log-probability. In PPO's loss it gets its minus sign later.",
        _entropy(lambda std: -_h(std)),
    ),
    "never-negative": Mistake(
        "your entropy never falls below 0.",
        "That is so for dice, not for densities: a Gaussian with a std below 0.24 has negative entropy. Let it.",
        _entropy(lambda std: _h(std).clamp(min=0)),
        _entropy(_h, lambda each: each.sum(-1).clamp(min=0)),
        _entropy(lambda std: _h(std).abs()),
        _entropy(_h, lambda each: each.sum(-1).abs()),
    ),
    "log-std-absolute": Mistake(
        "a std below 1 raises your entropy: you take the absolute value of its log.",
        "log std is negative below 1, and should be: a narrow Gaussian is more certain.",
        _entropy(lambda std: _h(std) - std.log() + std.log().abs()),
    ),
    "bits": Mistake(
        "your logarithm has another base: the result is not in nats.",
        "log means the natural one here, torch.log; log2 gives bits, which are 0.69 nats each.",
        *(_entropy(lambda std, base=base: _h(std) / math.log(base)) for base in (2, 10)),
        _entropy(lambda std: _h(std) - std.log() + std.log2()),
        _entropy(lambda std: _h(std) - std.log() + std.log10()),
        _entropy(lambda std: 0.5 + (_h(std) - 0.5) / math.log(2)),
    ),
    "one-point": Mistake(
        "you take -p · log p at one point, the mean.",
        "Entropy is the mean of -log p over all actions. For a Gaussian that integral is log std + ½ + ½ log 2π.",
        _entropy(lambda std: (0.5 - _h(std)).exp() * (_h(std) - 0.5)),
    ),
    "log-of-sum": Mistake(
        "you add the stds or variances of the components, and then take one log.",
        "That is no sum of entropies. Take the log of each std first, then sum over the components.",
        _entropy(lambda std: std, lambda each: _h(each.sum(-1))),
        _entropy(lambda std: std**2, lambda each: _h(each.sum(-1).sqrt())),
        _entropy(lambda std: std, lambda each: _h(each.mean(-1))),
        _entropy(lambda std: std, lambda each: _h(each.mean(-1)) * each.shape[-1]),
        _entropy(lambda std: std, lambda each: each.sum(-1).log() + each.shape[-1] * (0.5 + LOG_SQRT_2PI)),
    ),
    **joining_mistakes(lambda join: _entropy(_h, join), "entropy"),
}

HINTS = (
    "Entropy is minus the average of the log-probability. Which of its terms depends on the action?",
    "The log-probability of one component is −z²/2 − log std − ½ log 2π, with z = (action − mean) / std. The average "
    "of z² is 1, whatever the std. By hand: a std of 1 gives 1.419 nats, a std of 2 gives log 2 = 0.693 more, a std of "
    "0.1 gives −0.884. An action with all three components has the sum, 2.647.",
    "`std.log() + 0.5 + 0.5 * math.log(2 * math.pi)` is `[batch, actions]`, one entropy for each component; sum it "
    "over the last dimension.",
)

EXERCISE = Exercise(gaussian_entropy, ("entropy",), CASES, MISTAKES, HINTS, _draw)
