"""Exercise ``gaussian_log_prob``: find the log-probability of a Gaussian action."""

import math

import torch
from torch.distributions import Normal

from ..exercise import Answer, Case, Exercise, Mistake, Part
from .gaussian_actions import LOG_SQRT_2PI, joining_mistakes, total


def gaussian_log_prob(mean: torch.Tensor, std: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
    """Log-probability of actions whose components are independent Gaussians.

    Args:
        mean: Means of the components [batch, actions].
        std: Their standard deviations, all above 0 [batch, actions].
        action: The actions that were taken [batch, actions].

    Returns:
        Log of the density of each whole action, in nats [batch].
    """
    z = (action - mean) / std  # distance from the mean, in stds
    each = -0.5 * z**2 - std.log() - 0.5 * math.log(2 * math.pi)  # [batch, actions]
    return each.sum(-1)  # independent: densities multiply, logs add


def _draw(generator: torch.Generator) -> Case:
    mean, action = 2 * torch.randn(2, 4, 3, generator=generator)
    std = 0.2 + 2 * torch.rand(4, 3, generator=generator)
    return Case("random actions", (mean, std, action), rtol=1e-3)


CASES = (
    Case.of("an action at its mean", [[0.0]], [[1.0]], [[0.0]]),
    Case.of("an action two stds from its mean", [[1.0]], [[2.0]], [[5.0]]),
    Case.of("an action of two components", [[0.0, 1.0]], [[1.0, 2.0]], [[2.0, 0.0]]),
    Case.of(
        "three robots",
        [[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]],
        [[1.0, 2.0], [0.5, 1.0], [1.0, 0.25]],
        [[1.0, 1.0], [2.0, 3.0], [0.0, 1.5]],
    ),
    Case.of("an action 100 stds out, whose density is 0 in floats", [[0.0]], [[0.01]], [[1.0]]),
)


class _Action:
    """The quantities of the log-probability, under short names, for writing its mistakes in a line each."""

    def __init__(self, mean: torch.Tensor, std: torch.Tensor, action: torch.Tensor) -> None:
        self.std, self.log_std = std, std.log()
        self.far = action - mean
        self.square = 0.5 * (self.far / std) ** 2
        self.log_p = -self.square - self.log_std - LOG_SQRT_2PI

    def gaussian(self, std: torch.Tensor) -> torch.Tensor:
        """The log-density with another std."""
        return -0.5 * (self.far / std) ** 2 - std.log() - LOG_SQRT_2PI


def _log_prob(each: Part = lambda a: a.log_p, join: Part = total) -> Answer:
    return lambda mean, std, action: join(each(_Action(mean, std, action)))


def _log_of_density(tiny: float) -> Answer:
    """By way of the density, to which many add a small number before they take the log."""
    return _log_prob(lambda a: (a.log_p.exp() + tiny).log())


MISTAKES = {
    "constant-missing": Mistake(
        "your log-probability leaves out the constant, ½ log 2π for each component.",
        "Without it the area under the density is √(2π) = 2.51, not 1. Subtract ½ log 2π, about 0.919.",
        _log_prob(lambda a: -a.square - a.log_std),
    ),
    "constant-not-halved": Mistake(
        "your constant is log 2π: twice what it should be.",
        "The density is divided by √(2π), and the log of a root is half the log: ½ log 2π, about 0.919.",
        _log_prob(lambda a: a.log_p - LOG_SQRT_2PI),
    ),
    "constant-halved-twice": Mistake(
        "your constant is ¼ log 2π: it is halved twice.",
        "log √(2π) and ½ log 2π are the same number, about 0.919. Take the root or the half, not both.",
        _log_prob(lambda a: a.log_p + 0.5 * LOG_SQRT_2PI),
    ),
    "constant-once": Mistake(
        "you subtract the constant once for the whole action, not once for each component.",
        "Each component is a Gaussian of its own, with its own ½ log 2π: subtract it before you sum.",
        _log_prob(lambda a: -a.square - a.log_std, lambda each: each.sum(-1) - LOG_SQRT_2PI),
    ),
    "constant-sign": Mistake(
        "you add the constant ½ log 2π.",
        "The density is divided by √(2π); dividing means that the log is subtracted.",
        _log_prob(lambda a: a.log_p + 2 * LOG_SQRT_2PI),
    ),
    "constant-not-logged": Mistake(
        "your constant is no logarithm: it looks like √(2π), or ½ · 2π, as it stands.",
        "The whole density goes through the log, its constant too: subtract ½ log 2π, about 0.919.",
        _log_prob(lambda a: -a.square - a.log_std - math.sqrt(2 * math.pi)),
        _log_prob(lambda a: -a.square - a.log_std - math.pi),
    ),
    "log-std-missing": Mistake(
        "your log-probability leaves out the log of the std.",
        "A wide Gaussian is also a low one: its density is divided by the std, so subtract log std.",
        _log_prob(lambda a: a.log_p + a.log_std),
    ),
    "log-std-sign": Mistake(
        "you add the log of the std.",
        "The wider, the lower: the density is divided by the std, and its log is subtracted.",
        _log_prob(lambda a: a.log_p + 2 * a.log_std),
    ),
    "log-std-twice": Mistake(
        "you subtract the log of the std twice, which is log std².",
        "Write log std, or ½ log std²: the density is divided by the std, not by the variance.",
        _log_prob(lambda a: a.log_p - a.log_std),
    ),
    "log-std-halved": Mistake(
        "you subtract only half the log of the std.",
        "The ½ belongs to the log of the variance: ½ log std² is log std, in full.",
        _log_prob(lambda a: a.log_p + 0.5 * a.log_std),
    ),
    "std-not-logged": Mistake(
        "you subtract the std itself, not its log.",
        "The input is a std, not a log std: take its log.",
        _log_prob(lambda a: a.log_p + a.log_std - a.std),
    ),
    "distance-not-squared": Mistake(
        "the distance from the mean is not squared.",
        "The exponent of a Gaussian is -z²/2, with z = (action - mean) / std.",
        _log_prob(lambda a: a.log_p + a.square - 0.5 * a.far / a.std),
        _log_prob(lambda a: a.log_p + a.square - 0.5 * (a.far / a.std).abs()),
        _log_prob(lambda a: a.log_p + a.square - (a.far / a.std).abs()),
    ),
    "distance-not-halved": Mistake(
        "the squared distance has lost its factor ½.",
        "The exponent of a Gaussian is -z²/2, with z = (action - mean) / std.",
        _log_prob(lambda a: a.log_p - a.square),
    ),
    "distance-sign": Mistake(
        "actions far from the mean get a high log-probability.",
        "The exponent is negative: -z²/2, with z = (action - mean) / std.",
        _log_prob(lambda a: a.log_p + 2 * a.square),
    ),
    "distance-not-scaled": Mistake(
        "the distance from the mean is not divided by the std.",
        "Far means: many stds away. Take z = (action - mean) / std, and square that.",
        _log_prob(lambda a: a.log_p + a.square - 0.5 * a.far**2),
    ),
    "std-not-squared": Mistake(
        "you divide the squared distance by the std, not by the variance.",
        "Square the std too: (action - mean)² / (2 std²). Or divide first, then square.",
        _log_prob(lambda a: a.log_p + a.square - 0.5 * a.far**2 / a.std),
    ),
    "std-as-variance": Mistake(
        "you take the std for the variance.",
        "The input is the std, in the action's unit: its square is the variance. Do not take its root.",
        _log_prob(lambda a: a.gaussian(a.std.sqrt())),
    ),
    "variance-as-std": Mistake(
        "you put the variance in the place of the std.",
        "torch's Normal(mean, std) takes the std as it is. By hand, std² divides a distance squared already.",
        _log_prob(lambda a: a.gaussian(a.std**2)),
        _log_prob(lambda a: a.log_p + a.square - 0.5 * (a.far / a.std**2) ** 2),
    ),
    "std-as-log-std": Mistake(
        "you take the std for a log std: you put it through exp.",
        "Some networks put out the log of the std, but this input is the std itself.",
        _log_prob(lambda a: a.gaussian(a.std.exp())),
    ),
    "density": Mistake(
        "you return the density, not its log.",
        "A product of many densities leaves the range of floats, a sum of their logs does not. Take the log.",
        _log_prob(lambda a: a.log_p, lambda each: each.sum(-1).exp()),
        _log_prob(lambda a: a.log_p.exp()),
        _log_prob(lambda a: a.log_p.exp(), lambda each: each),
        _log_prob(lambda a: a.log_p.exp(), lambda each: each.mean(-1)),
    ),
    "log-of-summed-densities": Mistake(
        "you add the densities of the components, and then take the log.",
        "Independent components multiply their densities. So take the log of each, then add the logs.",
        _log_prob(lambda a: a.log_p.exp(), lambda each: each.sum(-1).log()),
    ),
    "log-of-density": Mistake(
        "your formula is right, but it goes by way of the density, which is 0 in floats far from the mean.",
        "exp(-5000) comes out as 0, and its log is lost. Do not take exp and then log: write the log as it is.",
        *map(_log_of_density, (0.0, 1e-12, 1e-10, 1e-8, 1e-7, 1e-6)),
    ),
    "sign": Mistake(
        "you return the negative log-probability.",
        "That is a loss, to be minimised. Here likely actions have the highest value: leave the minus out.",
        _log_prob(lambda a: -a.log_p),
    ),
    "other-base": Mistake(
        "your logarithm has another base: the result is not in nats.",
        "log is the natural one, torch.log: PPO's ratio, exp(log_prob - old_log_prob), counts on it.",
        *(_log_prob(lambda a, base=base: a.log_p / math.log(base)) for base in (2, 10)),
        *(_log_prob(lambda a, base=base: -a.square + (a.log_p + a.square) / math.log(base)) for base in (2, 10)),
    ),
    "cumulative": Mistake(
        "you take the probability of all smaller actions (cdf).",
        "A single action has a density: the height of the bell above it, not the area to the left of it.",
        lambda mean, std, action: Normal(mean, std).cdf(action).log().sum(-1),
        lambda mean, std, action: Normal(mean, std).cdf(action).prod(-1),
    ),
    **joining_mistakes(lambda join: _log_prob(join=join), "log-probability"),
}

HINTS = (
    "The components of an action are independent. What happens to their densities, and what to the logs of these?",
    "The density of one component is exp(−z²/2) / (std · √(2π)), with z = (action − mean) / std. Its log has three "
    "terms, each `[batch, actions]`, and the constant counts once for each component. By hand: mean 1, std 2 and "
    "action 5 give z = 2 and the terms −2, −0.693 and −0.919, together −3.612. Two such components in one action give "
    "−7.224, in a result of shape `[1]`.",
    "`z = (action - mean) / std`; `-0.5 * z**2 - std.log() - 0.5 * math.log(2 * math.pi)` is `[batch, actions]`; sum "
    "it over the last dimension. (`torch.pi` is π too.)",
)

EXERCISE = Exercise(gaussian_log_prob, ("log_prob",), CASES, MISTAKES, HINTS, _draw)
