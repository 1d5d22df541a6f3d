"""Lesson 5's exercises: log-probability, entropy and KL of Gaussian actions, and a learning rate that follows KL."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from .exercise import Answer, Case, Exercise, Mistake

_t = torch.tensor

LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)

Join = Callable[[torch.Tensor], Any]


def _sum(each: torch.Tensor) -> torch.Tensor:
    return each.sum(-1)


def _joins(make: Callable[[Join], Answer], what: str) -> tuple[Mistake, ...]:
    """The mistakes in putting components together, from [batch, actions] to [batch]; the same for all quantities."""
    return (
        Mistake(
            "per-component",
            f"you return one {what} for each component, not one for the whole action.",
            "The components are independent: what belongs to the whole action is the sum, .sum(dim=-1).",
            (make(lambda each: each),),
        ),
        Mistake(
            "mean-over-actions",
            "you take the mean over the components of the action, not the sum.",
            "Independent components add up. With the mean, a robot of 12 joints would look like one of a single joint.",
            (make(lambda each: each.mean(-1)),),
        ),
        Mistake(
            "over-batch",
            "you return one number for the whole batch.",
            "Each row is an action of its own: sum over the components only, dim=-1. PPO averages over the rows later.",
            (
                make(lambda each: each.sum()),
                make(lambda each: each.mean()),
                make(lambda each: each.sum(-1).mean()),
                make(lambda each: each.mean().expand(len(each))),
                make(lambda each: each.sum(-1).mean().expand(len(each))),
            ),
        ),
        Mistake(
            "wrong-dimension",
            "you go over the rows of the batch, not over the components of each action.",
            "The shape is [batch, actions], and the components are the last dimension: .sum(dim=-1).",
            (make(lambda each: each.sum(0)), make(lambda each: each.mean(0))),
        ),
        Mistake(
            "product",
            f"you multiply the components' {what} values.",
            "Densities multiply; their logs, and all that is made of logs, add: .sum(dim=-1).",
            (make(lambda each: each.prod(-1)),),
        ),
    )


# Exercise 1 -----------------------------------------------------------------------------------------------------------


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
    log_area = 0.5 * (2 * torch.pi * std**2).log()  # the area under exp(-z²/2), by which the density is divided
    return (-0.5 * z**2 - log_area).sum(-1)  # independent: densities multiply, logs add


class _Action:
    """The quantities of the log-probability, under short names, for writing its mistakes in a line each."""

    def __init__(self, mean: torch.Tensor, std: torch.Tensor, action: torch.Tensor) -> None:
        self.std = std
        self.far = action - mean
        self.square = 0.5 * (self.far / std) ** 2
        self.log_std = std.log()
        self.log_p = -self.square - self.log_std - LOG_SQRT_2PI

    def gaussian(self, std: torch.Tensor) -> torch.Tensor:
        """The log-density with another std."""
        return -0.5 * (self.far / std) ** 2 - std.log() - LOG_SQRT_2PI


def _log_prob(each: Callable[[_Action], torch.Tensor] = lambda a: a.log_p, join: Join = _sum) -> Answer:
    return lambda mean, std, action: join(each(_Action(mean, std, action)))


def _log_of_density(tiny: float) -> Answer:
    """By way of the density, to which many add a small number before they take the log."""
    return _log_prob(lambda a: (a.log_p.exp() + tiny).log())


def _cdf(mean: torch.Tensor, std: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
    cdf: torch.Tensor = torch.distributions.Normal(mean, std).cdf(action)
    return cdf


def _draw_actions(generator: torch.Generator) -> Case:
    mean, action = 2 * torch.randn(2, 4, 3, generator=generator)
    std = 0.2 + 2 * torch.rand(4, 3, generator=generator)
    return Case("random actions", (mean, std, action), rtol=1e-3)


GAUSSIAN_LOG_PROB = Exercise(
    name="gaussian_log_prob",
    reference=gaussian_log_prob,
    outputs=("log_prob",),
    cases=(
        Case("an action at its mean", (_t([[0.0]]), _t([[1.0]]), _t([[0.0]]))),
        Case("an action two stds from its mean", (_t([[1.0]]), _t([[2.0]]), _t([[5.0]]))),
        Case("an action of two components", (_t([[0.0, 1.0]]), _t([[1.0, 2.0]]), _t([[2.0, 0.0]]))),
        Case(
            "three robots",
            (
                _t([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]]),
                _t([[1.0, 2.0], [0.5, 1.0], [1.0, 0.25]]),
                _t([[1.0, 1.0], [2.0, 3.0], [0.0, 1.5]]),
            ),
        ),
        Case("an action 100 stds out, whose density is 0 in floats", (_t([[0.0]]), _t([[0.01]]), _t([[1.0]]))),
    ),
    mistakes=(
        Mistake(
            "constant-missing",
            "your log-probability leaves out the constant, ½ log 2π for each component.",
            "Without it the area under the density is √(2π) = 2.51, not 1. Subtract ½ log 2π, about 0.919.",
            (_log_prob(lambda a: -a.square - a.log_std),),
        ),
        Mistake(
            "constant-not-halved",
            "your constant is log 2π: twice what it should be.",
            "The density is divided by √(2π), and the log of a root is half the log: ½ log 2π, about 0.919.",
            (_log_prob(lambda a: a.log_p - LOG_SQRT_2PI),),
        ),
        Mistake(
            "constant-halved-twice",
            "your constant is ¼ log 2π: it is halved twice.",
            "log √(2π) and ½ log 2π are the same number, about 0.919. Take the root or the half, not both.",
            (_log_prob(lambda a: a.log_p + 0.5 * LOG_SQRT_2PI),),
        ),
        Mistake(
            "constant-once",
            "you subtract the constant once for the whole action, not once for each component.",
            "Each component is a Gaussian of its own, with its own ½ log 2π: subtract it before you sum.",
            (_log_prob(lambda a: -a.square - a.log_std, lambda each: each.sum(-1) - LOG_SQRT_2PI),),
        ),
        Mistake(
            "constant-sign",
            "you add the constant ½ log 2π.",
            "The density is divided by √(2π); dividing means that the log is subtracted.",
            (_log_prob(lambda a: a.log_p + 2 * LOG_SQRT_2PI),),
        ),
        Mistake(
            "constant-not-logged",
            "your constant is no logarithm: it looks like √(2π), or ½ · 2π, as it stands.",
            "The whole density goes through the log, its constant too: subtract ½ log 2π, about 0.919.",
            (
                _log_prob(lambda a: -a.square - a.log_std - math.sqrt(2 * math.pi)),
                _log_prob(lambda a: -a.square - a.log_std - math.pi),
            ),
        ),
        Mistake(
            "log-std-missing",
            "your log-probability leaves out the log of the std.",
            "A wide Gaussian is also a low one: its density is divided by the std, so subtract log std.",
            (_log_prob(lambda a: a.log_p + a.log_std),),
        ),
        Mistake(
            "log-std-sign",
            "you add the log of the std.",
            "The wider, the lower: the density is divided by the std, and its log is subtracted.",
            (_log_prob(lambda a: a.log_p + 2 * a.log_std),),
        ),
        Mistake(
            "log-std-twice",
            "you subtract the log of the std twice, which is log std².",
            "Write log std, or ½ log std²: the density is divided by the std, not by the variance.",
            (_log_prob(lambda a: a.log_p - a.log_std),),
        ),
        Mistake(
            "log-std-halved",
            "you subtract only half the log of the std.",
            "The ½ belongs to the log of the variance: ½ log std² is log std, in full.",
            (_log_prob(lambda a: a.log_p + 0.5 * a.log_std),),
        ),
        Mistake(
            "std-not-logged",
            "you subtract the std itself, not its log.",
            "The input is a std, not a log std: take its log.",
            (_log_prob(lambda a: a.log_p + a.log_std - a.std),),
        ),
        Mistake(
            "distance-not-squared",
            "the distance from the mean is not squared.",
            "The exponent of a Gaussian is -z²/2, with z = (action - mean) / std.",
            (
                _log_prob(lambda a: a.log_p + a.square - 0.5 * a.far / a.std),
                _log_prob(lambda a: a.log_p + a.square - 0.5 * (a.far / a.std).abs()),
                _log_prob(lambda a: a.log_p + a.square - (a.far / a.std).abs()),
            ),
        ),
        Mistake(
            "distance-not-halved",
            "the squared distance has lost its factor ½.",
            "The exponent of a Gaussian is -z²/2, with z = (action - mean) / std.",
            (_log_prob(lambda a: a.log_p - a.square),),
        ),
        Mistake(
            "distance-sign",
            "actions far from the mean get a high log-probability.",
            "The exponent is negative: -z²/2, with z = (action - mean) / std.",
            (_log_prob(lambda a: a.log_p + 2 * a.square),),
        ),
        Mistake(
            "distance-not-scaled",
            "the distance from the mean is not divided by the std.",
            "Far means: many stds away. Take z = (action - mean) / std, and square that.",
            (_log_prob(lambda a: a.log_p + a.square - 0.5 * a.far**2),),
        ),
        Mistake(
            "std-not-squared",
            "you divide the squared distance by the std, not by the variance.",
            "Square the std too: (action - mean)² / (2 std²). Or divide first, then square.",
            (_log_prob(lambda a: a.log_p + a.square - 0.5 * a.far**2 / a.std),),
        ),
        Mistake(
            "std-as-variance",
            "you take the std for the variance.",
            "The input is the std, in the action's unit: its square is the variance. Do not take its root.",
            (_log_prob(lambda a: a.gaussian(a.std.sqrt())),),
        ),
        Mistake(
            "variance-as-std",
            "you put the variance in the place of the std.",
            "torch's Normal(mean, std) takes the std as it is. By hand, std² divides a distance squared already.",
            (
                _log_prob(lambda a: a.gaussian(a.std**2)),
                _log_prob(lambda a: a.log_p + a.square - 0.5 * (a.far / a.std**2) ** 2),
            ),
        ),
        Mistake(
            "std-as-log-std",
            "you take the std for a log std: you put it through exp.",
            "Some networks put out the log of the std, but this input is the std itself.",
            (_log_prob(lambda a: a.gaussian(a.std.exp())),),
        ),
        Mistake(
            "density",
            "you return the density, not its log.",
            "A product of many densities leaves the range of floats, a sum of their logs does not. Take the log.",
            (
                _log_prob(lambda a: a.log_p, lambda each: each.sum(-1).exp()),
                _log_prob(lambda a: a.log_p.exp()),
                _log_prob(lambda a: a.log_p.exp(), lambda each: each),
                _log_prob(lambda a: a.log_p.exp(), lambda each: each.mean(-1)),
            ),
        ),
        Mistake(
            "log-of-summed-densities",
            "you add the densities of the components, and then take the log.",
            "Independent components multiply their densities. So take the log of each, then add the logs.",
            (_log_prob(lambda a: a.log_p.exp(), lambda each: each.sum(-1).log()),),
        ),
        Mistake(
            "log-of-density",
            "your formula is right, but it goes by way of the density, which is 0 in floats far from the mean.",
            "exp(-5000) comes out as 0, and its log is lost. Do not take exp and then log: write the log as it is.",
            (*map(_log_of_density, (0.0, 1e-12, 1e-10, 1e-8, 1e-7, 1e-6)),),
        ),
        Mistake(
            "sign",
            "you return the negative log-probability.",
            "That is a loss, to be minimised. Here likely actions have the highest value: leave the minus out.",
            (_log_prob(lambda a: -a.log_p),),
        ),
        Mistake(
            "other-base",
            "your logarithm has another base: the result is not in nats.",
            "log is the natural one, torch.log: PPO's ratio, exp(log_prob - old_log_prob), counts on it.",
            (
                _log_prob(lambda a: a.log_p / math.log(2)),
                _log_prob(lambda a: a.log_p / math.log(10)),
                _log_prob(lambda a: -a.square + (a.log_p + a.square) / math.log(2)),
                _log_prob(lambda a: -a.square + (a.log_p + a.square) / math.log(10)),
            ),
        ),
        Mistake(
            "cumulative",
            "you take the probability of all smaller actions (cdf).",
            "A single action has a density: the height of the bell above it, not the area to the left of it.",
            (
                lambda mean, std, action: _cdf(mean, std, action).log().sum(-1),
                lambda mean, std, action: _cdf(mean, std, action).prod(-1),
            ),
        ),
        *_joins(lambda join: _log_prob(join=join), "log-probability"),
    ),
    hints=(
        "The components are independent. What happens to their densities, and what to the logs of these?",
        "The density of one component is exp(-z²/2) / (std · √(2π)), with z = (action - mean) / std. Take its log by "
        "hand: which three terms are there?",
        "`-0.5 * ((action - mean) / std) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)` is [batch, actions]; sum it "
        "over the last dimension.",
    ),
    draw=_draw_actions,
)

# Exercise 2 -----------------------------------------------------------------------------------------------------------


def gaussian_entropy(std: torch.Tensor) -> torch.Tensor:
    """Entropy of actions whose components are independent Gaussians: minus the mean of their log-probability.

    Args:
        std: Standard deviations of the components, all above 0 [batch, actions].

    Returns:
        Entropy of each whole action, in nats [batch].
    """
    log_area = 0.5 * (2 * torch.pi * std**2).log()  # -log_prob is z²/2 + log_area
    return (0.5 + log_area).sum(-1)  # z² is 1 on average; independent: entropies add


def _entropy(each: Callable[[torch.Tensor], torch.Tensor], join: Join = _sum) -> Answer:
    return lambda std: join(each(std))


def _h(std: torch.Tensor) -> torch.Tensor:
    return std.log() + 0.5 + LOG_SQRT_2PI


def _draw_stds(generator: torch.Generator) -> Case:
    return Case("random stds", (0.05 + 3 * torch.rand(4, 3, generator=generator),), rtol=1e-3)


GAUSSIAN_ENTROPY = Exercise(
    name="gaussian_entropy",
    reference=gaussian_entropy,
    outputs=("entropy",),
    cases=(
        Case("a std of 1", (_t([[1.0]]),)),
        Case("a std of 2", (_t([[2.0]]),)),
        Case("an action of two components", (_t([[1.0, 2.0]]),)),
        Case("a small std, whose entropy is negative", (_t([[0.1]]),)),
        Case("three robots", (_t([[1.0, 2.0], [0.5, 1.0], [0.1, 4.0]]),)),
    ),
    mistakes=(
        Mistake(
            "half-missing",
            "you leave out a ½: yours is minus the log-probability of the mean.",
            "Actions scatter about the mean, and z²/2 is ½ on average: add ½ for each component.",
            (_entropy(lambda std: _h(std) - 0.5),),
        ),
        Mistake(
            "constant-missing",
            "your entropy leaves out the constant ½ log 2π.",
            "Entropy is minus the mean log-probability, and each component's log-probability has a -½ log 2π.",
            (_entropy(lambda std: std.log() + 0.5),),
        ),
        Mistake(
            "log-std-only",
            "you return the log of the std alone.",
            "It has the right gradient, but not the right value: add ½ + ½ log 2π, about 1.419, for each component.",
            (_entropy(lambda std: std.log()),),
        ),
        Mistake(
            "constant-not-halved",
            "your constant is log 2π: twice what it should be.",
            "The density is divided by √(2π), and the log of a root is half the log: ½ log 2π, about 0.919.",
            (_entropy(lambda std: _h(std) + LOG_SQRT_2PI),),
        ),
        Mistake(
            "constant-once",
            "you add a constant once for the whole action, not once for each component.",
            "Each component is a Gaussian of its own: log std + ½ + ½ log 2π. Complete it, then sum.",
            (
                _entropy(lambda std: std.log(), lambda each: each.sum(-1) + 0.5 + LOG_SQRT_2PI),
                _entropy(lambda std: std.log() + 0.5, lambda each: each.sum(-1) + LOG_SQRT_2PI),
                _entropy(lambda std: std.log() + LOG_SQRT_2PI, lambda each: each.sum(-1) + 0.5),
            ),
        ),
        Mistake(
            "not-halved",
            "your entropy is twice what it should be: it looks like log(2πe · std²).",
            "The root of the variance is the std, and the log of a root is half: ½ log(2πe · std²).",
            (_entropy(lambda std: 2 * _h(std)),),
        ),
        Mistake(
            "std-as-variance",
            "you take the std for the variance: only half of its log arrives.",
            "½ log(2πe · variance), and the variance is std². Or log std, in full.",
            (_entropy(lambda std: _h(std.sqrt())),),
        ),
        Mistake(
            "variance-as-std",
            "you put the variance in the place of the std: its log counts twice.",
            "Normal(mean, std) of torch takes the std as it is; by hand it is log std, or ½ log std².",
            (_entropy(lambda std: _h(std**2)),),
        ),
        Mistake(
            "std-not-logged",
            "you add the std itself, not its log.",
            "The input is a std, not a log std. Twice the std is log 2 = 0.69 nats more, from wherever you start.",
            (_entropy(lambda std: _h(std.exp())),),
        ),
        Mistake(
            "log-std-sign",
            "your entropy falls where the std grows.",
            "A wider Gaussian is less certain: log std counts positive.",
            (_entropy(lambda std: _h(1 / std)),),
        ),
        Mistake(
            "sign",
            "you return minus the entropy.",
            "Entropy is minus the mean log-probability. In PPO's loss it gets its minus sign later.",
            (_entropy(lambda std: -_h(std)),),
        ),
        Mistake(
            "never-negative",
            "your entropy never falls below 0.",
            "That is so for dice, not for densities: a Gaussian with a std below 0.24 has negative entropy. Let it.",
            (
                _entropy(lambda std: _h(std).clamp(min=0)),
                _entropy(_h, lambda each: each.sum(-1).clamp(min=0)),
                _entropy(lambda std: _h(std).abs()),
                _entropy(_h, lambda each: each.sum(-1).abs()),
            ),
        ),
        Mistake(
            "log-std-absolute",
            "a std below 1 raises your entropy: you take the absolute value of its log.",
            "log std is negative below 1, and should be: a narrow Gaussian is more certain.",
            (_entropy(lambda std: _h(std) - std.log() + std.log().abs()),),
        ),
        Mistake(
            "bits",
            "your logarithm has another base: the result is not in nats.",
            "log means the natural one here, torch.log; log2 gives bits, which are 0.69 nats each.",
            (
                _entropy(lambda std: _h(std) / math.log(2)),
                _entropy(lambda std: _h(std) / math.log(10)),
                _entropy(lambda std: _h(std) - std.log() + std.log2()),
                _entropy(lambda std: _h(std) - std.log() + std.log10()),
                _entropy(lambda std: 0.5 + (_h(std) - 0.5) / math.log(2)),
            ),
        ),
        Mistake(
            "one-point",
            "you take -p · log p at one point, the mean.",
            "Entropy is the mean of -log p over all actions. For a Gaussian that integral is log std + ½ + ½ log 2π.",
            (_entropy(lambda std: (0.5 - _h(std)).exp() * (_h(std) - 0.5)),),
        ),
        Mistake(
            "log-of-sum",
            "you add the stds or variances of the components, and then take one log.",
            "That is no sum of entropies. Take the log of each std first, then sum over the components.",
            (
                _entropy(lambda std: std, lambda each: _h(each.sum(-1))),
                _entropy(lambda std: std**2, lambda each: _h(each.sum(-1).sqrt())),
                _entropy(lambda std: std, lambda each: _h(each.mean(-1))),
                _entropy(lambda std: std, lambda each: _h(each.mean(-1)) * each.shape[-1]),
                _entropy(lambda std: std, lambda each: each.sum(-1).log() + each.shape[-1] * (0.5 + LOG_SQRT_2PI)),
            ),
        ),
        *_joins(lambda join: _entropy(_h, join), "entropy"),
    ),
    hints=(
        "Entropy is the average of -log p. Which part of -log p depends on the action, and how large is it on average?",
        "-log p = z²/2 + log std + ½ log 2π, with z = (action - mean) / std. The average of z² is 1, whatever the std.",
        "`std.log() + 0.5 + 0.5 * math.log(2 * math.pi)` is [batch, actions], one entropy for each component; sum it "
        "over the last dimension.",
    ),
    draw=_draw_stds,
)

# Exercise 3 -----------------------------------------------------------------------------------------------------------


def gaussian_kl(old_mean: torch.Tensor, old_std: torch.Tensor, mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    """KL(old ‖ new): by how much the log-probability of the old policy's own actions fell, on average.

    Both policies have independent Gaussian components, with means and standard deviations [batch, actions].
    Returns the KL of each whole action, in nats [batch].
    """
    log_ratio = (std / old_std).log()
    square = (old_std**2 + (mean - old_mean) ** 2) / std**2  # mean of z² under the new policy; under the old one: 1
    return (log_ratio + 0.5 * square - 0.5).sum(-1)  # independent: KLs add


class _Policies:
    """The quantities of the KL, under short names, for writing its mistakes in a line each."""

    def __init__(self, old_mean: torch.Tensor, old_std: torch.Tensor, mean: torch.Tensor, std: torch.Tensor) -> None:
        self.old, self.new = old_std, std
        self.far = mean - old_mean
        self.log = (std / old_std).log()
        self.ratio, self.shift = (old_std / std) ** 2, (self.far / std) ** 2
        self.kl = self.with_quotient(self.ratio + self.shift)

    def with_quotient(self, quotient: torch.Tensor) -> torch.Tensor:
        """The KL with another quotient, whose half counts."""
        return self.log + 0.5 * quotient - 0.5

    @property
    def reversed(self) -> torch.Tensor:
        """KL(new ‖ old)."""
        return -self.log + 0.5 * (self.new**2 + self.far**2) / self.old**2 - 0.5


def _kl(each: Callable[[_Policies], torch.Tensor] = lambda p: p.kl, join: Join = _sum) -> Answer:
    return lambda old_mean, old_std, mean, std: join(each(_Policies(old_mean, old_std, mean, std)))


def _eps_in_log(eps: float) -> Answer:
    return _kl(lambda p: p.kl - p.log + (p.new / p.old + eps).log())


def _draw_policies(generator: torch.Generator) -> Case:
    old_mean, mean = torch.randn(2, 4, 3, generator=generator)
    old_std, std = 0.3 + 2 * torch.rand(2, 4, 3, generator=generator)
    return Case("random policies", (old_mean, old_std, mean, std), rtol=1e-3)


GAUSSIAN_KL = Exercise(
    name="gaussian_kl",
    reference=gaussian_kl,
    outputs=("kl",),
    cases=(
        Case("two equal policies", (_t([[3.0, 0.0]]), _t([[1.0, 2.0]]), _t([[3.0, 0.0]]), _t([[1.0, 2.0]]))),
        Case("a mean that moved", (_t([[0.0]]), _t([[1.0]]), _t([[2.0]]), _t([[1.0]]))),
        Case("a std that doubled", (_t([[0.0]]), _t([[1.0]]), _t([[0.0]]), _t([[2.0]]))),
        Case(
            "two components that both moved",
            (_t([[0.0, 1.0]]), _t([[1.0, 2.0]]), _t([[2.0, 0.0]]), _t([[2.0, 1.0]])),
        ),
        Case(
            "three robots",
            (
                _t([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]]),
                _t([[1.0, 2.0], [0.5, 1.0], [4.0, 1.0]]),
                _t([[1.0, 1.0], [2.0, 3.0], [0.0, 3.0]]),
                _t([[1.0, 4.0], [1.0, 1.0], [2.0, 0.5]]),
            ),
        ),
    ),
    mistakes=(
        Mistake(
            "reversed",
            "yours is KL(new ‖ old): the policies are swapped.",
            "The actions in the batch come from the old policy, so the mean is over its actions: KL(old ‖ new). "
            "Divide by the new variance.",
            (_kl(lambda p: p.reversed),),
        ),
        Mistake(
            "symmetrised",
            "you take both directions together, KL(old ‖ new) and KL(new ‖ old).",
            "Only one of them is meant: KL(old ‖ new), because the actions come from the old policy.",
            (_kl(lambda p: p.kl + p.reversed), _kl(lambda p: 0.5 * (p.kl + p.reversed))),
        ),
        Mistake(
            "minus-half-missing",
            "you leave out the -½.",
            "Two equal policies have KL 0: there log(1) + ½ - ½ = 0, for each component. Does yours give that?",
            (_kl(lambda p: p.kl + 0.5),),
        ),
        Mistake(
            "minus-half-once",
            "you subtract ½ once for the whole action, not once for each component.",
            "Each component of two equal policies has KL 0: subtract ½ before you sum.",
            (_kl(lambda p: p.kl + 0.5, lambda each: each.sum(-1) - 0.5),),
        ),
        Mistake(
            "half-sign",
            "you add ½ where you should subtract it.",
            "Two equal policies have KL 0: log(1) + ½ - ½ = 0.",
            (_kl(lambda p: p.kl + 1),),
        ),
        Mistake(
            "minus-one",
            "you subtract 1, not ½.",
            "Either log + ½ · quotient - ½, or log + ½ · (quotient - 1): the ½ and the 1 do not go together.",
            (_kl(lambda p: p.kl - 0.5),),
        ),
        Mistake(
            "log-ratio-inverted",
            "the fraction in your logarithm is upside down.",
            "It is log(std / old_std): a wider new policy gives the old actions less density.",
            (_kl(lambda p: p.kl - 2 * p.log),),
        ),
        Mistake(
            "log-ratio-missing",
            "your KL leaves out the logarithm of the two stds.",
            "Log-probabilities have a -log std each; their difference is log(std / old_std).",
            (_kl(lambda p: p.kl - p.log),),
        ),
        Mistake(
            "log-ratio-twice",
            "your logarithm counts twice: it looks like log(std² / old_std²).",
            "Take log(std / old_std); of variances it would be half of the log.",
            (_kl(lambda p: p.kl + p.log),),
        ),
        Mistake(
            "log-ratio-halved",
            "only half of your logarithm arrives.",
            "Inside ½ · (…) it is the log of variances, log(std² / old_std²); alone it is log(std / old_std), in full.",
            (_kl(lambda p: p.kl - 0.5 * p.log),),
        ),
        Mistake(
            "log-ratio-absolute",
            "you take the absolute value of the logarithm.",
            "log(std / old_std) is negative where the policy narrows; the sum of all terms is what is never negative.",
            (_kl(lambda p: p.kl - p.log + p.log.abs()), _kl(lambda p: p.kl - p.log + p.log.clamp(min=0))),
        ),
        Mistake(
            "std-as-variance",
            "you use stds where variances belong: a square is missing.",
            "The quotient is (old_std² + (mean - old_mean)²) / (2 std²): both stds are squared.",
            (
                _kl(lambda p: p.with_quotient((p.old + p.far**2) / p.new)),
                _kl(lambda p: 0.5 * (p.log + (p.old + p.far**2) / p.new - 1)),
                _kl(lambda p: p.with_quotient((p.old + p.far**2) / p.new**2)),
                _kl(lambda p: p.with_quotient((p.old**2 + p.far**2) / p.new)),
                _kl(lambda p: p.with_quotient(p.old / p.new + p.shift)),
                _kl(lambda p: p.with_quotient(p.ratio + p.far**2 / p.new)),
            ),
        ),
        Mistake(
            "variance-as-std",
            "you put variances in the place of stds.",
            "The inputs are stds, as Normal(mean, std) of torch takes them: square them once, in the quotient.",
            (
                _kl(lambda p: 2 * p.log + 0.5 * (p.old**4 + p.far**2) / p.new**4 - 0.5),
                _kl(lambda p: p.with_quotient((p.old**4 + p.far**2) / p.new**4)),
            ),
        ),
        Mistake(
            "distance-not-squared",
            "the distance of the means is not squared.",
            "It is (mean - old_mean)², whichever way the mean moved.",
            (
                _kl(lambda p: p.with_quotient(p.ratio + p.far / p.new**2)),
                _kl(lambda p: p.with_quotient(p.ratio - p.far / p.new**2)),
                _kl(lambda p: p.with_quotient(p.ratio + p.far.abs() / p.new**2)),
                _kl(lambda p: p.with_quotient(p.ratio + (p.far / p.new).abs())),
            ),
        ),
        Mistake(
            "distance-missing",
            "your KL does not see that the mean moved.",
            "Add (mean - old_mean)² to old_std² above the fraction line.",
            (_kl(lambda p: p.with_quotient(p.ratio)),),
        ),
        Mistake(
            "distance-not-divided",
            "the distance of the means is not divided by the new variance.",
            "A shift counts in stds of the new policy: the brackets are round both, (old_std² + distance²) / (2 std²).",
            (
                _kl(lambda p: p.with_quotient(p.ratio + p.far**2)),
                _kl(lambda p: p.with_quotient(p.ratio + 2 * p.far**2)),
            ),
        ),
        Mistake(
            "old-variance",
            "you divide by the old variance.",
            "The actions come from the old policy, but the new one judges them: divide by 2 std² of the new policy.",
            (
                _kl(lambda p: p.with_quotient((p.old**2 + p.far**2) / p.old**2)),
                _kl(lambda p: p.with_quotient((p.new**2 + p.far**2) / p.old**2)),
                _kl(lambda p: p.with_quotient(p.ratio + (p.far / p.old) ** 2)),
            ),
        ),
        Mistake(
            "quotient-not-halved",
            "your quotient has lost its ½.",
            "It is log(std / old_std) + (old_std² + distance²) / (2 std²) - ½: mind the 2 below the fraction line.",
            (
                _kl(lambda p: p.kl + 0.5 * (p.ratio + p.shift)),
                _kl(lambda p: p.kl + 0.5 * p.ratio),
                _kl(lambda p: p.kl + 0.5 * p.shift),
            ),
        ),
        Mistake(
            "doubled",
            "your KL is twice what it should be: a ½ before all of it is missing.",
            "½ · (log(std² / old_std²) + (old_std² + distance²) / std² - 1).",
            (_kl(lambda p: 2 * p.kl),),
        ),
        Mistake(
            "means-only",
            "your KL looks only at the means.",
            "The std is part of the policy: a policy that narrows moves too, and its KL says so.",
            (
                _kl(lambda p: 0.5 * p.shift),
                _kl(lambda p: p.shift),
                _kl(lambda p: p.far**2),
                _kl(lambda p: 0.5 * p.far**2),
            ),
        ),
        Mistake(
            "one-action",
            "you compare the log-probabilities of a single action, the old mean.",
            "KL is the mean over all actions that the old policy takes; their scatter adds ½ · (old_std² / std² - 1).",
            (_kl(lambda p: p.log + 0.5 * p.shift),),
        ),
        Mistake(
            "entropy-difference",
            "you take the difference of the two entropies.",
            "Policies of the same entropy can want different things: the quotient, with the means in it, is missing.",
            (_kl(lambda p: p.log), _kl(lambda p: -p.log), _kl(lambda p: p.log.abs())),
        ),
        Mistake(
            "sign",
            "you return minus the KL.",
            "A KL is never negative: it is 0 for equal policies, and positive otherwise.",
            (_kl(lambda p: -p.kl),),
        ),
        Mistake(
            "bits",
            "your logarithm has another base: the result is not in nats.",
            "log means the natural one here, torch.log; desired_kl of rsl_rl is in nats, too.",
            (
                _kl(lambda p: p.kl / math.log(2)),
                _kl(lambda p: p.kl - p.log + p.log / math.log(2)),
                _kl(lambda p: p.kl - p.log + p.log / math.log(10)),
            ),
        ),
        Mistake(
            "eps-in-log",
            "your KL of two equal policies is not 0: you add a small number inside the logarithm.",
            "A std is above 0 already, and the rule for the learning rate asks whether the KL is 0: leave it out.",
            tuple(map(_eps_in_log, (1e-5, 1e-4, 1e-3))),
        ),
        *_joins(lambda join: _kl(join=join), "KL"),
    ),
    hints=(
        "Average log p_old - log p_new over the actions of the old policy. What must come out for two equal policies?",
        "Each log-probability is -z²/2 - log std, and a constant. For actions of the old policy, the mean of (action - "
        "old_mean)² is old_std². What is the mean of (action - mean)²?",
        "`(std / old_std).log() + (old_std**2 + (mean - old_mean) ** 2) / (2 * std**2) - 0.5` is [batch, actions]; sum "
        "it over the last dimension.",
    ),
    draw=_draw_policies,
)

# Exercise 4 -----------------------------------------------------------------------------------------------------------


def adaptive_learning_rate(rate: float, kl: float, desired_kl: float) -> float:
    """Learning rate of the next update, as rsl_rl sets it from the KL(old ‖ new) of the policy so far.

    A KL above twice the desired one divides the rate by 1.5, down to 1e-5 at least. A KL above 0 and below half the
    desired one multiplies it by 1.5, up to 1e-2 at most. Otherwise the rate stays as it is.
    """
    if kl > 2 * desired_kl:  # the policy moved too far
        return max(1e-5, rate / 1.5)
    if 0 < kl < desired_kl / 2:  # it hardly moved; a KL of 0 says only that no update has been done yet
        return min(1e-2, rate * 1.5)
    return rate


Change = Callable[[float], Any]


def _lower(rate: float) -> float:
    return max(1e-5, rate / 1.5)


def _raise(rate: float) -> float:
    return min(1e-2, rate * 1.5)


def _stay(rate: float) -> float:
    return rate


def _rule(
    high: Change = _lower,
    low: Change = _raise,
    between: Change = _stay,
    zero: Change = _stay,
    above: float = 2.0,
    below: float = 0.5,
) -> Answer:
    """The rule with some of its parts replaced: what it does to the rate, and its thresholds in desired KLs."""

    def answer(rate: float, kl: float, desired_kl: float) -> Any:
        if kl > above * desired_kl:
            return high(rate)
        if kl <= 0:
            return zero(rate)
        return low(rate) if kl < below * desired_kl else between(rate)

    return answer


def _all(change: Callable[[Change], Change]) -> Answer:
    """The rule with each of its changes changed."""
    return _rule(change(_lower), change(_raise), change(_stay), change(_stay))


def _proportional(power: float, guarded: bool, limited: bool) -> Answer:
    def answer(rate: float, kl: float, desired_kl: float) -> float:
        if guarded and kl <= 0:
            return rate
        new: float = rate * (desired_kl / kl) ** power
        return min(1e-2, max(1e-5, new)) if limited else new

    return answer


def _factors(down: float, up: float) -> Answer:
    return _rule(lambda rate: max(1e-5, rate / down), lambda rate: min(1e-2, rate * up))


def _case(about: str, rate: float, kl: float, desired_kl: float) -> Case:
    return Case(about, (rate, kl, desired_kl), atol=1e-9)  # the lower limit is 1e-5


def _draw_rates(generator: torch.Generator) -> Case:
    where, above, some = torch.rand(3, generator=generator).tolist()
    desired = 0.002 + 0.05 * above
    kl = desired * 6 ** (2 * some - 1) if some > 0.1 else 0.0
    return _case("random rates", 1e-5 * 1000**where, kl, desired)


ADAPTIVE_LEARNING_RATE = Exercise(
    name="adaptive_learning_rate",
    reference=adaptive_learning_rate,
    outputs=("rate",),
    cases=(
        _case("a KL far above the desired one", 0.003, 0.05, 0.01),
        _case("a KL far below the desired one", 0.002, 0.001, 0.01),
        _case("a KL a little above the desired one", 0.001, 0.012, 0.01),
        _case("a KL a little below the desired one", 0.001, 0.008, 0.01),
        _case("a KL of almost twice the desired one", 0.001, 0.018, 0.01),
        _case("a KL just above half the desired one", 0.001, 0.006, 0.01),
        _case("another desired KL", 0.001, 0.03, 0.05),
        _case("a KL of 0, as before the first update", 0.001, 0.0, 0.01),
        _case("a rate near the lower limit", 1.2e-5, 0.05, 0.01),
        _case("a rate near the upper limit", 0.008, 0.001, 0.01),
        _case("a rate that somebody set beyond the limits, and a KL near the desired one", 0.02, 0.01, 0.01),
    ),
    mistakes=(
        Mistake(
            "swapped",
            "you raise the rate where it should fall, and lower it where it should rise.",
            "A KL above the desired one says that the policy moves too far: take smaller steps, divide by 1.5.",
            (
                _rule(high=_raise, low=_lower),
                _rule(high=_raise, low=_lower, zero=_lower),
                _rule(high=lambda rate: rate * 1.5, low=lambda rate: rate / 1.5),
                _rule(high=lambda rate: max(1e-5, rate * 1.5), low=lambda rate: min(1e-2, rate / 1.5)),
            ),
        ),
        Mistake(
            "other-factor",
            "your rate changes by another factor than 1.5.",
            "Divide by 1.5 and multiply by 1.5. The 2 belongs to the thresholds, 2 · desired_kl and desired_kl / 2.",
            (
                *(_factors(factor, factor) for factor in (2, 1.1, 1.2, 1.25, 3, 10)),
                *(_factors(*both) for both in ((1.5, 2), (2, 1.5), (1.5, 1.2), (1.5, 1.25), (1 / 0.75, 1.5))),
                _rule(high=lambda rate: rate / 2, low=lambda rate: rate * 2),
            ),
        ),
        Mistake(
            "limits-missing",
            "your rate has no limits.",
            "Where it falls, stop at 1e-5: max(1e-5, …). Where it rises, stop at 1e-2: min(1e-2, …).",
            (_rule(high=lambda rate: rate / 1.5, low=lambda rate: rate * 1.5),),
        ),
        Mistake(
            "lower-limit-missing",
            "your rate falls without end.",
            "Stop at 1e-5, max(1e-5, rate / 1.5): from a rate of next to nothing, no learning leads back.",
            (_rule(high=lambda rate: rate / 1.5), _rule(high=lambda rate: max(1e-6, rate / 1.5))),
        ),
        Mistake(
            "upper-limit-missing",
            "your rate rises without end.",
            "Stop at 1e-2: min(1e-2, rate * 1.5).",
            (_rule(low=lambda rate: rate * 1.5), _rule(low=lambda rate: min(1e-1, rate * 1.5))),
        ),
        Mistake(
            "min-and-max-swapped",
            "your limits set the rate: min and max are swapped.",
            "max(1e-5, …) keeps a rate from falling below 1e-5; min(1e-5, …) pushes every rate down to it.",
            (
                _rule(lambda rate: min(1e-5, rate / 1.5), lambda rate: max(1e-2, rate * 1.5)),
                _rule(high=lambda rate: min(1e-5, rate / 1.5)),
                _rule(low=lambda rate: max(1e-2, rate * 1.5)),
                _rule(lambda rate: max(1e-2, rate / 1.5), lambda rate: min(1e-5, rate * 1.5)),
                _all(lambda change: lambda rate: max(1e-2, min(1e-5, change(rate)))),
                _all(lambda change: lambda rate: min(1e-5, max(1e-2, change(rate)))),
            ),
        ),
        Mistake(
            "limits-always",
            "your limits also move a rate whose KL is near the desired one.",
            "Only a rate that the rule has just changed is limited. Any other stays as it is, even beyond the limits.",
            (_all(lambda change: lambda rate: min(1e-2, max(1e-5, change(rate)))),),
        ),
        Mistake(
            "threshold-at-desired",
            "your rate changes as soon as the KL is a little off the desired one.",
            "The KL of a mini-batch is noisy: act only above twice or below half the desired one, and rest between.",
            (_rule(above=1, below=1), _rule(above=1), _rule(below=1), _rule(above=1, below=1, zero=_raise)),
        ),
        Mistake(
            "factor-as-threshold",
            "your thresholds are 1.5 times the desired KL and the desired KL / 1.5.",
            "1.5 is the factor of the rate. The thresholds are twice and half the desired KL.",
            (_rule(above=1.5, below=1 / 1.5), _rule(above=1.5), _rule(below=1 / 1.5)),
        ),
        Mistake(
            "desired-ignored",
            "your thresholds do not follow desired_kl.",
            "They are 2 · desired_kl and desired_kl / 2; 0.01 is only rsl_rl's default of it.",
            (lambda rate, kl, desired_kl: adaptive_learning_rate(rate, kl, 0.01),),
        ),
        Mistake(
            "zero-raises",
            "a KL of 0 raises your rate.",
            "Before the first update both policies are the same, and the KL of 0 tells nothing: ask for 0 < kl too.",
            (
                _rule(zero=_raise),
                _rule(zero=lambda rate: rate * 1.5, high=lambda rate: rate / 1.5, low=lambda rate: rate * 1.5),
            ),
        ),
        Mistake(
            "never-rests",
            "your rate changes at every update, also when the KL is near the desired one.",
            "There are three cases: above 2 · desired_kl, below desired_kl / 2, and between them, where it rests.",
            (
                _rule(between=_lower, zero=_raise),
                _rule(between=_raise),
                _rule(between=_raise, zero=_raise),
                _rule(between=_lower),
                _rule(between=_lower, zero=_lower),
            ),
        ),
        Mistake(
            "never-changes",
            "your rate always stays as it is.",
            "Is what you compute returned? rate / 1.5 alone changes nothing; and only one change may apply.",
            (
                _all(lambda change: _stay),
                _rule(lambda rate: _raise(_lower(rate)), lambda rate: _raise(_lower(rate))),
                _all(lambda change: lambda rate: _raise(_lower(rate))),
            ),
        ),
        Mistake(
            "only-lowers",
            "your rate never rises.",
            "A KL below half the desired one, but above 0, says that larger steps are safe: multiply by 1.5.",
            (_rule(low=_stay),),
        ),
        Mistake(
            "only-raises",
            "your rate never falls.",
            "A KL above twice the desired one says that the policy moves too far: divide by 1.5.",
            (_rule(high=_stay),),
        ),
        Mistake(
            "proportional",
            "your rate changes in proportion to desired_kl / kl.",
            "One noisy KL would throw the rate far off. The rule takes small fixed steps: 1.5 down, 1.5 up, or none.",
            tuple(
                _proportional(power, guarded, limited)
                for power in (1.0, 0.5)
                for guarded in (True, False)
                for limited in (True, False)
            ),
        ),
        Mistake(
            "rounded",
            "your rate is rounded to a whole number.",
            "Rates are far below 1: divide with / (// rounds down), and leave out int() and round().",
            (
                _all(lambda change: lambda rate: int(change(rate))),
                _rule(high=lambda rate: rate // 1.5),
                _rule(high=lambda rate: max(1e-5, rate // 1.5)),
            ),
        ),
        Mistake(
            "returns-factor",
            "you return the factor, not the rate.",
            "The next update needs the rate itself: multiply or divide it, and return the result.",
            (
                _rule(lambda rate: 1 / 1.5, lambda rate: 1.5, lambda rate: 1.0, lambda rate: 1.0),
                _rule(lambda rate: 1.5, lambda rate: 1.5, lambda rate: 1.0, lambda rate: 1.0),
            ),
        ),
        Mistake(
            "returns-change",
            "you return by how much the rate changes, not the new rate.",
            "The next update needs the rate itself: return it, changed or not.",
            (_all(lambda change: lambda rate: change(rate) - rate),),
        ),
    ),
    hints=(
        "The KL says how far the last updates moved the policy. Which of three things should happen to the step size?",
        "Three cases: above twice the desired KL, above 0 and below half of it, and the rest. The factor is 1.5; each "
        "change has one limit that it could cross.",
        "`if kl > 2 * desired_kl:` return `max(1e-5, rate / 1.5)`; `if 0 < kl < desired_kl / 2:` return the same with "
        "`min`, 1e-2 and `*`; otherwise `rate`.",
    ),
    draw=_draw_rates,
)

EXERCISES = (GAUSSIAN_LOG_PROB, GAUSSIAN_ENTROPY, GAUSSIAN_KL, ADAPTIVE_LEARNING_RATE)
