"""Exercise ``gaussian_log_prob``: find the log-probability of a Gaussian action."""

import math

import torch

from ..exercise import Case, Exercise, Mistake
from .gaussian_actions import constant_mistakes, joining_mistakes


def gaussian_log_prob(mean: torch.Tensor, std: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
    """Compute the log-probability of actions whose components are independent Gaussians.

    Args:
        mean: Means of the components [batch, actions].
        std: Standard deviations of the components, all above 0 [batch, actions].
        action: The actions that were taken [batch, actions].

    Returns:
        Log of the density of each complete action, in nats [batch].
    """
    z = (action - mean) / std  # distance from the mean, in stds
    each = -0.5 * z**2 - std.log() - 0.5 * math.log(2 * math.pi)  # [batch, actions]
    return each.sum(-1)  # independent, so densities multiply and logs add


def _draw(generator: torch.Generator) -> Case:
    mean, action = 2 * torch.randn(2, 4, 3, generator=generator)
    std = 0.2 + 2 * torch.rand(4, 3, generator=generator)
    return Case("random actions", (mean, std, action), rtol=1e-3)


CASES = (
    Case.of("an action at the mean", [[0.0]], [[1.0]], [[0.0]]),
    Case.of("an action two stds from the mean", [[1.0]], [[2.0]], [[5.0]]),
    Case.of("an action with two components", [[0.0, 1.0]], [[1.0, 2.0]], [[2.0, 0.0]]),
    Case.of(
        "three actions with two components each",
        [[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]],
        [[1.0, 2.0], [0.5, 1.0], [1.0, 0.25]],
        [[1.0, 1.0], [2.0, 3.0], [0.0, 1.5]],
    ),
    Case.of(
        "two actions with four components each",
        [[-1.5, 0.3, 2.0, -0.7], [0.4, -2.2, 1.1, -0.6]],
        [[0.3, 1.7, 0.6, 2.6], [1.2, 0.8, 0.45, 3.4]],
        [[-1.9, 2.5, 1.3, -3.1], [-0.5, -1.4, 1.6, 4.2]],
    ),
    Case.of("a std of 0.001", [[0.5]], [[0.001]], [[0.502]]),
    Case.of("an action 100 stds from the mean, whose density rounds to 0", [[0.0]], [[0.01]], [[1.0]]),
)


_LOG_2PI = "0.5 * math.log(2 * math.pi)"
_EACH = f"-0.5 * z**2 - std.log() - {_LOG_2PI}"


MISTAKES = {
    "constant-missing": Mistake(
        "you leave out the constant, which is ½ log 2π for each component.",
        "Without the constant, the area under the density is √(2π) = 2.51, not 1. Subtract ½ log 2π, about 0.919.",
        {f" - {_LOG_2PI}": ""},
    ),
    "log-std-missing": Mistake(
        "you leave out the log of the std.",
        "A wide Gaussian is also low, because its density is divided by the std: subtract log std.",
        {" - std.log()": ""},
    ),
    "distance-not-halved": Mistake(
        "you leave out the factor ½ of the squared distance.",
        "The exponent of a Gaussian is -z²/2, with z = (action - mean) / std.",
        {"-0.5 *": "-1.0 *"},
    ),
    **joining_mistakes("log-probability"),
    "sign": Mistake(
        "you return the negative log-probability.",
        "A negative log-probability is a loss, to be minimized. Here, likely actions must have the highest value: "
        "leave out the minus sign.",
        {"return ": "return -"},
    ),
    "constant-once": Mistake(
        "you subtract the constant once for the complete action, not once for each component.",
        "Each component is a separate Gaussian with its own ½ log 2π: subtract it before you sum.",
        {"2 * math.pi)": "2 * math.pi) / std.shape[-1]"},
    ),
    **constant_mistakes(),
    "constant-sign": Mistake(
        "you add the constant ½ log 2π.",
        "The density is divided by √(2π), and the log of √(2π) is ½ log 2π: subtract it.",
        {f"- {_LOG_2PI}": f"+ {_LOG_2PI}"},
    ),
    "log-std-halved": Mistake(
        "you subtract only half the log of the std.",
        "The ½ belongs to the log of the variance: ½ log std² equals log std without the ½.",
        {"std.log": "0.5 * std.log"},
    ),
    "log-std-twice": Mistake(
        "you subtract the log of the std twice, which is log std².",
        "Use log std or ½ log std²: the density is divided by the std, not by the variance.",
        {"std.log": "2 * std.log"},
    ),
    "log-std-sign": Mistake(
        "you add the log of the std.",
        "The wider a Gaussian is, the lower it is: its density is divided by the std, so subtract log std.",
        {"- std.log": "+ std.log"},
    ),
    "std-not-logged": Mistake(
        "you subtract the std itself, not its log.",
        "The input is the std, not the log std: take its log.",
        {"std.log()": "std"},
    ),
    "std-as-variance": Mistake(
        "you treat the std as a variance.",
        "The input is the std, which has the unit of the action, and its square is the variance. Do not take the root "
        "of the std.",
        {") / std": ") / std.sqrt()", "std.log": "0.5 * std.log"},
    ),
    "variance-as-std": Mistake(
        "you use the variance instead of the std.",
        "torch's Normal(mean, std) takes the std itself. In the formula, only the squared distance is divided by std².",
        {") / std": ") / std**2", "std.log": "2 * std.log"},
        {") / std": ") / std**2"},
    ),
    "std-as-log-std": Mistake(
        "you treat the std as a log std and apply exp to it.",
        "Some networks output the log of the std, but this input is the std itself.",
        {") / std": ") / std.exp()", "std.log()": "std"},
        {") / std": ") / std.exp()"},
    ),
    "distance-not-squared": Mistake(
        "you do not square the distance from the mean.",
        "The exponent of a Gaussian is -z²/2, with z = (action - mean) / std.",
        {"z**2": "z"},
        {"z**2": "z.abs()"},
        {"z**2": "(2 * z.abs())"},
        {"z**2": "z.norm(dim=-1, keepdim=True) / z.shape[-1]"},
    ),
    "distance-missing": Mistake(
        "your log-probability does not depend on how far the action is from the mean.",
        "What do you compare the action with? The exponent is -z²/2, with z = (action - mean) / std.",
        {"-0.5 *": "0 *"},
    ),
    "distance-halved-twice": Mistake(
        "your squared distance has the factor ¼, not ½.",
        "(2 · std)² is 4 · std². Write (action - mean)² / (2 · std²), and square only the std.",
        {"-0.5 *": "-0.25 *"},
    ),
    "distance-sign": Mistake(
        "your log-probability is high for actions far from the mean.",
        "The exponent is negative: -z²/2, with z = (action - mean) / std. In (-z)², the minus sign is lost.",
        *({"-0.5 *": f"{factor} *"} for factor in (0.5, 0.25, 1.0)),
    ),
    "distance-not-scaled": Mistake(
        "you do not divide the distance from the mean by the std.",
        "The distance is measured in stds: compute z = (action - mean) / std, and square z.",
        {") / std": ")"},
    ),
    "distance-multiplied": Mistake(
        "you multiply the distance by the std instead of dividing by it.",
        "a / 2 * b divides by 2 but multiplies by b. Put the denominator into brackets: a / (2 * b).",
        {") / std": ") * std"},
        {") / std": ") * std.sqrt()"},
    ),
    "std-not-squared": Mistake(
        "you divide the squared distance by the std, not by the variance.",
        "Square the std too: (action - mean)² / (2 std²). Or divide first, then square.",
        {") / std": ") / std.sqrt()"},
    ),
    "sum-before-square": Mistake(
        "you add up the distances of the components before you square them.",
        "Distances with different signs cancel in a sum. Square each z first, then sum.",
        {"z**2": "z.sum(-1, keepdim=True) ** 2 / z.shape[-1]"},
        {"z**2": "z.mean(-1, keepdim=True) ** 2"},
    ),
    "density": Mistake(
        "you return the density, not its log.",
        "A product of many densities leaves the range of floats, but a sum of their logs does not. Take the log.",
        {"  # independent": ".exp()  # independent"},
        {"    return": "    each = each.exp()\n    return"},
        {_EACH: "-0.5 * z**2", "  # independent": ".exp()  # independent"},
    ),
    "log-of-summed-densities": Mistake(
        "you add the densities of the components, and then take the log.",
        "The densities of independent components multiply. So take the log of each density, then add the logs.",
        *(
            {"    return": "    each = each.exp()\n    return", "  # independent": f".add({tiny}).log()  # independent"}
            for tiny in (0, 1e-8, 1e-6)
        ),
    ),
    "log-of-density": Mistake(
        "you take the log of the density, which rounds to 0 far from the mean.",
        "exp(-5000) rounds to 0, and the log of 0 is not -5000. Do not take exp and then log: compute the log "
        "directly.",
        *(
            {"    return": f"    each = (each.exp() + {tiny}).log()\n    return"}
            for tiny in (0.0, 1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5)
        ),
        *({"return each.sum(-1)": f"return (each.sum(-1).exp() + {tiny}).log()"} for tiny in (0.0, 1e-8, 1e-6)),
        *({"    return": f"    each = each.exp().clamp(min={tiny}).log()\n    return"} for tiny in (1e-10, 1e-8, 1e-6)),
    ),
    "other-base": Mistake(
        "your logarithm has the wrong base, so the result is not in nats.",
        "Use the natural logarithm, torch.log. PPO's probability ratio, exp(log_prob - old_log_prob), requires it.",
        *({"return ": f"return 1 / math.log({base}) * "} for base in (2, 10)),
        *({"std.log": f"std.log{base}", "math.log(": f"math.log{base}("} for base in (2, 10)),
        *({"std.log": f"std.log{base}"} for base in (2, 10)),
    ),
    "cumulative": Mistake(
        "you use the probability of all smaller actions (cdf).",
        "A single action has a density, which is the height of the bell curve, not the area to the left of the action.",
        {_EACH: "(0.5 * (1 + (z / math.sqrt(2)).erf())).log()"},
        {_EACH: "(0.5 * (1 + (z / math.sqrt(2)).erf())).log()", "  # independent": ".exp()  # independent"},
    ),
    "entropy": Mistake(
        "you return the entropy, or minus the entropy, which is an average over all actions.",
        "The action is given: use it in -z²/2, with z = (action - mean) / std.",
        {_EACH: f"0.5 + std.log() + {_LOG_2PI}"},
        {_EACH: f"-0.5 - std.log() - {_LOG_2PI}"},
    ),
    "squared-error": Mistake(
        "you return the squared distance from the mean, without the std and the constant.",
        "The std determines how much a distance counts: -z²/2 - log std - ½ log 2π, with z = (action - mean) / std.",
        *({_EACH: f"{factor} * (action - mean) ** 2"} for factor in (1, -1, -0.5, 0.5)),
    ),
    "tanh": Mistake(
        "you subtract the correction for a tanh, but these actions do not pass through a tanh.",
        "SAC applies a tanh to its actions, but PPO here does not: use only the density of the Gaussian.",
        {"    return": "    each = each - (1 - action.tanh() ** 2 + 1e-6).log()\n    return"},
    ),
    "limited": Mistake(
        "you limit the log-probability or the distance.",
        "An action far from the mean has a very low log-probability, and PPO's probability ratio needs it unchanged.",
        *({"    return": f"    each = each.clamp(min={limit})\n    return"} for limit in (-20, -50, -100)),
        *({"z**2": f"z.clamp(-{limit}, {limit}) ** 2"} for limit in (5, 10)),
    ),
    "number-added": Mistake(
        "you add a number to the std.",
        "Each std is already above 0, and for a small std this number makes the largest difference: leave it out.",
        *({") / std": f") / (std + {tiny})"} for tiny in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)),
        *({") / std": f") / (std + {tiny})", "std.log": f"(std + {tiny}).log"} for tiny in (1e-5, 1e-4, 1e-3, 1e-2)),
        *({"std.log": f"(std + {tiny}).log"} for tiny in (1e-4, 1e-3, 1e-2, 1)),
    ),
}

HINTS = (
    "The components of an action are independent. What does this mean for their densities, and for the logs of the "
    "densities?",
    "The density of one component is exp(−z²/2) / (std · √(2π)), with z = (action − mean) / std. Its log has three "
    "terms, each `[batch, actions]`, and the constant counts once for each component. For example, a mean of 1, a std "
    "of 2 and an action of 5 give z = 2 and the terms −2, −0.693 and −0.919, which sum to −3.612. An action with two "
    "such components gives −7.224, in a result of shape `[1]`.",
    "Start with `z = (action - mean) / std`. Then `-0.5 * z**2 - std.log() - 0.5 * math.log(2 * math.pi)` is "
    "`[batch, actions]`: sum it over the last dimension. (You can also use `torch.pi` for π.)",
)

SHORTCUTS = (
    torch.distributions.Normal.log_prob,
    torch.distributions.MultivariateNormal.log_prob,
    torch.nn.functional.gaussian_nll_loss,
)

EXERCISE = Exercise(gaussian_log_prob, ("log_prob",), CASES, MISTAKES, HINTS, _draw, shortcuts=SHORTCUTS)
