"""Exercise ``gaussian_entropy``: find the entropy of a Gaussian policy."""

import math

import torch

from ..exercise import Case, Exercise, Mistake
from .gaussian_actions import constant_mistakes, joining_mistakes


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
    Case("thirty joints, whose stds multiply to less than a float32 can hold", (torch.full((1, 30), 0.01),)),
    Case.of("two robots of four joints", [[0.3, 1.7, 0.05, 2.6], [1.2, 0.0001, 0.7, 3.4]]),
)


_LOG_2PI = "0.5 * math.log(2 * math.pi)"
_EACH = f"std.log() + 0.5 + {_LOG_2PI}"


MISTAKES = {
    "half-missing": Mistake(
        "you leave out a ½: yours is minus the log-probability of the mean.",
        "Actions scatter about the mean, and z²/2 is ½ on average: add ½ for each component.",
        {"() + 0.5": "()"},
    ),
    "constant-missing": Mistake(
        "your entropy leaves out the constant ½ log 2π.",
        "Entropy is minus the mean log-probability, and each component's log-probability has a -½ log 2π.",
        {f" + {_LOG_2PI}": ""},
    ),
    "log-std-only": Mistake(
        "you return the log of the std alone.",
        "It has the right gradient, but not the right value: add ½ + ½ log 2π, about 1.419, for each component.",
        {f" + 0.5 + {_LOG_2PI}": ""},
    ),
    "constant-once": Mistake(
        "you add a constant once for the whole action, not once for each component.",
        "Each component is a Gaussian of its own: log std + ½ + ½ log 2π. Complete it, then sum.",
        {"() + 0.5": "() + 0.5 / std.shape[-1]", "2 * math.pi)": "2 * math.pi) / std.shape[-1]"},
        {"2 * math.pi)": "2 * math.pi) / std.shape[-1]"},
        {"() + 0.5": "() + 0.5 / std.shape[-1]"},
    ),
    "std-as-variance": Mistake(
        "you take the std for the variance: only half of its log arrives.",
        "½ log(2πe · variance), and the variance is std². Or log std, in full.",
        {"std.log": "0.5 * std.log"},
    ),
    "variance-as-std": Mistake(
        "you use the variance where the std belongs: its log counts twice.",
        "Normal(mean, std) of torch takes the std as it is; by hand it is log std, or ½ log std².",
        {"std.log": "2 * std.log"},
    ),
    **joining_mistakes("entropy"),
    "log-std-sign": Mistake(
        "your entropy falls where the std grows.",
        "A wider Gaussian is less certain: log std counts positive.",
        {"std.log": "-std.log"},
    ),
    "sign": Mistake(
        "you return minus the entropy.",
        "Entropy is minus the mean log-probability. In PPO's loss it gets its minus sign later.",
        {"return ": "return -"},
    ),
    "not-halved": Mistake(
        "your entropy is twice what it should be: it looks like log(2πe · std²).",
        "The root of the variance is the std, and the log of a root is half: ½ log(2πe · std²).",
        {"return ": "return 2 * "},
    ),
    **constant_mistakes(),
    "constant-sign": Mistake(
        "you subtract the constant ½ log 2π.",
        "Entropy is minus the mean log-probability, and two minus signs make a plus: add ½ log 2π.",
        {f"+ {_LOG_2PI}": f"- {_LOG_2PI}"},
    ),
    "half-sign": Mistake(
        "you subtract the ½ that should be added.",
        "Entropy is minus the mean of -z²/2 - …, and z² is 1 on average: + ½.",
        {"() + 0.5": "() - 0.5"},
    ),
    "one-for-half": Mistake(
        "you add 1 where ½ belongs.",
        "z²/2 is ½ on average. Either ½ · (1 + log 2π) + log std, or ½ + ½ log 2π + log std.",
        {"() + 0.5": "() + 1.0"},
    ),
    "halves-missing": Mistake(
        "you add 1 + log 2π: the ½ before these brackets is missing.",
        "It is log std + ½ · (1 + log 2π), about 1.419 more than log std.",
        {f"0.5 + {_LOG_2PI}": "1.0 + math.log(2 * math.pi)"},
    ),
    "std-not-logged": Mistake(
        "you add the std itself, not its log.",
        "The input is a std, not a log std. Twice the std is log 2 = 0.69 nats more, from wherever you start.",
        {"std.log": "std.clone"},
        {"std.log": "2 * std.clone"},
        {"std.log": "std.square"},
    ),
    "times-std": Mistake(
        "you multiply the constant by the std, or by its log; the log of a product is a sum.",
        "½ log(2πe · std²) has the std inside the brackets of the log: it is ½ + ½ log 2π + log std.",
        *({_EACH: f"(0.5 + {_LOG_2PI}) * {std}"} for std in ("std", "std**2", "std.log()", "2 * std.log()")),
    ),
    "never-negative": Mistake(
        "your entropy never falls below 0.",
        "That is so for dice, not for densities: a Gaussian with a std below 0.24 has negative entropy. Let it.",
        {"    return": "    each = each.relu()\n    return"},
        {"  # independent": ".relu()  # independent"},
        {"    return": "    each = each.abs()\n    return"},
        {"  # independent": ".abs()  # independent"},
    ),
    "log-std-absolute": Mistake(
        "a std below 1 does not lower your entropy: its log counts as positive, or as 0.",
        "log std is negative below 1, and should be: a narrow Gaussian is more certain.",
        {"std.log": "std.log().abs"},
        {"std.log": "std.log().relu"},
    ),
    "bits": Mistake(
        "your logarithm has another base: the result is not in nats.",
        "log means the natural one here, torch.log; log2 gives bits, which are 0.69 nats each.",
        *({"return ": f"return 1 / math.log({base}) * "} for base in (2, 10)),
        *({"std.log": f"std.log{base}"} for base in (2, 10)),
        *({"std.log": f"std.log{base}", "math.log(": f"math.log{base}("} for base in (2, 10)),
    ),
    "one-point": Mistake(
        "you take -p · log p at one point, the mean.",
        "Entropy is the mean of -log p over all actions. For a Gaussian that integral is log std + ½ + ½ log 2π.",
        {"() + 0.5": "()", "    return": "    each = each * (-each).exp()\n    return"},
    ),
    "log-probability": Mistake(
        "you return the log-probability of the mean.",
        "Entropy is minus the average of the log-probability over all actions, not its value at one of them.",
        {"() + 0.5": "()", "return ": "return -"},
    ),
    "probabilities": Mistake(
        "you take the stds for probabilities, as in -Σ p log p.",
        "Stds say how wide a density is. Its entropy is an integral: log std + ½ + ½ log 2π for each component.",
        {_EACH: "-std * std.log()"},
        {_EACH: "-std / std.sum(-1, keepdim=True) * (std / std.sum(-1, keepdim=True)).log()"},
        {_EACH: "-std.softmax(-1) * std.log_softmax(-1)"},
    ),
    "product-underflows": Mistake(
        "you take the log of the product of all stds, and with many joints that product is 0 in floats.",
        "30 stds of 0.01 multiply to 1e-60, and its log is lost. Take the log of each std first, then add.",
        {"std.log()": "(0 * std + std.prod(-1, keepdim=True).log() / std.shape[-1])"},
    ),
    "log-of-sum": Mistake(
        "you join the stds or variances of the components first, and then take one log.",
        "That is no sum of entropies. Take the log of each std first, then sum over the components.",
        *(
            {"std.log": f"{joined}.log", **more}
            for more in ({}, {"  # independent": " / std.shape[-1]  # independent"})
            for joined in (
                "std.sum(-1, keepdim=True)",
                "std.norm(dim=-1, keepdim=True)",
                "std.mean(-1, keepdim=True)",
                "(std**2).mean(-1, keepdim=True).sqrt()",
            )
        ),
        *(
            {"std.log": f"{joined}.expand_as(std).log"}
            for joined in ("std.mean(-1, keepdim=True)", "(std**2).mean(-1, keepdim=True).sqrt()")
        ),
        {"std.log": "1 / std.shape[-1] * std.sum(-1, keepdim=True).expand_as(std).log"},
    ),
    "number-added": Mistake(
        "you add a number to the std before you take its log.",
        "Each std is above 0 already, and a small std is where this number counts most: leave it out.",
        *({"std.log": f"(std + {number}).log"} for number in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1)),
    ),
    "other-distribution": Mistake(
        "yours is the entropy of a uniform or Laplace distribution with this std or scale.",
        "For a Gaussian it is log std + ½ + ½ log 2π, for each component.",
        {_EACH: "(std * math.sqrt(12)).log()"},
        {_EACH: "1 + (2 * std).log()"},
    ),
}

HINTS = (
    "Entropy is minus the average of the log-probability. Which of its terms depends on the action?",
    "The log-probability of one component is −z²/2 − log std − ½ log 2π, with z = (action − mean) / std. The average "
    "of z² is 1, whatever the std. By hand: a std of 1 gives 1.419 nats, a std of 2 gives log 2 = 0.693 more, a std of "
    "0.1 gives −0.884. An action with all three components has the sum, 2.647.",
    "`std.log() + 0.5 + 0.5 * math.log(2 * math.pi)` is `[batch, actions]`, one entropy for each component; sum it "
    "over the last dimension.",
)

SHORTCUTS = (torch.distributions.Normal.entropy, torch.distributions.MultivariateNormal.entropy)

EXERCISE = Exercise(gaussian_entropy, ("entropy",), CASES, MISTAKES, HINTS, _draw, shortcuts=SHORTCUTS)
