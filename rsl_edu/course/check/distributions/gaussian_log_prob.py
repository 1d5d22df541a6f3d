"""Exercise ``gaussian_log_prob``: find the log-probability of a Gaussian action."""

import math

import torch

from ..exercise import Case, Exercise, Mistake
from .gaussian_actions import constant_mistakes, joining_mistakes


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
    Case.of(
        "two robots of four joints",
        [[-1.5, 0.3, 2.0, -0.7], [0.4, -2.2, 1.1, -0.6]],
        [[0.3, 1.7, 0.6, 2.6], [1.2, 0.8, 0.45, 3.4]],
        [[-1.9, 2.5, 1.3, -3.1], [-0.5, -1.4, 1.6, 4.2]],
    ),
    Case.of("a std of a thousandth", [[0.5]], [[0.001]], [[0.502]]),
    Case.of("an action 100 stds out, whose density is 0 in floats", [[0.0]], [[0.01]], [[1.0]]),
)


_LOG_2PI = "0.5 * math.log(2 * math.pi)"
_EACH = f"-0.5 * z**2 - std.log() - {_LOG_2PI}"


MISTAKES = {
    "constant-missing": Mistake(
        "your log-probability leaves out the constant, ½ log 2π for each component.",
        "Without it the area under the density is √(2π) = 2.51, not 1. Subtract ½ log 2π, about 0.919.",
        {f" - {_LOG_2PI}": ""},
    ),
    "log-std-missing": Mistake(
        "your log-probability leaves out the log of the std.",
        "A wide Gaussian is also a low one: its density is divided by the std, so subtract log std.",
        {" - std.log()": ""},
    ),
    "distance-not-halved": Mistake(
        "the squared distance has lost its factor ½.",
        "The exponent of a Gaussian is -z²/2, with z = (action - mean) / std.",
        {"-0.5 *": "-1.0 *"},
    ),
    **joining_mistakes("log-probability"),
    "sign": Mistake(
        "you return the negative log-probability.",
        "That is a loss, to be minimized. Here likely actions have the highest value: leave the minus out.",
        {"return ": "return -"},
    ),
    "constant-once": Mistake(
        "you subtract the constant once for the whole action, not once for each component.",
        "Each component is a Gaussian of its own, with its own ½ log 2π: subtract it before you sum.",
        {"2 * math.pi)": "2 * math.pi) / std.shape[-1]"},
    ),
    **constant_mistakes(),
    "constant-sign": Mistake(
        "you add the constant ½ log 2π.",
        "The density is divided by √(2π); dividing means that the log is subtracted.",
        {f"- {_LOG_2PI}": f"+ {_LOG_2PI}"},
    ),
    "log-std-halved": Mistake(
        "you subtract only half the log of the std.",
        "The ½ belongs to the log of the variance: ½ log std² is log std, in full.",
        {"std.log": "0.5 * std.log"},
    ),
    "log-std-twice": Mistake(
        "you subtract the log of the std twice, which is log std².",
        "Write log std, or ½ log std²: the density is divided by the std, not by the variance.",
        {"std.log": "2 * std.log"},
    ),
    "log-std-sign": Mistake(
        "you add the log of the std.",
        "The wider, the lower: the density is divided by the std, and its log is subtracted.",
        {"- std.log": "+ std.log"},
    ),
    "std-not-logged": Mistake(
        "you subtract the std itself, not its log.",
        "The input is a std, not a log std: take its log.",
        {"std.log()": "std"},
    ),
    "std-as-variance": Mistake(
        "you take the std for the variance.",
        "The input is the std, in the action's unit: its square is the variance. Do not take its root.",
        {") / std": ") / std.sqrt()", "std.log": "0.5 * std.log"},
    ),
    "variance-as-std": Mistake(
        "you use the variance where the std belongs.",
        "torch's Normal(mean, std) takes the std as it is. By hand, std² divides a distance squared already.",
        {") / std": ") / std**2", "std.log": "2 * std.log"},
        {") / std": ") / std**2"},
    ),
    "std-as-log-std": Mistake(
        "you take the std for a log std: you put it through exp.",
        "Some networks put out the log of the std, but this input is the std itself.",
        {") / std": ") / std.exp()", "std.log()": "std"},
        {") / std": ") / std.exp()"},
    ),
    "distance-not-squared": Mistake(
        "the distance from the mean is not squared.",
        "The exponent of a Gaussian is -z²/2, with z = (action - mean) / std.",
        {"z**2": "z"},
        {"z**2": "z.abs()"},
        {"z**2": "(2 * z.abs())"},
        {"z**2": "z.norm(dim=-1, keepdim=True) / z.shape[-1]"},
    ),
    "distance-missing": Mistake(
        "your log-probability is the same for all actions: it does not see how far they are from the mean.",
        "What is the action compared with? The exponent is -z²/2, with z = (action - mean) / std.",
        {"-0.5 *": "0 *"},
    ),
    "distance-halved-twice": Mistake(
        "the squared distance counts ¼, not ½.",
        "(2 · std)² is 4 · std²: write (action - mean)² / (2 · std²), with the square on the std alone.",
        {"-0.5 *": "-0.25 *"},
    ),
    "distance-sign": Mistake(
        "actions far from the mean get a high log-probability.",
        "The exponent is negative: -z²/2, with z = (action - mean) / std. (-z)² has lost its minus sign.",
        *({"-0.5 *": f"{factor} *"} for factor in (0.5, 0.25, 1.0)),
    ),
    "distance-not-scaled": Mistake(
        "the distance from the mean is not divided by the std.",
        "Far means: many stds away. Take z = (action - mean) / std, and square that.",
        {") / std": ")"},
    ),
    "distance-multiplied": Mistake(
        "you multiply the distance by the std where it should be divided.",
        "a / 2 * b divides by 2, and multiplies by b. Put what is below the line into brackets: a / (2 * b).",
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
        "A product of many densities leaves the range of floats, a sum of their logs does not. Take the log.",
        {"  # independent": ".exp()  # independent"},
        {"    return": "    each = each.exp()\n    return"},
        {_EACH: "-0.5 * z**2", "  # independent": ".exp()  # independent"},
    ),
    "log-of-summed-densities": Mistake(
        "you add the densities of the components, and then take the log.",
        "Independent components multiply their densities. So take the log of each, then add the logs.",
        *(
            {"    return": "    each = each.exp()\n    return", "  # independent": f".add({tiny}).log()  # independent"}
            for tiny in (0, 1e-8, 1e-6)
        ),
    ),
    "log-of-density": Mistake(
        "you take the log of the density, which is 0 in floats far from the mean.",
        "exp(-5000) comes out as 0, and its log is lost. Do not take exp and then log: write the log as it is.",
        *(
            {"    return": f"    each = (each.exp() + {tiny}).log()\n    return"}
            for tiny in (0.0, 1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5)
        ),
        *({"return each.sum(-1)": f"return (each.sum(-1).exp() + {tiny}).log()"} for tiny in (0.0, 1e-8, 1e-6)),
        *({"    return": f"    each = each.exp().clamp(min={tiny}).log()\n    return"} for tiny in (1e-10, 1e-8, 1e-6)),
    ),
    "other-base": Mistake(
        "your logarithm has another base: the result is not in nats.",
        "log is the natural one, torch.log: PPO's ratio, exp(log_prob - old_log_prob), counts on it.",
        *({"return ": f"return 1 / math.log({base}) * "} for base in (2, 10)),
        *({"std.log": f"std.log{base}", "math.log(": f"math.log{base}("} for base in (2, 10)),
        *({"std.log": f"std.log{base}"} for base in (2, 10)),
    ),
    "cumulative": Mistake(
        "you take the probability of all smaller actions (cdf).",
        "A single action has a density: the height of the bell above it, not the area to the left of it.",
        {_EACH: "(0.5 * (1 + (z / math.sqrt(2)).erf())).log()"},
        {_EACH: "(0.5 * (1 + (z / math.sqrt(2)).erf())).log()", "  # independent": ".exp()  # independent"},
    ),
    "entropy": Mistake(
        "you return the entropy, or minus the entropy, which is an average over all actions.",
        "The action is given: put it into -z²/2, with z = (action - mean) / std.",
        {_EACH: f"0.5 + std.log() + {_LOG_2PI}"},
        {_EACH: f"-0.5 - std.log() - {_LOG_2PI}"},
    ),
    "squared-error": Mistake(
        "you return the squared distance from the mean, without the std and the constant.",
        "The std decides how bad a distance is: -z²/2 - log std - ½ log 2π, with z = (action - mean) / std.",
        *({_EACH: f"{factor} * (action - mean) ** 2"} for factor in (1, -1, -0.5, 0.5)),
    ),
    "tanh": Mistake(
        "you subtract the correction of a tanh; these actions do not go through one.",
        "SAC squashes its actions, PPO here does not: the density of the Gaussian is all.",
        {"    return": "    each = each - (1 - action.tanh() ** 2 + 1e-6).log()\n    return"},
    ),
    "limited": Mistake(
        "you limit the log-probability, or the distance.",
        "An action far from the mean has a very low log-probability, and PPO's ratio needs it as it is.",
        *({"    return": f"    each = each.clamp(min={limit})\n    return"} for limit in (-20, -50, -100)),
        *({"z**2": f"z.clamp(-{limit}, {limit}) ** 2"} for limit in (5, 10)),
    ),
    "number-added": Mistake(
        "you add a number to the std.",
        "Each std is above 0 already, and a small std is where this number counts most: leave it out.",
        *({") / std": f") / (std + {tiny})"} for tiny in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)),
        *({") / std": f") / (std + {tiny})", "std.log": f"(std + {tiny}).log"} for tiny in (1e-5, 1e-4, 1e-3, 1e-2)),
        *({"std.log": f"(std + {tiny}).log"} for tiny in (1e-4, 1e-3, 1e-2, 1)),
    ),
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

SHORTCUTS = (
    torch.distributions.Normal.log_prob,
    torch.distributions.MultivariateNormal.log_prob,
    torch.nn.functional.gaussian_nll_loss,
)

EXERCISE = Exercise(gaussian_log_prob, ("log_prob",), CASES, MISTAKES, HINTS, _draw, shortcuts=SHORTCUTS)
